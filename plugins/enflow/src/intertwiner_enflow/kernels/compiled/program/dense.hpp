// Products with weight matrices. Arrays are [row][column]: rows are features, columns are pairs or
// particles (with a derivative: two columns, value and derivative). Every entry is a vector.
#pragma once
#include "vector.hpp"

constexpr int ROWS = 8, COLUMNS = 3;

// [out][in] with a row stride, as blocks of ROWS rows: [out / ROWS][in][ROWS].
static inline void pack(const R* w, int stride, int out, int in, bool transposed, R* to) {
  for (int block = 0; block < out / ROWS; ++block)
    for (int k = 0; k < in; ++k)
      for (int row = 0; row < ROWS; ++row) {
        int o = block * ROWS + row;
        *to++ = transposed ? w[(int64_t)k * stride + o] : w[(int64_t)o * stride + k];
      }
}

template <int C, bool ADD>
static inline void product_tile(const R* w, int in, const V* x, int64_t xs, V* y, int64_t ys,
                                const V* start) {
  V sum[ROWS][C];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) sum[r][c] = ADD ? y[r * ys + c] : start[r * C + c];
  for (int k = 0; k < in; ++k) {
    V column[C];
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) column[c] = x[k * xs + c];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; ++r) {
      R weight = w[k * ROWS + r];
#pragma GCC unroll 8
      for (int c = 0; c < C; ++c) sum[r][c] += column[c] * weight;
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) y[r * ys + c] = sum[r][c];
}

template <int C, bool ADD, int PARTS>
static inline void product_columns(const R* w, const R* bias, int out, int in, const V* x,
                                   int64_t xs, V* y, int64_t ys, int64_t first) {
  for (int block = 0; block < out / ROWS; ++block) {
    V start[ROWS * C];
    if (!ADD)
      for (int r = 0; r < ROWS; ++r)
        for (int c = 0; c < C; ++c) {
          bool value = bias && (first + c) % PARTS == 0;
          start[r * C + c] = splat(value ? bias[block * ROWS + r] : R(0));
        }
    product_tile<C, ADD>(w + (int64_t)block * in * ROWS, in, x + first, xs,
                         y + block * ROWS * ys + first, ys, start);
  }
}

// y = W x + bias, or y += W x; bias is added to values, not to derivatives.
template <bool ADD = false, int PARTS = 1>
static void product(const R* w, const R* bias, int out, int in, const V* x, int64_t xs, V* y,
                    int64_t ys, int64_t columns) {
  int64_t c = 0;
  for (; c + COLUMNS <= columns; c += COLUMNS)
    product_columns<COLUMNS, ADD, PARTS>(w, bias, out, in, x, xs, y, ys, c);
  if (columns - c == 2) product_columns<2, ADD, PARTS>(w, bias, out, in, x, xs, y, ys, c);
  if (columns - c == 1) product_columns<1, ADD, PARTS>(w, bias, out, in, x, xs, y, ys, c);
}

// sums[o][k] += sum over columns of g[o] a[k]; with derivatives, the derivative of that.
template <class S>
static void outer(const S* g, const S* a, int out, int in, int64_t columns, V* sums, int stride) {
  constexpr int T = 4;
  for (int o = 0; o < out; o += T)
    for (int k = 0; k < in; k += T) {
      V sum[T][T];
#pragma GCC unroll 4
      for (int r = 0; r < T; ++r)
#pragma GCC unroll 4
        for (int s = 0; s < T; ++s) sum[r][s] = sums[(int64_t)(o + r) * stride + k + s];
      for (int64_t c = 0; c < columns; ++c) {
        if constexpr (S::PARTS == 1) {
          V left[T], right[T];
#pragma GCC unroll 4
          for (int r = 0; r < T; ++r) left[r] = g[(o + r) * columns + c].v;
#pragma GCC unroll 4
          for (int s = 0; s < T; ++s) right[s] = a[(k + s) * columns + c].v;
#pragma GCC unroll 4
          for (int r = 0; r < T; ++r)
#pragma GCC unroll 4
            for (int s = 0; s < T; ++s) sum[r][s] += left[r] * right[s];
        } else {
#pragma GCC unroll 2
          for (int part = 0; part < 2; ++part) {
            V left[T], right[T];
#pragma GCC unroll 4
            for (int r = 0; r < T; ++r) {
              S at = g[(o + r) * columns + c];
              left[r] = part ? at.d : at.v;
            }
#pragma GCC unroll 4
            for (int s = 0; s < T; ++s) {
              S at = a[(k + s) * columns + c];
              right[s] = part ? at.v : at.d;
            }
#pragma GCC unroll 4
            for (int r = 0; r < T; ++r)
#pragma GCC unroll 4
              for (int s = 0; s < T; ++s) sum[r][s] += left[r] * right[s];
          }
        }
      }
#pragma GCC unroll 4
      for (int r = 0; r < T; ++r)
#pragma GCC unroll 4
        for (int s = 0; s < T; ++s) sums[(int64_t)(o + r) * stride + k + s] = sum[r][s];
    }
}
