// The network's layers, called with plain pointers: tensors are contiguous, [batch, n, ...].
#include "trace.hpp"

// What all calls share. h: [batch, n, F], or [batch, F] the same for all particles (shared).
struct Shape {
  int64_t batch, n, layers, shared, features;  // features: whether the last layer updates h
};

static int64_t groups_of(const Shape& s) { return (s.batch + LANES - 1) / LANES; }

struct Group {
  int64_t from, batch;
  int64_t sample(int lane) const {
    int64_t at = from + lane;
    return at < batch ? at : batch - 1;
  }
  bool real(int lane) const { return from + lane < batch; }
  V load(const R* at, int64_t stride) const {
    V found;
    for (int lane = 0; lane < LANES; ++lane) found[lane] = at[sample(lane) * stride];
    return found;
  }
  V load_real(const R* at, int64_t stride) const {
    V found;
    for (int lane = 0; lane < LANES; ++lane)
      found[lane] = real(lane) ? at[sample(lane) * stride] : R(0);
    return found;
  }
  void store(V value, R* at, int64_t stride) const {
    for (int lane = 0; lane < LANES && real(lane); ++lane) at[sample(lane) * stride] = value[lane];
  }
  void add(V value, R* at, int64_t stride) const {
    for (int lane = 0; lane < LANES && real(lane); ++lane) at[sample(lane) * stride] += value[lane];
  }
};

static One number(const Group& g, const R* value, const R*, int64_t stride, One) {
  return {g.load(value, stride)};
}
static Two number(const Group& g, const R* value, const R* change, int64_t stride, Two) {
  return {g.load(value, stride), change ? g.load(change, stride) : splat(0)};
}

template <class S> struct Inputs {
  const R *x, *dx, *h, *dh, *mask;
};

template <class S>
static void read_state(const Shape& s, const Group& g, Inputs<S> in, State<S> to) {
  const int n = s.n;
  for (int k = 0; k < n * D; ++k)
    to.x[k] = number(g, in.x + k, in.dx ? in.dx + k : nullptr, n * D, S{});
  for (int f = 0; f < F; ++f)
    for (int i = 0; i < n; ++i) {
      if (s.shared && i) {
        to.h[f * n + i] = to.h[f * n];
        continue;
      }
      int64_t at = s.shared ? f : i * F + f, stride = s.shared ? F : n * F;
      to.h[f * n + i] = number(g, in.h + at, in.dh ? in.dh + at : nullptr, stride, S{});
    }
}

template <class S> static void start_distances(int n, const S* x, S* e) {
  for (int i = 0; i < n; ++i)
    for (int j = 0, at = i * (n - 1); j < n; ++j) {
      if (i == j) continue;
      S sum{};
      for (int k = 0; k < D; ++k) {
        S d = x[i * D + k] - x[j * D + k];
        sum += d * d;
      }
      e[at++] = sum;
    }
}

static Weights* read_weights(Arena& arena, const R* const* w, int layers, R bound) {
  Weights* found = arena.take<Weights>(layers);
  for (int l = 0; l < layers; ++l) found[l].set(w + l * PARTS, bound);
  return found;
}

static void read_mask(const Shape& s, const Group& g, const R* mask, V* to) {
  for (int i = 0; i < s.n && mask; ++i) to[i] = g.load(mask + i, s.n);
}

static void write(const Group& g, One value, R* at, R*, int64_t stride) {
  g.store(value.v, at, stride);
}
static void write(const Group& g, Two value, R* at, R* change, int64_t stride) {
  if (at) g.store(value.v, at, stride);
  g.store(value.d, change, stride);
}

// States of all layers of all groups are kept in `memory` for the gradient.
template <class S>
static void run_values(const Shape& s, const R* const* w, R bound, Inputs<S> in, R* moved,
                       R* dmoved, R* h, R* dh, S* memory) {
  Arena arena;
  const int n = s.n, layers = s.layers;
  Weights* weights = read_weights(arena, w, layers, bound);
  const int64_t size = State<S>::size(n);
  S* own = memory ? nullptr : arena.take<S>(size * layers);
  S* e = arena.take<S>((int64_t)n * (n - 1) + 1);
  S* end = arena.take<S>(size);
  V* mask = arena.take<V>(n);
  Pairs<S> pairs(arena, n);
  Nodes<S> nodes(arena, n);
  for (int64_t group = 0; group < groups_of(s); ++group) {
    Group g{group * LANES, s.batch};
    S* states = memory ? memory + group * size * layers : own;
    read_state(s, g, in, State<S>::at(states, n));
    read_mask(s, g, in.mask, mask);
    start_distances(n, states, e);
    for (int l = 0; l < layers; ++l) {
      State<S> now = State<S>::at(states + l * size, n);
      State<S> next = State<S>::at(l + 1 < layers ? states + (l + 1) * size : end, n);
      layer_values(weights[l], n, now, next, l ? e : nullptr, in.mask ? mask : nullptr,
                   l + 1 < layers || s.features, pairs, nodes);
    }
    State<S> last = State<S>::at(end, n);
    for (int k = 0; k < n * D; ++k)
      write(g, last.x[k] - states[k], moved ? moved + k : nullptr, dmoved + k, n * D);
    for (int f = 0; f < F && s.features; ++f)
      for (int i = 0; i < n; ++i)
        write(g, last.h[f * n + i], h ? h + i * F + f : nullptr, dh + i * F + f, n * F);
  }
}

