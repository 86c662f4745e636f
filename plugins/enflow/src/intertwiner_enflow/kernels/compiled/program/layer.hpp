// One layer for the samples in the lanes of a vector: its values, and the gradient of them.
// The equations are those of `dynamics.layer`; names too.
#pragma once
#include "weights.hpp"

constexpr int TILE = 12;  // pairs worked on together, at least: whole rows of particles

template <class S> static inline V* raw(S* a) { return (V*)a; }
template <class S> static inline const V* raw(const S* a) { return (const V*)a; }

static inline int rows_of_tile(int n) { return n > 1 ? (TILE + n - 2) / (n - 1) : 1; }

// The state of a layer: positions [n][D], features [F][n], and the sums of messages [F][n].
template <class S> struct State {
  S *x, *h, *sums;
  static int64_t size(int n) { return (int64_t)n * (D + 2 * F); }
  static State at(S* memory, int n) { return {memory, memory + n * D, memory + n * (D + F)}; }
};

// The pairs (i, j), i from `first` on, of one tile: columns c.
template <class S> struct Pairs {
  int n, first, count;
  S *d, *u, *r2, *softened, *inverse, *e, *gate, *scale, *slope_scale;
  S *a1, *slope1, *a2, *slope2, *m, *y, *slope_y;
  V* both;
  int *from, *to;  // the particles of each pair
  Pairs(Arena& arena, int particles) : n(particles) {
    int64_t most = (int64_t)rows_of_tile(n) * (n - 1) + 1;
    S** scalars[] = {&r2, &softened, &inverse, &e, &gate, &scale, &slope_scale};
    for (S** slot : scalars) *slot = arena.take<S>(most);
    d = arena.take<S>(most * D);
    u = arena.take<S>(most * D);
    S** features[] = {&a1, &slope1, &a2, &slope2, &m, &y, &slope_y};
    for (S** slot : features) *slot = arena.take<S>(most * F);
    both = arena.take<V>(most);
    from = arena.take<int>(most);
    to = arena.take<int>(most);
  }
  void choose(int row) {
    int rows = rows_of_tile(n);
    if (row + rows > n) rows = n - row;
    first = row;
    count = 0;
    for (int i = row; i < row + rows; ++i)
      for (int j = 0; j < n; ++j)
        if (j != i) {
          from[count] = i;
          to[count++] = j;
        }
  }
  int source(int c) const { return from[c]; }
  int target(int c) const { return to[c]; }
  int edge(int c) const { return first * (n - 1) + c; }
};

// p, q: Ws h + b1 and Wt h. e: squared distances at the start, null in the first layer. mask: null
// or one vector of a particle. With SLOPES also what gradients need.
template <bool SLOPES, class S>
static void pair_values(const Weights& w, const S* x, const S* p, const S* q, const S* e,
                        const V* mask, Pairs<S>& t) {
  const int n = t.n, count = t.count;
  for (int c = 0; c < count; ++c) {
    int i = t.source(c), j = t.target(c);
    S r2{};
    for (int k = 0; k < D; ++k) {
      S d = x[i * D + k] - x[j * D + k];
      t.d[c * D + k] = d;
      r2 += d * d;
    }
    S softened = root(r2 + R(1e-8)), inverse = reciprocal(softened + R(1));
    for (int k = 0; k < D; ++k) t.u[c * D + k] = t.d[c * D + k] * inverse;
    t.r2[c] = r2;
    t.softened[c] = softened;
    t.inverse[c] = inverse;
    t.e[c] = e ? e[t.edge(c)] : r2;
    t.both[c] = mask ? mask[i] * mask[j] : splat(1);
  }
  for (int f = 0; f < F; ++f)
    for (int c = 0; c < count; ++c) {
      S z = p[f * n + t.source(c)] + q[f * n + t.target(c)] + t.r2[c] * w.distance[f];
      if (INITIAL) z += t.e[c] * w.initial[f];
      t.a1[f * count + c] = SLOPES ? silu(z, t.slope1[f * count + c]) : silu(z);
    }
  product<false, S::PARTS>(w.second.forward, w.second_bias, F, F, raw(t.a1), count * S::PARTS,
                           raw(t.a2), count * S::PARTS, count * S::PARTS);
  for (int c = 0; c < count; ++c) t.gate[c] = S{} + w.gate_bias;
  for (int f = 0; f < F; ++f)
    for (int c = 0; c < count; ++c) {
      int at = f * count + c;
      S a = SLOPES ? silu(t.a2[at], t.slope2[at]) : silu(t.a2[at]);
      t.a2[at] = a;
      if (ATTENTION) t.gate[c] += a * w.gate[f];
    }
  for (int c = 0; c < count; ++c) t.gate[c] = ATTENTION ? logistic(t.gate[c]) : S{} + R(1);
  for (int f = 0; f < F; ++f)
    for (int c = 0; c < count; ++c) {
      int at = f * count + c;
      t.m[at] = ATTENTION ? t.a2[at] * t.gate[c] : t.a2[at];
      if (mask) t.m[at] = t.m[at] * t.both[c];
    }
  product<false, S::PARTS>(w.coord.forward, w.coord_bias, F, F, raw(t.m), count * S::PARTS,
                           raw(t.y), count * S::PARTS, count * S::PARTS);
  for (int c = 0; c < count; ++c) t.scale[c] = S{};
  for (int f = 0; f < F; ++f)
    for (int c = 0; c < count; ++c) {
      int at = f * count + c;
      S a = SLOPES ? silu(t.y[at], t.slope_y[at]) : silu(t.y[at]);
      t.y[at] = a;
      t.scale[c] += a * w.out[f];
    }
  for (int c = 0; c < count; ++c) {
    S slope = S{} + R(1), scale = t.scale[c];
    if (BOUNDED) {
      S bounded = hyperbolic(scale);
      scale = bounded * w.bound;
      slope = (negative(bounded * bounded) + R(1)) * w.bound;
    }
    t.scale[c] = mask ? scale * t.both[c] : scale;
    if (SLOPES) t.slope_scale[c] = mask ? slope * t.both[c] : slope;
  }
}

