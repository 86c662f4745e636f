"""C++ of a radial network at the knots, and of the table made from it, forward and backward.

A jet is a function's value, derivative and (for degree 5) second derivative at the knots in use,
`[orders][knots][width]` in double precision, with widths filled up to whole registers. The hidden
layers carry the jet of the basis forward; where two knots enclose an occupied interval, their last
jets give its polynomial (`layers.hermite`), which the last layer takes to all outputs in the
precision of the network.
"""

from __future__ import annotations

__all__ = ["TEXT"]

TEXT = """
// The knots at the ends of the occupied intervals: used[k], and the first of row r, left[r].
struct Knots {
  std::vector<int64_t> used, left;
  Knots(const int64_t* occupied, int64_t rows) {
    for (int64_t r = 0; r < rows; r++) {
      if (used.empty() || used.back() != occupied[r]) used.push_back(occupied[r]);
      left.push_back(used.size() - 1);
      used.push_back(occupied[r] + 1);
    }
  }
};
// Widths of the basis, the hidden layers and the outputs; addresses of the weights between them.
struct Network {
  int64_t hidden, degree;
  const int64_t *widths, *weights;
  const double* gains;
};
// What the layers make. z[l] before silu is a[l]; rows: the polynomials of the last hidden vector.
template <class T> struct Layers {
  Network net;
  Knots at;
  int64_t rows, orders, knots, last, threads;
  S* kept;
  Layers(Network net, const int64_t* occupied, int64_t rows, S* kept, int64_t threads)
      : net(net), at(occupied, rows), rows(rows), orders((net.degree + 1) / 2),
        knots(at.used.size()), last(net.widths[net.hidden]), threads(threads), kept(kept) {}
  int64_t wide(int64_t l) const { return filled<S>(net.widths[l]); }
  int64_t size(int64_t l) const { return knots * wide(l); }
  int64_t powers() const { return rows * (net.degree + 1); }
  S* a(int64_t l) const {
    S* p = kept;
    for (int64_t i = 0; i < l; i++) p += (i ? 2 : 1) * orders * size(i);
    return p;
  }
  S* z(int64_t l) const { return a(l) + (l ? orders * size(l) : 0); }
  T* polynomials() const { return (T*)(z(net.hidden) + orders * size(net.hidden)); }
  const T* weight(int64_t l) const { return (const T*)net.weights[l]; }
  std::vector<S> scaled(int64_t l, bool transposed) const {
    return padded<T, S>(weight(l), net.widths[l], net.widths[l + 1], net.gains[l], transposed);
  }
  // all: the jet of the basis at `every` knot there is.
  void gather(const double* all, int64_t every) const {
    int64_t width = net.widths[0];
    for (int64_t o = 0; o < orders; o++)
      for (int64_t k = 0; k < knots; k++) {
        S* to = kept + (o * knots + k) * wide(0);
        memcpy(to, all + (o * every + at.used[k]) * width, width * sizeof(S));
        for (int64_t i = width; i < wide(0); i++) to[i] = 0;
      }
  }
  void hidden() const {
    for (int64_t l = 1; l <= net.hidden; l++) {
      std::vector<S> right = scaled(l - 1, false);
      multiply(z(l - 1), wide(l - 1), 1, right.data(), a(l), orders * knots, wide(l),
          net.widths[l - 1]);
      activate(a(l), z(l), size(l), orders);
    }
  }
  // For row r, power q and each end that counts: use(row of q, its factor, the jet's row).
  template <class F> void hermite_terms(F use) const {
    const double* h = hermite(net.degree);
    for (int64_t r = 0; r < rows; r++)
      for (int64_t q = 0; q <= net.degree; q++)
        for (int64_t end = 0; end <= net.degree; end++) {
          double factor = h[q * (net.degree + 1) + end] * net.gains[net.hidden];
          int64_t knot = (end % orders) * knots + at.left[r] + end / orders;
          if (factor != 0) use(r * (net.degree + 1) + q, factor, knot * wide(net.hidden));
        }
  }
  void interpolate() const {
    std::vector<S> sums(powers() * last, 0.0);
    const S* from = z(net.hidden);
    hermite_terms([&](int64_t row, double factor, int64_t knot) {
      S* sum = sums.data() + row * last;
      for (int64_t i = 0; i < last; i++) sum[i] += factor * from[knot + i];
    });
    T* to = polynomials();
    for (int64_t i = 0; i < powers() * last; i++) to[i] = T(sums[i]);
  }
  // The table, and below it a row of zeros.
  void outputs(T* table) const {
    int64_t width = net.widths[net.hidden + 1], wider = filled<T>(width);
    T* below = table + powers() * width;
    for (int64_t i = 0; i < (net.degree + 1) * width; i++) below[i] = 0;
    if (width == wider)
      return multiply(polynomials(), last, 1, weight(net.hidden), table, powers(), width, last,
          threads);
    std::vector<T> found(powers() * wider);
    std::vector<T> right = padded<T, T>(weight(net.hidden), last, width, 1.0, false);
    multiply(polynomials(), last, 1, right.data(), found.data(), powers(), wider, last, threads);
    for (int64_t i = 0; i < powers(); i++)
      memcpy(table + i * width, found.data() + i * wider, width * sizeof(T));
  }
  // From the cotangent g of the table: the last weights' gradient, and the cotangent of z.
  std::vector<S> backward_outputs(const T* g, T* to_weight) const {
    int64_t width = net.widths[net.hidden + 1], wider = filled<T>(width);
    std::vector<T> whole, product(last * wider);
    if (width != wider) whole = padded<T, T>(g, powers(), width, 1.0, false);
    multiply(polynomials(), 1, last, width == wider ? g : whole.data(), product.data(), last,
        wider, powers(), threads);
    for (int64_t i = 0; i < last; i++)
      memcpy(to_weight + i * width, product.data() + i * wider, width * sizeof(T));
    std::vector<T> right = padded<T, T>(weight(net.hidden), last, width, 1.0, true);
    std::vector<T> to_rows(powers() * filled<T>(last));
    multiply(g, width, 1, right.data(), to_rows.data(), powers(), filled<T>(last), width,
        threads);
    std::vector<S> to_z(orders * size(net.hidden), 0.0);
    hermite_terms([&](int64_t row, double factor, int64_t knot) {
      const T* from = to_rows.data() + row * filled<T>(last);
      for (int64_t i = 0; i < last; i++) to_z[knot + i] += factor * double(from[i]);
    });
    return to_z;
  }
  // found: addresses of the gradients of all weights.
  void backward(const T* g, const int64_t* found) const {
    std::vector<S> to_z = backward_outputs(g, (T*)found[net.hidden]), product;
    for (int64_t l = net.hidden; l > 0; l--) {
      deactivate(a(l), to_z.data(), size(l), orders);
      product.resize(net.widths[l - 1] * wide(l));
      multiply(z(l - 1), 1, wide(l - 1), to_z.data(), product.data(), net.widths[l - 1], wide(l),
          orders * knots);
      T* to = (T*)found[l - 1];
      for (int64_t i = 0; i < net.widths[l - 1]; i++)
        for (int64_t j = 0; j < net.widths[l]; j++)
          to[i * net.widths[l] + j] = T(product[i * wide(l) + j] * net.gains[l - 1]);
      if (l == 1) break;
      std::vector<S> right = scaled(l - 1, true), next(orders * size(l - 1));
      multiply(to_z.data(), wide(l), 1, right.data(), next.data(), orders * knots, wide(l - 1),
          net.widths[l]);
      to_z.swap(next);
    }
  }
};
#define ENTRIES(T) \\
extern "C" void table_##T(int64_t hidden, int64_t degree, const int64_t* widths, \\
    const int64_t* weights, const double* gains, const int64_t* occupied, int64_t rows, S* kept, \\
    int64_t threads, const double* basis, int64_t knots, T* table) { \\
  Layers<T> layers({hidden, degree, widths, weights, gains}, occupied, rows, kept, threads); \\
  layers.gather(basis, knots); \\
  layers.hidden(); \\
  layers.interpolate(); \\
  layers.outputs(table); \\
} \\
extern "C" void gradient_##T(int64_t hidden, int64_t degree, const int64_t* widths, \\
    const int64_t* weights, const double* gains, const int64_t* occupied, int64_t rows, S* kept, \\
    int64_t threads, const T* g, const int64_t* found) { \\
  Layers<T> layers({hidden, degree, widths, weights, gains}, occupied, rows, kept, threads); \\
  layers.backward(g, found); \\
}
ENTRIES(float)
ENTRIES(double)
"""