// Cotangents of outputs (null: zero) and gradients of inputs (added to). With Two the outputs are
// <moved, b> + <dmoved, a>: a is given as the value, b as the derivative; gradients by x and h are
// the derivatives, those by dx and dh the values.
struct Gradients {
  const R *moved, *dmoved, *h, *dh;
  R *x, *dx, *to_h, *to_dh, *weights;
};

static One cotangent(const Group& g, const R* value, const R*, int64_t stride, One) {
  return {value ? g.load_real(value, stride) : splat(0)};
}
static Two cotangent(const Group& g, const R* value, const R* change, int64_t stride, Two) {
  return {change ? g.load_real(change, stride) : splat(0),
          value ? g.load_real(value, stride) : splat(0)};
}
static void add(const Group& g, One found, R* to, R*, int64_t stride) {
  if (to) g.add(found.v, to, stride);
}
static void add(const Group& g, Two found, R* to, R* change, int64_t stride) {
  if (to) g.add(found.d, to, stride);
  if (change) g.add(found.v, change, stride);
}
static const R* shifted(const R* at, int64_t by) { return at ? at + by : nullptr; }
static R* shifted(R* at, int64_t by) { return at ? at + by : nullptr; }

template <class S> struct GroupBack {
  S *x, *h, *e, *start;
};

template <class S>
static void finish(const Shape& s, const Group& g, const S* x0, GroupBack<S> b, Gradients to) {
  const int n = s.n;
  for (int i = 0; i < n && INITIAL; ++i)
    for (int j = 0, at = i * (n - 1); j < n; ++j) {
      if (i == j) continue;
      for (int k = 0; k < D; ++k) {
        S gd = (x0[i * D + k] - x0[j * D + k]) * b.e[at] * R(2);
        b.x[i * D + k] += gd;
        b.x[j * D + k] += negative(gd);
      }
      ++at;
    }
  for (int k = 0; k < n * D; ++k)
    add(g, b.x[k] - b.start[k], shifted(to.x, k), shifted(to.dx, k), n * D);
  for (int f = 0; f < F; ++f)
    for (int i = 0; i < n; ++i) {
      int64_t at = s.shared ? f : i * F + f, stride = s.shared ? F : n * F;
      add(g, b.h[f * n + i], shifted(to.to_h, at), shifted(to.to_dh, at), stride);
    }
}

template <class S>
static void run_gradient(const Shape& s, const R* const* w, R bound, const S* memory,
                         const R* mask_of, Gradients to) {
  Arena arena;
  const int n = s.n, layers = s.layers;
  const int64_t groups = groups_of(s), size = State<S>::size(n), edges = (int64_t)n * (n - 1) + 1;
  const int64_t own = n * (2 * D + F) + edges;
  Weights* weights = read_weights(arena, w, layers, bound);
  S* all = arena.zeros<S>(groups * own);
  S* e = arena.take<S>(edges);
  V* mask = arena.take<V>(n);
  Pairs<S> pairs(arena, n);
  Nodes<S> nodes(arena, n);
  Back<S> back(arena, n);
  Sums sums(arena);
  for (int l = layers - 1; l >= 0; --l) {
    sums.clear();
    bool features = l + 1 < layers || s.features;
    for (int64_t group = 0; group < groups; ++group) {
      Group g{group * LANES, s.batch};
      S* start = all + group * own;
      GroupBack<S> b{start, start + n * D, start + n * (D + F), start + own - n * D};
      const S* states = memory + group * size * layers;
      if (l == layers - 1) {
        for (int k = 0; k < n * D; ++k) {
          b.x[k] = cotangent(g, shifted(to.moved, k), shifted(to.dmoved, k), n * D, S{});
          b.start[k] = b.x[k];
        }
        for (int f = 0; f < F && s.features; ++f)
          for (int i = 0; i < n; ++i)
            b.h[f * n + i] = cotangent(g, shifted(to.h, i * F + f), shifted(to.dh, i * F + f),
                                       n * F, S{});
      }
      read_mask(s, g, mask_of, mask);
      start_distances(n, states, e);
      State<S> now = State<S>::at(const_cast<S*>(states) + l * size, n);
      layer_gradient(weights[l], n, now, l ? e : nullptr, mask_of ? mask : nullptr, features,
                     Cotangents<S>{b.x, b.h, b.e}, pairs, nodes, back, sums);
      if (l == 0) finish(s, g, states, b, to);
    }
    sums.write(to.weights + (int64_t)l * LAYER_SIZE);
  }
}