template <class S> struct Nodes {
  S *p, *q, *inner, *slope, *back;
  Nodes(Arena& arena, int n) {
    S** slots[] = {&p, &q, &inner, &slope, &back};
    for (S** slot : slots) *slot = arena.take<S>((int64_t)F * n);
  }
};

template <class S>
static void node_terms(const Weights& w, const S* h, int n, Nodes<S>& nodes) {
  const int columns = n * S::PARTS;
  product<false, S::PARTS>(w.source.forward, w.bias, F, F, raw(h), columns, raw(nodes.p), columns,
                           columns);
  product<false, S::PARTS>(w.target.forward, nullptr, F, F, raw(h), columns, raw(nodes.q),
                           columns, columns);
}

// silu(N1 [h, sums] + n1) in nodes.inner, and its slope.
template <class S>
static void node_values(const Weights& w, const S* h, const S* sums, int n, Nodes<S>& nodes) {
  const int columns = n * S::PARTS;
  product<false, S::PARTS>(w.node_h.forward, w.node_bias, F, F, raw(h), columns,
                           raw(nodes.inner), columns, columns);
  product<true, S::PARTS>(w.node_m.forward, nullptr, F, F, raw(sums), columns, raw(nodes.inner),
                          columns, columns);
  for (int k = 0; k < F * n; ++k) nodes.inner[k] = silu(nodes.inner[k], nodes.slope[k]);
}

// From `now` (its sums are written) to `next`; next.h is left out where `features` is false.
template <class S>
static void layer_values(const Weights& w, int n, State<S> now, State<S> next, const S* e,
                         const V* mask, bool features, Pairs<S>& t, Nodes<S>& nodes) {
  node_terms(w, now.h, n, nodes);
  for (int k = 0; k < n * D; ++k) next.x[k] = now.x[k];
  for (int k = 0; k < n * F; ++k) now.sums[k] = S{};
  for (int row = 0; row < n && n > 1; row += rows_of_tile(n)) {
    t.choose(row);
    pair_values<false>(w, now.x, nodes.p, nodes.q, e, mask, t);
    for (int c = 0; c < t.count; ++c)
      for (int k = 0; k < D; ++k) next.x[t.source(c) * D + k] += t.u[c * D + k] * t.scale[c];
    for (int f = 0; f < F; ++f)
      for (int c = 0; c < t.count; ++c) now.sums[f * n + t.source(c)] += t.m[f * t.count + c];
  }
  if (!features) return;
  const int columns = n * S::PARTS;
  node_values(w, now.h, now.sums, n, nodes);
  product<false, S::PARTS>(w.node2.forward, w.node2_bias, F, F, raw(nodes.inner), columns,
                           raw(next.h), columns, columns);
  for (int f = 0; f < F; ++f)
    for (int i = 0; i < n; ++i) {
      S h = next.h[f * n + i] + now.h[f * n + i];
      next.h[f * n + i] = mask ? h * mask[i] : h;
    }
}

