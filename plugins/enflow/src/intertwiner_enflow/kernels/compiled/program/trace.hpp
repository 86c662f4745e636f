// The trace of the Jacobian of x^L by x (see `divergence.structured`): first layer in closed form,
// tangents along the coordinate directions k = (p, a) in the middle layers, and in the last layer
// only the pairs that leave p. Values alone; no masks.
#pragma once
#include "layer.hpp"

struct Trace {
  int n, directions, edges;
  V *dx, *next_dx, *dh, *dsums, *start_d;
  V *a, *b, *work;
  V *reverse_p, *reverse_q, *rho, *eta, *shrink, *gamma, *ghat, *dr2, *de, *dc, *dz, *dz2;
  Trace(Arena& arena, int particles) : n(particles) {
    directions = n * D;
    edges = n * (n - 1);
    int64_t most = (int64_t)rows_of_tile(n) * (n - 1) + 1, wide = most * CHUNK;
    dx = arena.take<V>((int64_t)directions * n * D);
    next_dx = arena.take<V>((int64_t)directions * n * D);
    V** nodes[] = {&dh, &dsums, &a, &b, &work};
    for (V** slot : nodes) *slot = arena.take<V>((int64_t)F * directions * n);
    start_d = arena.take<V>((int64_t)edges * D + 1);
    V** pairs[] = {&reverse_p, &reverse_q, &gamma, &ghat};
    for (V** slot : pairs) *slot = arena.take<V>(most * F);
    rho = arena.take<V>(most);
    eta = arena.take<V>(most);
    shrink = arena.take<V>(most);
    dc = arena.take<V>(wide);
    dr2 = arena.take<V>(wide);
    de = arena.take<V>(wide);
    dz = arena.take<V>(wide * F);
    dz2 = arena.take<V>(wide * F);
  }
  static constexpr int CHUNK = 1;  // directions of one product
  V& dx_at(int k, int i, int a_) { return dx[((int64_t)k * n + i) * D + a_]; }
  V& next_at(int k, int i, int a_) { return next_dx[((int64_t)k * n + i) * D + a_]; }
};

// dm/dr2 of the pairs of the tile in s.ghat, and their Jacobians G added into the tangents.
static void first_tile(const Weights& w, Pairs<One>& t, Trace& s) {
  const int n = t.n, count = t.count;
  for (int f = 0; f < F; ++f)
    for (int c = 0; c < count; ++c)
      s.gamma[f * count + c] =
          t.slope1[f * count + c].v * (w.distance[f] + (INITIAL ? w.initial[f] : R(0)));
  product(w.second.forward, nullptr, F, F, s.gamma, count, s.ghat, count, count);
  for (int c = 0; c < count; ++c) s.rho[c] = splat(0);
  for (int f = 0; f < F; ++f)
    for (int c = 0; c < count; ++c) {
      V change = s.ghat[f * count + c] * t.slope2[f * count + c].v;
      s.ghat[f * count + c] = change;
      if (ATTENTION) s.rho[c] += change * w.gate[f];
    }
  for (int f = 0; f < F; ++f)
    for (int c = 0; c < count && ATTENTION; ++c) {
      V g = t.gate[c].v;
      int at = f * count + c;
      s.ghat[at] = g * s.ghat[at] + t.m[at].v * (R(1) - g) * s.rho[c];
    }
  product(w.coord.forward, nullptr, F, F, s.ghat, count, s.gamma, count, count);
  for (int c = 0; c < count; ++c) s.rho[c] = splat(0);
  for (int f = 0; f < F; ++f)
    for (int c = 0; c < count; ++c)
      s.rho[c] += t.slope_y[f * count + c].v * s.gamma[f * count + c] * w.out[f];
  for (int c = 0; c < count; ++c) {
    int i = t.source(c), j = t.target(c);
    V scaled = t.scale[c].v * t.inverse[c].v;
    V along = R(2) * s.rho[c] * t.slope_scale[c].v - scaled / t.softened[c].v;
    for (int a = 0; a < D; ++a)
      for (int k = 0; k < D; ++k) {
        V g = t.u[c * D + k].v * t.d[c * D + a].v * along;
        if (a == k) g += scaled;
        s.dx_at(i * D + a, i, k) += g;
        s.dx_at(j * D + a, i, k) -= g;
      }
    for (int a = 0; a < D; ++a) s.start_d[t.edge(c) * D + a] = t.d[c * D + a].v;
  }
  for (int f = 0; f < F; ++f)
    for (int c = 0; c < count; ++c) {
      int i = t.source(c), j = t.target(c);
      V slope = R(2) * s.ghat[f * count + c];
      V* row = s.dsums + (int64_t)f * s.directions * n;
      for (int a = 0; a < D; ++a) {
        V change = slope * t.d[c * D + a].v;
        row[(i * D + a) * n + i] += change;
        row[(j * D + a) * n + i] -= change;
      }
    }
}