extern "C" {

int64_t lanes() { return LANES; }
int64_t layer_size() { return LAYER_SIZE; }

// Numbers that `memory` must hold for the gradient of `directions` tangents (0: of values).
int64_t memory_size(const Shape* s, int64_t directions) {
  int64_t numbers = groups_of(*s) * State<One>::size(s->n) * s->layers * LANES;
  return directions ? 2 * directions * numbers : numbers;
}

void values(const Shape* s, const R* const* w, const double* bound, const R* x, const R* h,
            const R* mask, R* moved, R* end_h, R* memory) {
  Inputs<One> in{x, nullptr, h, nullptr, mask};
  run_values<One>(*s, w, (R)*bound, in, moved, nullptr, end_h, nullptr, (One*)memory);
}

void values_gradient(const Shape* s, const R* const* w, const double* bound, const R* mask,
                     const R* memory, const R* g_moved, const R* g_h, R* g_x, R* g_start,
                     R* g_weights) {
  Gradients to{g_moved, nullptr, g_h, nullptr, g_x, nullptr, g_start, nullptr, g_weights};
  run_gradient<One>(*s, w, (R)*bound, (const One*)memory, mask, to);
}

// dx [directions, batch, n, D]; dh like h, or null.
void tangents(const Shape* s, const R* const* w, const double* bound, int64_t directions,
              const R* x, const R* dx, const R* h, const R* dh, const R* mask, R* moved,
              R* dmoved, R* end_h, R* end_dh, R* memory) {
  const int64_t places = s->batch * s->n, rows = s->shared ? s->batch : places;
  const int64_t each = memory_size(s, 1);
  for (int64_t k = 0; k < directions; ++k) {
    Inputs<Two> in{x, dx + k * places * D, h, dh ? dh + k * rows * F : nullptr, mask};
    run_values<Two>(*s, w, (R)*bound, in, k ? nullptr : moved, dmoved + k * places * D,
                    k ? nullptr : end_h, end_dh ? end_dh + k * places * F : nullptr,
                    memory ? (Two*)(memory + k * each) : nullptr);
  }
}

void tangents_gradient(const Shape* s, const R* const* w, const double* bound,
                       int64_t directions, const R* mask, const R* memory, const R* g_moved,
                       const R* g_dmoved, const R* g_h, const R* g_dh, R* g_x, R* g_dx,
                       R* g_start, R* g_dstart, R* g_weights) {
  const int64_t places = s->batch * s->n, rows = s->shared ? s->batch : places;
  const int64_t each = memory_size(s, 1);
  for (int64_t k = 0; k < directions; ++k) {
    Gradients to{k ? nullptr : g_moved, shifted(g_dmoved, k * places * D),
                 k ? nullptr : g_h, shifted(g_dh, k * places * F),
                 g_x, shifted(g_dx, k * places * D), g_start, shifted(g_dstart, k * rows * F),
                 g_weights};
    run_gradient<Two>(*s, w, (R)*bound, (const Two*)(memory + k * each), mask, to);
  }
}

void trace(const Shape* s, const R* const* w, const double* bound, const R* x, const R* h,
           R* moved, R* found) {
  Arena arena;
  const int n = s->n, layers = s->layers;
  Weights* weights = read_weights(arena, w, layers, (R)*bound);
  const int64_t size = State<One>::size(n);
  One* memory = arena.take<One>(size * layers);
  One* e = arena.take<One>((int64_t)n * (n - 1) + 1);
  One* last = arena.take<One>(n * D);
  State<One>* states = arena.take<State<One>>(layers);
  for (int l = 0; l < layers; ++l) states[l] = State<One>::at(memory + l * size, n);
  Pairs<One> pairs(arena, n);
  Nodes<One> nodes(arena, n);
  Trace work(arena, n);
  for (int64_t group = 0; group < groups_of(*s); ++group) {
    Group g{group * LANES, s->batch};
    read_state(*s, g, Inputs<One>{x, nullptr, h, nullptr, nullptr}, states[0]);
    V sum = trace_of(weights, layers, n, states, e, last, pairs, nodes, work);
    g.store(sum, found + 0, 1);
    for (int k = 0; k < n * D; ++k) g.store(last[k].v - states[0].x[k].v, moved + k, n * D);
  }
}
}
