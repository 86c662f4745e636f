"""C++ of silu along a function, and of its derivative.

z = a g,  z' = s' a',  z'' = s'' a'^2 + s' a'',    g = 1/(1 + exp(-a)),  s' = g + a g (1 - g).
"""

from __future__ import annotations

__all__ = ["TEXT"]

TEXT = """
typedef int64_t whole __attribute__((vector_size(V * sizeof(int64_t))));
// exp: 2^n times a series of 14 terms on [-ln2/2, ln2/2]; right to the last bits, NaN stays NaN.
static inline vec exponential(vec x) {
  const double magic = 6755399441055744.0;  // 1.5 * 2^52: added, it rounds to whole numbers
  x = x > 708.0 ? vec{} + 708.0 : x;
  x = x < -708.0 ? vec{} - 708.0 : x;
  vec moved = x * 1.4426950408889634 + magic, n = moved - magic;
  vec r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  vec sum = vec{} + 1.0 / 6227020800.0;
  const double terms[] = {1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880,
      1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0};
  for (double term : terms) sum = sum * r + term;
  return sum * (vec)(((whole)moved + 1023) << 52);
}
struct Silu {
  vec gate, bell, first, second;
  Silu(vec a) {
    gate = 1.0 / (1.0 + exponential(-a));
    vec rest = 1.0 - gate;
    bell = gate * rest;
    first = gate + a * bell;
    second = bell * (2.0 + a * (rest - gate));
  }
};
// size: values of one order of the jet.
static void activate(const S* a, S* z, int64_t size, int64_t orders) {
  for (int64_t i = 0; i < size; i += V) {
    vec value = get(a + i), slope = get(a + size + i);
    Silu s(value);
    put(z + i, value * s.gate);
    put(z + size + i, s.first * slope);
    if (orders < 3) continue;
    put(z + 2 * size + i, s.second * slope * slope + s.first * get(a + 2 * size + i));
  }
}
// The cotangent g of z becomes that of a.
static void deactivate(const S* a, S* g, int64_t size, int64_t orders) {
  for (int64_t i = 0; i < size; i += V) {
    vec value = get(a + i), slope = get(a + size + i), g0 = get(g + i), g1 = get(g + size + i);
    Silu s(value);
    vec to_value = s.first * g0 + s.second * slope * g1, to_slope = s.first * g1;
    if (orders > 2) {
      vec g2 = get(g + 2 * size + i), tilt = 1.0 - 2.0 * s.gate;
      vec third = tilt * s.second + s.bell * (tilt - 2.0 * value * s.bell);
      to_value += (third * slope * slope + s.second * get(a + 2 * size + i)) * g2;
      to_slope += 2.0 * s.second * slope * g2;
      put(g + 2 * size + i, s.first * g2);
    }
    put(g + i, to_value);
    put(g + size + i, to_slope);
  }
}
"""