// Cotangents of a state, and of the squared distances at the start (one of each pair).
template <class S> struct Cotangents {
  S *x, *h, *e;
};

template <class S>
static void node_gradient(const Weights& w, int n, State<S> now, S* gh, S* gsums, const V* mask,
                          Nodes<S>& nodes, Sums& sums) {
  const int columns = n * S::PARTS;
  node_values(w, now.h, now.sums, n, nodes);
  if (mask)
    for (int f = 0; f < F; ++f)
      for (int i = 0; i < n; ++i) gh[f * n + i] = gh[f * n + i] * mask[i];
  outer(gh, nodes.inner, F, F, n, sums.at[NODE2_W], F);
  for (int f = 0; f < F; ++f)
    for (int i = 0; i < n; ++i) sums.at[NODE2_B][f] += gathered(gh[f * n + i]);
  product(w.node2.backward, nullptr, F, F, raw(gh), columns, raw(nodes.back), columns, columns);
  for (int f = 0; f < F; ++f)
    for (int i = 0; i < n; ++i) {
      int k = f * n + i;
      nodes.back[k] = nodes.back[k] * nodes.slope[k];
      sums.at[NODE_B][f] += gathered(nodes.back[k]);
    }
  outer(nodes.back, now.h, F, F, n, sums.at[NODE_W], 2 * F);
  outer(nodes.back, now.sums, F, F, n, sums.at[NODE_W] + F, 2 * F);
  product<true>(w.node_h.backward, nullptr, F, F, raw(nodes.back), columns, raw(gh), columns,
                columns);
  product(w.node_m.backward, nullptr, F, F, raw(nodes.back), columns, raw(gsums), columns,
          columns);
}

template <class S> struct Back {
  S *gsums, *gp, *gq, *gz, *gm, *gu, *gscale, *gx;
  Back(Arena& arena, int n) {
    int64_t most = (int64_t)rows_of_tile(n) * (n - 1) + 1;
    gsums = arena.take<S>((int64_t)F * n);
    gp = arena.take<S>((int64_t)F * n);
    gq = arena.take<S>((int64_t)F * n);
    gz = arena.take<S>(most * F);
    gm = arena.take<S>(most * F);
    gu = arena.take<S>(most * D);
    gscale = arena.take<S>(most);
    gx = arena.take<S>((int64_t)n * D);
  }
};