// dh += N2 (slope (N1h dh + N1m dsums)), a particle's directions at a time.
static void node_tangents(const Weights& w, const One* slope, bool first, Trace& s) {
  const int64_t columns = (int64_t)s.directions * s.n;
  const int64_t part = (int64_t)D * s.n;
  for (int64_t from = 0; from < columns; from += part) {
    product(w.node_m.forward, nullptr, F, F, s.dsums + from, columns, s.work, part, part);
    if (!first)
      product<true>(w.node_h.forward, nullptr, F, F, s.dh + from, columns, s.work, part, part);
    for (int f = 0; f < F; ++f)
      for (int64_t c = 0; c < part; ++c) s.work[f * part + c] *= slope[f * s.n + c % s.n].v;
    if (first)
      product(w.node2.forward, nullptr, F, F, s.work, part, s.dh + from, columns, part);
    else
      product<true>(w.node2.forward, nullptr, F, F, s.work, part, s.dh + from, columns, part);
  }
}

// dc = p.dh_i + q.dh_j + rho dr2 + eta de of the pairs of the tile, all taken in reverse.
static void reverse_terms(const Weights& w, Pairs<One>& t, Trace& s) {
  const int count = t.count;
  for (int c = 0; c < count; ++c) {
    s.shrink[c] = t.scale[c].v * t.inverse[c].v / (R(2) * t.softened[c].v);
  }
  for (int f = 0; f < F; ++f)
    for (int c = 0; c < count; ++c)
      s.ghat[f * count + c] = t.slope_scale[c].v * t.slope_y[f * count + c].v * w.out[f];
  product(w.coord.backward, nullptr, F, F, s.ghat, count, s.gamma, count, count);
  for (int c = 0; c < count; ++c) s.rho[c] = splat(0);
  for (int f = 0; f < F; ++f)
    for (int c = 0; c < count; ++c) s.rho[c] += s.gamma[f * count + c] * t.a2[f * count + c].v;
  for (int f = 0; f < F; ++f)
    for (int c = 0; c < count; ++c) {
      int at = f * count + c;
      V g = t.gate[c].v, gamma = s.gamma[at];
      if (ATTENTION) gamma = g * gamma + g * (R(1) - g) * s.rho[c] * w.gate[f];
      s.ghat[at] = gamma * t.slope2[at].v;
    }
  product(w.second.backward, nullptr, F, F, s.ghat, count, s.gamma, count, count);
  for (int c = 0; c < count; ++c) s.rho[c] = s.eta[c] = splat(0);
  for (int f = 0; f < F; ++f)
    for (int c = 0; c < count; ++c) {
      V g = s.gamma[f * count + c] * t.slope1[f * count + c].v;
      s.ghat[f * count + c] = g;
      s.rho[c] += g * w.distance[f];
      if (INITIAL) s.eta[c] += g * w.initial[f];
    }
  product(w.source.backward, nullptr, F, F, s.ghat, count, s.reverse_p, count, count);
  product(w.target.backward, nullptr, F, F, s.ghat, count, s.reverse_q, count, count);
}

