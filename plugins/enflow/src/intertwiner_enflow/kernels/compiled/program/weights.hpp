// The weights of a layer in the order the products want, and the sums of their gradients.
#pragma once
#include "dense.hpp"

constexpr int SCALARS = INITIAL ? 2 : 1, EDGE_IN = 2 * F + SCALARS;
enum Part { EDGE_W, EDGE_B, SECOND_W, SECOND_B, GATE_W, GATE_B, NODE_W, NODE_B, NODE2_W, NODE2_B,
            COORD_W, COORD_B, OUT_W, PARTS };
constexpr int SIZES[PARTS] = {F * EDGE_IN, F, F * F, F, ATTENTION ? F : 0, ATTENTION ? 1 : 0,
                              2 * F * F, F, F * F, F, F * F, F, F};
constexpr int total_size() {
  int sum = 0;
  for (int part = 0; part < PARTS; ++part) sum += SIZES[part];
  return sum;
}
constexpr int LAYER_SIZE = total_size();

struct Matrix {
  R forward[F * F], backward[F * F];
  void set(const R* w, int stride) {
    pack(w, stride, F, F, false, forward);
    pack(w, stride, F, F, true, backward);
  }
};

struct Weights {
  Matrix source, target, second, coord, node_h, node_m, node2;
  R distance[F], initial[F], bias[F], second_bias[F], gate[F], gate_bias, coord_bias[F], out[F];
  R node_bias[F], node2_bias[F], bound;
  void set(const R* const* w, R reach) {
    for (int f = 0; f < F; ++f) {
      distance[f] = w[EDGE_W][f * EDGE_IN + 2 * F];
      initial[f] = INITIAL ? w[EDGE_W][f * EDGE_IN + EDGE_IN - 1] : R(0);
      bias[f] = w[EDGE_B][f];
      second_bias[f] = w[SECOND_B][f];
      gate[f] = ATTENTION ? w[GATE_W][f] : R(0);
      coord_bias[f] = w[COORD_B][f];
      out[f] = w[OUT_W][f];
      node_bias[f] = w[NODE_B][f];
      node2_bias[f] = w[NODE2_B][f];
    }
    gate_bias = ATTENTION ? w[GATE_B][0] : R(0);
    bound = reach;
    source.set(w[EDGE_W], EDGE_IN);
    target.set(w[EDGE_W] + F, EDGE_IN);
    second.set(w[SECOND_W], F);
    coord.set(w[COORD_W], F);
    node_h.set(w[NODE_W], 2 * F);
    node_m.set(w[NODE_W] + F, 2 * F);
    node2.set(w[NODE2_W], F);
  }
};

// One vector for every weight of a layer; summed over lanes once all samples are done.
struct Sums {
  V* at[PARTS];
  explicit Sums(Arena& arena) {
    V* all = arena.take<V>(LAYER_SIZE);
    for (int part = 0; part < PARTS; ++part) {
      at[part] = all;
      all += SIZES[part];
    }
  }
  void clear() { std::memset((void*)at[0], 0, LAYER_SIZE * sizeof(V)); }
  void write(R* to) const {
    for (int64_t k = 0; k < LAYER_SIZE; ++k) to[k] += lane_sum(at[0][k]);
  }
};