// Adds to b.gx, b.gp, b.gq, g.e and the sums what the pairs of a tile give.
template <class S>
static void pair_gradient(const Weights& w, Pairs<S>& t, Cotangents<S> g, bool first,
                          bool features, const V* mask, Back<S>& b, Sums& sums) {
  const int n = t.n, count = t.count, columns = count * S::PARTS;
  for (int c = 0; c < count; ++c) {
    S along{};
    for (int k = 0; k < D; ++k) {
      S gx = g.x[t.source(c) * D + k];
      along += gx * t.u[c * D + k];
      b.gu[c * D + k] = gx * t.scale[c];
    }
    b.gscale[c] = along * t.slope_scale[c];
  }
  for (int f = 0; f < F; ++f) {
    V out = splat(0), bias = splat(0);
    for (int c = 0; c < count; ++c) {
      int at = f * count + c;
      out += gathered(b.gscale[c], t.y[at]);
      b.gz[at] = b.gscale[c] * w.out[f] * t.slope_y[at];
      bias += gathered(b.gz[at]);
    }
    sums.at[OUT_W][f] += out;
    sums.at[COORD_B][f] += bias;
  }
  outer(b.gz, t.m, F, F, count, sums.at[COORD_W], F);
  product(w.coord.backward, nullptr, F, F, raw(b.gz), columns, raw(b.gm), columns, columns);
  for (int c = 0; c < count; ++c) b.gscale[c] = S{};
  for (int f = 0; f < F; ++f)
    for (int c = 0; c < count; ++c) {
      int at = f * count + c;
      if (features) b.gm[at] += b.gsums[f * n + t.source(c)];
      if (mask) b.gm[at] = b.gm[at] * t.both[c];
      if (ATTENTION) b.gscale[c] += b.gm[at] * t.a2[at];
    }
  for (int c = 0; c < count && ATTENTION; ++c) {
    b.gscale[c] = b.gscale[c] * t.gate[c] * (negative(t.gate[c]) + R(1));
    sums.at[GATE_B][0] += gathered(b.gscale[c]);
  }
  for (int f = 0; f < F; ++f) {
    V gate = splat(0), bias = splat(0);
    for (int c = 0; c < count; ++c) {
      int at = f * count + c;
      S ga = b.gm[at];
      if (ATTENTION) {
        gate += gathered(b.gscale[c], t.a2[at]);
        ga = ga * t.gate[c] + b.gscale[c] * w.gate[f];
      }
      b.gz[at] = ga * t.slope2[at];
      bias += gathered(b.gz[at]);
    }
    if (ATTENTION) sums.at[GATE_W][f] += gate;
    sums.at[SECOND_B][f] += bias;
  }
  outer(b.gz, t.a1, F, F, count, sums.at[SECOND_W], F);
  product(w.second.backward, nullptr, F, F, raw(b.gz), columns, raw(b.gm), columns, columns);
  S* gr2 = b.gscale;
  for (int c = 0; c < count; ++c) gr2[c] = S{};
  for (int f = 0; f < F; ++f) {
    V distance = splat(0), initial = splat(0);
    for (int c = 0; c < count; ++c) {
      int at = f * count + c;
      S gz = b.gm[at] * t.slope1[at];
      b.gp[f * n + t.source(c)] += gz;
      b.gq[f * n + t.target(c)] += gz;
      distance += gathered(gz, t.r2[c]);
      gr2[c] += gz * w.distance[f];
      if (INITIAL) {
        initial += gathered(gz, t.e[c]);
        S& ge = first ? gr2[c] : g.e[t.edge(c)];
        ge += gz * w.initial[f];
      }
    }
    sums.at[EDGE_W][f * EDGE_IN + 2 * F] += distance;
    if (INITIAL) sums.at[EDGE_W][f * EDGE_IN + EDGE_IN - 1] += initial;
  }
  for (int c = 0; c < count; ++c) {
    int i = t.source(c), j = t.target(c);
    S gn{};
    for (int k = 0; k < D; ++k) gn += b.gu[c * D + k] * t.u[c * D + k];
    gn = negative(gn * t.inverse[c]);
    S twice = gr2[c] * R(2) + gn * reciprocal(t.softened[c]);
    for (int k = 0; k < D; ++k) {
      S gd = b.gu[c * D + k] * t.inverse[c] + t.d[c * D + k] * twice;
      b.gx[i * D + k] += gd;
      b.gx[j * D + k] += negative(gd);
    }
  }
}

// Cotangents g of the next state become those of `now`; weights' gradients are added to sums.
template <class S>
static void layer_gradient(const Weights& w, int n, State<S> now, const S* e, const V* mask,
                           bool features, Cotangents<S> g, Pairs<S>& t, Nodes<S>& nodes,
                           Back<S>& b, Sums& sums) {
  const int columns = n * S::PARTS;
  if (features) node_gradient(w, n, now, g.h, b.gsums, mask, nodes, sums);
  for (int k = 0; k < n * F; ++k) b.gp[k] = b.gq[k] = S{};
  for (int k = 0; k < n * D; ++k) b.gx[k] = g.x[k];
  node_terms(w, now.h, n, nodes);
  for (int row = 0; row < n && n > 1; row += rows_of_tile(n)) {
    t.choose(row);
    pair_values<true>(w, now.x, nodes.p, nodes.q, e, mask, t);
    pair_gradient(w, t, g, e == nullptr, features, mask, b, sums);
  }
  for (int k = 0; k < n * D; ++k) g.x[k] = b.gx[k];
  for (int f = 0; f < F; ++f)
    for (int i = 0; i < n; ++i) sums.at[EDGE_B][f] += gathered(b.gp[f * n + i]);
  outer(b.gp, now.h, F, F, n, sums.at[EDGE_W], EDGE_IN);
  outer(b.gq, now.h, F, F, n, sums.at[EDGE_W] + F, EDGE_IN);
  product<true>(w.source.backward, nullptr, F, F, raw(b.gp), columns, raw(g.h), columns, columns);
  product<true>(w.target.backward, nullptr, F, F, raw(b.gq), columns, raw(g.h), columns, columns);
}
