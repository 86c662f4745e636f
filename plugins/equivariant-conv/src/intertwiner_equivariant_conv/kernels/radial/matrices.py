"""C++ of small matrix products, whose matrices stay in the cache.

Blocks of `ROWS` rows and two registers of columns are summed in registers, in the order of the
inner index, whatever the number of threads.
"""

from __future__ import annotations

__all__ = ["TEXT"]

TEXT = """
template <class T> struct Register;
template <> struct Register<S> { typedef vec type; typedef loose any; enum { lanes = V }; };
template <> struct Register<float> {
  typedef float type __attribute__((vector_size(V * sizeof(S))));
  typedef type any __attribute__((aligned(sizeof(float)), may_alias));
  enum { lanes = 2 * V };
};
template <class T> static inline int64_t filled(int64_t width) {
  return (width + Register<T>::lanes - 1) / Register<T>::lanes * Register<T>::lanes;
}
// c[m][n] = sum_k a(m, k) b[k][n] with a(m, k) at a[m am + k ak].
template <int ROWS, int REGISTERS, class T>
static void tile(const T* a, int64_t am, int64_t ak, const T* b, int64_t bk, T* c, int64_t cm,
    int64_t depth) {
  typedef typename Register<T>::type reg;
  typedef typename Register<T>::any any;
  enum { W = Register<T>::lanes };
  reg sum[ROWS][REGISTERS] = {};
  for (int64_t k = 0; k < depth; k++, a += ak, b += bk) {
    reg right[REGISTERS];
    for (int j = 0; j < REGISTERS; j++) right[j] = *(const any*)(b + j * W);
    for (int i = 0; i < ROWS; i++)
      for (int j = 0; j < REGISTERS; j++) sum[i][j] += a[i * am] * right[j];
  }
  for (int i = 0; i < ROWS; i++)
    for (int j = 0; j < REGISTERS; j++) *(any*)(c + i * cm + j * W) = sum[i][j];
}
// Rows `begin` to `end`; width: a multiple of the lanes, of b and of c.
template <class T>
static void multiply_rows(const T* a, int64_t am, int64_t ak, const T* b, T* c, int64_t begin,
    int64_t end, int64_t width, int64_t depth) {
  enum { W = Register<T>::lanes };
  for (int64_t n = 0; n < width;) {
    bool two = n + 2 * W <= width;
    int64_t m = begin;
    for (; m + ROWS <= end; m += ROWS) {
      auto run = two ? tile<ROWS, 2, T> : tile<ROWS, 1, T>;
      run(a + m * am, am, ak, b + n, width, c + m * width + n, width, depth);
    }
    for (; m < end; m++) {
      auto run = two ? tile<1, 2, T> : tile<1, 1, T>;
      run(a + m * am, am, ak, b + n, width, c + m * width + n, width, depth);
    }
    n += two ? 2 * W : W;
  }
}
template <class T>
static void multiply(const T* a, int64_t am, int64_t ak, const T* b, T* c, int64_t rows,
    int64_t width, int64_t depth, int64_t threads = 1) {
  if (threads < 2) return multiply_rows(a, am, ak, b, c, 0, rows, width, depth);
#pragma omp parallel num_threads(threads)
  {
    int64_t t = omp_get_thread_num(), all = omp_get_num_threads();
    multiply_rows(a, am, ak, b, c, rows * t / all, rows * (t + 1) / all, width, depth);
  }
}
// b[i][j] or b[j][i] = a[i][j] gain, in whole registers, the rest zero.
template <class T, class U>
static std::vector<U> padded(const T* a, int64_t rows, int64_t columns, double gain,
    bool transposed) {
  int64_t width = filled<U>(transposed ? rows : columns);
  int64_t row = transposed ? 1 : width, column = transposed ? width : 1;
  std::vector<U> b(width * (transposed ? columns : rows), U(0));
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) b[i * row + j * column] = U(a[i * columns + j] * gain);
  return b;
}
"""
