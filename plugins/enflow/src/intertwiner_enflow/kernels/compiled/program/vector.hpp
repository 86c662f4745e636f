// Numbers: vectors with one sample in each lane, alone (One) or with a derivative (Two).
//
// Set from outside: REAL (float or double), BYTES of a vector, DIMENSION, FEATURES, ATTENTION,
// BOUNDED, INITIAL. Code written for either kind of number gives values with One, and with Two
// values and derivatives along one direction, of the forward pass and of its gradient alike.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

typedef REAL R;
typedef R V __attribute__((vector_size(BYTES)));
constexpr int LANES = BYTES / sizeof(R);
constexpr int D = DIMENSION, F = FEATURES;

template <int SIZE> struct Whole;
template <> struct Whole<4> { typedef int32_t T; static constexpr int BITS = 23, BIAS = 127; };
template <> struct Whole<8> { typedef int64_t T; static constexpr int BITS = 52, BIAS = 1023; };
typedef Whole<sizeof(R)> Layout;
typedef Layout::T N_;
typedef N_ NV __attribute__((vector_size(BYTES)));

static inline V splat(R value) { return V{} + value; }
static inline V lower(V a, V b) { return a < b ? a : b; }
static inline V upper(V a, V b) { return a > b ? a : b; }

static inline V root(V a) {
  V found;
  for (int lane = 0; lane < LANES; ++lane) found[lane] = std::sqrt(a[lane]);
  return found;
}

// exp(a) = 2^n exp(r), |r| <= ln 2 / 2, with the Taylor series of exp(r); n by adding a number so
// large that the sum's last bit has the value one.
static inline V exponential(V a) {
  constexpr bool wide = sizeof(R) == 8;
  constexpr R magic = wide ? R(6755399441055744.0) : R(12582912.0);
  constexpr R high = wide ? R(0.693147180369123816490) : R(0.693359375);
  constexpr R low = wide ? R(1.90821492927058770002e-10) : R(-2.12194440054690583e-4);
  constexpr int terms = wide ? 13 : 7;
  constexpr R most = wide ? 708 : 87;
  a = lower(upper(a, splat(-most)), splat(most));
  V shifted = a * R(1.44269504088896340736) + magic;
  V n = shifted - magic;
  V r = (a - n * high) - n * low;
  constexpr R inverse[14] = {1.0, 1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720,
                             1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800,
                             1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0};
  V sum = splat(inverse[terms]);
#pragma GCC unroll 16
  for (int k = terms - 1; k >= 0; --k) sum = sum * r + inverse[k];
  V magic_vector = splat(magic);
  NV power = (NV)shifted - (NV)magic_vector;
  return sum * (V)((power + Layout::BIAS) << Layout::BITS);
}

static inline V logistic(V a) { return R(1) / (R(1) + exponential(-a)); }

// By the continued fraction x / (1 + x^2 / (3 + x^2 / (5 + ...))) near zero, where the other form
// would lose digits.
static inline V hyperbolic(V a) {
  constexpr int levels = sizeof(R) == 8 ? 19 : 9;
  V square = a * a, t = splat(levels);
#pragma GCC unroll 16
  for (int odd = levels - 2; odd >= 1; odd -= 2) t = R(odd) + square / t;
  V far = R(1) - R(2) / (exponential(R(2) * a) + R(1));
  return square < R(0.36) ? a / t : far;
}

struct One {
  V v;
  static constexpr int PARTS = 1;
};
struct Two {
  V v, d;
  static constexpr int PARTS = 2;
};

static inline One operator+(One a, One b) { return {a.v + b.v}; }
static inline One operator-(One a, One b) { return {a.v - b.v}; }
static inline One operator*(One a, One b) { return {a.v * b.v}; }
static inline One operator*(One a, R b) { return {a.v * b}; }
static inline One operator*(One a, V b) { return {a.v * b}; }
static inline One operator+(One a, R b) { return {a.v + b}; }
static inline Two operator+(Two a, Two b) { return {a.v + b.v, a.d + b.d}; }
static inline Two operator-(Two a, Two b) { return {a.v - b.v, a.d - b.d}; }
static inline Two operator*(Two a, Two b) { return {a.v * b.v, a.v * b.d + a.d * b.v}; }
static inline Two operator*(Two a, R b) { return {a.v * b, a.d * b}; }
static inline Two operator*(Two a, V b) { return {a.v * b, a.d * b}; }
static inline Two operator+(Two a, R b) { return {a.v + b, a.d}; }
template <class S> static inline void operator+=(S& a, S b) { a = a + b; }
template <class S> static inline S negative(S a) { return a * R(-1); }

static inline One reciprocal(One a) { return {R(1) / a.v}; }
static inline Two reciprocal(Two a) {
  V r = R(1) / a.v;
  return {r, -r * r * a.d};
}
static inline One root(One a) { return {root(a.v)}; }
static inline Two root(Two a) {
  V r = root(a.v);
  return {r, R(0.5) * a.d / r};
}
static inline One logistic(One a) { return {logistic(a.v)}; }
static inline Two logistic(Two a) {
  V s = logistic(a.v);
  return {s, s * (R(1) - s) * a.d};
}
static inline One hyperbolic(One a) { return {hyperbolic(a.v)}; }
static inline Two hyperbolic(Two a) {
  V t = hyperbolic(a.v);
  return {t, (R(1) - t * t) * a.d};
}
static inline One silu(One z) { return {z.v * logistic(z.v)}; }
static inline Two silu(Two z) {
  V s = logistic(z.v), a = z.v * s;
  return {a, (s + a * (R(1) - s)) * z.d};
}
template <class S> static inline S silu(S z, S& slope) {
  S s = logistic(z), a = z * s;
  slope = s + a * (negative(s) + R(1));
  return a;
}

// What a gradient by a weight gathers: the value with One; with Two the derivative of the product.
static inline V gathered(One a, One b) { return a.v * b.v; }
static inline V gathered(Two a, Two b) { return a.v * b.d + a.d * b.v; }
static inline V gathered(One a) { return a.v; }
static inline V gathered(Two a) { return a.d; }

template <int SIZE> static inline R lane_sum(const R* at) {
  if constexpr (SIZE == 2) {
    return at[0] + at[1];
  } else {
    typedef R H __attribute__((vector_size(SIZE / 2 * sizeof(R)), aligned(sizeof(R)), may_alias));
    H half = *(const H*)at + *(const H*)(at + SIZE / 2);
    alignas(64) R rest[SIZE / 2];
    std::memcpy(rest, &half, sizeof(rest));
    return lane_sum<SIZE / 2>(rest);
  }
}
static inline R lane_sum(V a) { return lane_sum<LANES>((const R*)&a); }

// Memory of one call: handed out in order, freed together.
struct Arena {
  void* blocks[256];
  int count = 0;
  template <class S> S* take(int64_t n) {
    void* block = std::aligned_alloc(64, ((n * sizeof(S) + 63) / 64) * 64 + 64);
    if (!block || count == 256) std::abort();
    blocks[count++] = block;
    return (S*)block;
  }
  template <class S> S* zeros(int64_t n) {
    S* found = take<S>(n);
    std::memset((void*)found, 0, n * sizeof(S));
    return found;
  }
  ~Arena() {
    while (count) std::free(blocks[--count]);
  }
};