static inline V initial_change(const Trace& s, int k, int i, int j, int edge) {
  int p = k / D;
  V d = R(2) * s.start_d[edge * D + k % D];
  return p == i ? d : p == j ? -d : splat(0);
}

// Tangents of positions and of message sums along all directions, for the pairs of the tile.
static void middle_tile(const Weights& w, Pairs<One>& t, Trace& s) {
  const int n = t.n, count = t.count;
  const int64_t columns = (int64_t)s.directions * n;
  for (int k0 = 0; k0 < s.directions; k0 += Trace::CHUNK) {
    int here = k0 + Trace::CHUNK > s.directions ? s.directions - k0 : Trace::CHUNK;
    int wide = here * count;
    for (int c = 0; c < wide; ++c) s.dc[c] = splat(0);
    for (int f = 0; f < F; ++f) {
      const V *p = s.reverse_p + f * count, *q = s.reverse_q + f * count;
      for (int kk = 0; kk < here; ++kk) {
        const V* dh = s.dh + f * columns + (int64_t)(k0 + kk) * n;
        V* dc = s.dc + kk * count;
        for (int c = 0; c < count; ++c) dc[c] += p[c] * dh[t.from[c]] + q[c] * dh[t.to[c]];
      }
    }
    for (int kk = 0; kk < here; ++kk)
      for (int c = 0; c < count; ++c) {
        int k = k0 + kk, i = t.from[c], j = t.to[c];
        V dr2 = splat(0), dc = s.dc[kk * count + c];
        V ddf[D];
        for (int a = 0; a < D; ++a) {
          ddf[a] = s.dx_at(k, i, a) - s.dx_at(k, j, a);
          dr2 += t.d[c * D + a].v * ddf[a];
        }
        dr2 *= R(2);
        V de = initial_change(s, k, i, j, t.edge(c));
        V scaled = t.scale[c].v * t.inverse[c].v;
        dc += s.rho[c] * dr2 + s.eta[c] * de - dr2 * s.shrink[c];
        for (int a = 0; a < D; ++a) s.next_at(k, i, a) += t.u[c * D + a].v * dc + scaled * ddf[a];
        s.dr2[kk * count + c] = dr2;
        s.de[kk * count + c] = de;
      }
    for (int f = 0; f < F; ++f)
      for (int kk = 0; kk < here; ++kk)
        for (int c = 0; c < count; ++c) {
          int64_t row = f * columns + (int64_t)(k0 + kk) * n;
          V z = s.a[row + t.from[c]] + s.b[row + t.to[c]] +
                s.dr2[kk * count + c] * w.distance[f];
          if (INITIAL) z += s.de[kk * count + c] * w.initial[f];
          s.dz[f * wide + kk * count + c] = z * t.slope1[f * count + c].v;
        }
    product(w.second.forward, nullptr, F, F, s.dz, wide, s.dz2, wide, wide);
    for (int c = 0; c < wide; ++c) s.dr2[c] = splat(0);
    for (int f = 0; f < F; ++f)
      for (int kk = 0; kk < here; ++kk)
        for (int c = 0; c < count; ++c) {
          int at = f * wide + kk * count + c;
          s.dz2[at] *= t.slope2[f * count + c].v;
          if (ATTENTION) s.dr2[kk * count + c] += s.dz2[at] * w.gate[f];
        }
    for (int f = 0; f < F; ++f)
      for (int kk = 0; kk < here; ++kk)
        for (int c = 0; c < count; ++c) {
          V change = s.dz2[f * wide + kk * count + c], g = t.gate[c].v;
          if (ATTENTION)
            change = g * change + t.m[f * count + c].v * (R(1) - g) * s.dr2[kk * count + c];
          s.dsums[f * columns + (int64_t)(k0 + kk) * n + t.from[c]] += change;
        }
  }
}

static V last_tile(Pairs<One>& t, Trace& s) {
  const int n = t.n, count = t.count;
  const int64_t columns = (int64_t)s.directions * n;
  V sum = splat(0);
  for (int a = 0; a < D; ++a) {
    for (int c = 0; c < count; ++c) s.dc[c] = splat(0);
    for (int f = 0; f < F; ++f) {
      const V *p = s.reverse_p + f * count, *q = s.reverse_q + f * count;
      const V* dh = s.dh + f * columns + a * n;
      for (int c = 0; c < count; ++c) {
        const V* own = dh + t.from[c] * D * n;
        s.dc[c] += p[c] * own[t.from[c]] + q[c] * own[t.to[c]];
      }
    }
    for (int c = 0; c < count; ++c) {
      int i = t.from[c], j = t.to[c], k = i * D + a;
      V dr2 = splat(0), dc = s.dc[c], own = splat(0);
      for (int b = 0; b < D; ++b) {
        V ddf = s.dx_at(k, i, b) - s.dx_at(k, j, b);
        if (b == a) own = ddf;
        dr2 += t.d[c * D + b].v * ddf;
      }
      dr2 *= R(2);
      V de = R(2) * s.start_d[t.edge(c) * D + a];
      dc += s.rho[c] * dr2 + s.eta[c] * de - dr2 * s.shrink[c];
      sum += t.u[c * D + a].v * dc + t.scale[c].v * t.inverse[c].v * own;
    }
  }
  return sum;
}

// The trace over all coordinates; `states` are those of all layers, filled here from the first on.
static V trace_of(const Weights* w, int layers, int n, State<One>* states, One* e, One* last_x,
                  Pairs<One>& t, Nodes<One>& nodes, Trace& s) {
  const int64_t columns = (int64_t)s.directions * n;
  V total = splat(0);
  std::memset((void*)s.dx, 0, columns * D * sizeof(V));
  for (int k = 0; k < s.directions; ++k) s.dx_at(k, k / D, k % D) = splat(1);
  for (int l = 0; l < layers; ++l) {
    State<One> now = states[l];
    bool first = l == 0, last = l == layers - 1;
    One* next = last ? last_x : states[l + 1].x;
    node_terms(w[l], now.h, n, nodes);
    std::memset((void*)now.sums, 0, (int64_t)F * n * sizeof(One));
    std::memcpy((void*)next, (void*)now.x, (int64_t)n * D * sizeof(One));
    if (!last) std::memset((void*)s.dsums, 0, F * columns * sizeof(V));
    if (!first && !last) {
      std::memcpy((void*)s.next_dx, (void*)s.dx, columns * D * sizeof(V));
      product(w[l].source.forward, nullptr, F, F, s.dh, columns, s.a, columns, columns);
      product(w[l].target.forward, nullptr, F, F, s.dh, columns, s.b, columns, columns);
    }
    for (int row = 0; row < n && n > 1; row += rows_of_tile(n)) {
      t.choose(row);
      pair_values<true>(w[l], now.x, nodes.p, nodes.q, first ? nullptr : e, nullptr, t);
      for (int c = 0; c < t.count; ++c) {
        if (first) e[t.edge(c)] = t.r2[c];
        for (int a = 0; a < D; ++a) next[t.source(c) * D + a] += t.u[c * D + a] * t.scale[c];
      }
      for (int f = 0; f < F && !last; ++f)
        for (int c = 0; c < t.count; ++c) now.sums[f * n + t.source(c)] += t.m[f * t.count + c];
      if (first) {
        first_tile(w[l], t, s);
      } else {
        reverse_terms(w[l], t, s);
        if (last) total += last_tile(t, s);
        else middle_tile(w[l], t, s);
      }
    }
    if (last) break;
    node_values(w[l], now.h, now.sums, n, nodes);
    product<false, 1>(w[l].node2.forward, w[l].node2_bias, F, F, raw(nodes.inner), n,
                      raw(states[l + 1].h), n, n);
    for (int k = 0; k < F * n; ++k) states[l + 1].h[k] += now.h[k];
    node_tangents(w[l], nodes.slope, first, s);
    if (!first) {
      V* swap = s.dx;
      s.dx = s.next_dx;
      s.next_dx = swap;
    }
  }
  for (int k = 0; k < s.directions; ++k) total += s.dx_at(k, k / D, k % D) - R(1);
  return total;
}
