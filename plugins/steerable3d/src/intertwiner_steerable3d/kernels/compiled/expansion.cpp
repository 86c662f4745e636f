// The expansion of flat weights to a convolution kernel in one pass over it, and its adjoint.
//
// A block of the table is nine numbers: components of output and input, copies of output and input,
// elements, and where its weights, rows, columns and basis begin. The basis of a block lies as
// [elements, output component, input component * points]; the kernel as [rows, columns * points].
// Every number of the kernel is written once. Sums have a fixed order: the same bits on any number
// of threads.
#include <cstdint>
#include <cstring>

namespace {

constexpr int64_t ENTRIES = 9;

struct Block {
  int64_t out, in, out_copies, in_copies, elements, weights, rows, columns, basis;
};

inline Block block_of(const int64_t* table, int64_t number) {
  Block block;
  std::memcpy(&block, table + ENTRIES * number, sizeof(Block));
  return block;
}

template <typename T>
struct Vector;
template <>
struct Vector<float> {
  typedef float type __attribute__((vector_size(64), aligned(4)));
};
template <>
struct Vector<double> {
  typedef double type __attribute__((vector_size(64), aligned(8)));
};

// out_k[x : x + Q vectors] = sum_b weight_k[b] basis[b][x : ...] for COUNT copies k of the input.
template <typename T, int COUNT, int Q>
inline void combine_at(const T* weight, const T* basis, int64_t elements, int64_t pitch,
                       int64_t length, int64_t x, T* out) {
  using V = typename Vector<T>::type;
  constexpr int64_t LANES = sizeof(V) / sizeof(T);
  V sum[COUNT][Q] = {};
  for (int64_t b = 0; b < elements; ++b) {
    const T* row = basis + b * pitch + x;
    V part[Q];
    for (int q = 0; q < Q; ++q) part[q] = *reinterpret_cast<const V*>(row + q * LANES);
    for (int k = 0; k < COUNT; ++k)
      for (int q = 0; q < Q; ++q) sum[k][q] += weight[k * elements + b] * part[q];
  }
  for (int k = 0; k < COUNT; ++k)
    for (int q = 0; q < Q; ++q)
      *reinterpret_cast<V*>(out + k * length + x + q * LANES) = sum[k][q];
}

// All of 0 : length; what is left over is done by a last vector that overlaps the one before.
template <typename T, int COUNT>
void combine(const T* weight, const T* basis, int64_t elements, int64_t pitch, int64_t length,
             T* out) {
  constexpr int64_t LANES = sizeof(typename Vector<T>::type) / sizeof(T);
  int64_t x = 0;
  for (; x + 4 * LANES <= length; x += 4 * LANES)
    combine_at<T, COUNT, 4>(weight, basis, elements, pitch, length, x, out);
  for (; x + LANES <= length; x += LANES)
    combine_at<T, COUNT, 1>(weight, basis, elements, pitch, length, x, out);
  if (x < length && length >= LANES) {
    combine_at<T, COUNT, 1>(weight, basis, elements, pitch, length, length - LANES, out);
    return;
  }
  for (; x < length; ++x)
    for (int k = 0; k < COUNT; ++k) {
      T sum = 0;
      for (int64_t b = 0; b < elements; ++b) sum += weight[k * elements + b] * basis[b * pitch + x];
      out[k * length + x] = sum;
    }
}

// sum[b] += <grad[0 : length], basis[b][0 : length]> for COUNT elements b.
template <typename T, int COUNT>
void project(const T* grad, const T* basis, int64_t pitch, int64_t length, T* sums) {
  using V = typename Vector<T>::type;
  constexpr int64_t LANES = sizeof(V) / sizeof(T);
  V sum[COUNT][2] = {};
  int64_t x = 0;
  for (; x + 2 * LANES <= length; x += 2 * LANES) {
    const V g0 = *reinterpret_cast<const V*>(grad + x);
    const V g1 = *reinterpret_cast<const V*>(grad + x + LANES);
    for (int k = 0; k < COUNT; ++k) {
      sum[k][0] += g0 * *reinterpret_cast<const V*>(basis + k * pitch + x);
      sum[k][1] += g1 * *reinterpret_cast<const V*>(basis + k * pitch + x + LANES);
    }
  }
  for (; x + LANES <= length; x += LANES) {
    const V g = *reinterpret_cast<const V*>(grad + x);
    for (int k = 0; k < COUNT; ++k)
      sum[k][0] += g * *reinterpret_cast<const V*>(basis + k * pitch + x);
  }
  if (x < length && length >= LANES) {  // lanes that were counted before are set to zero
    V g = *reinterpret_cast<const V*>(grad + length - LANES);
    for (int64_t lane = 0; lane < LANES - (length - x); ++lane) g[lane] = 0;
    for (int k = 0; k < COUNT; ++k)
      sum[k][1] += g * *reinterpret_cast<const V*>(basis + k * pitch + length - LANES);
    x = length;
  }
  for (int k = 0; k < COUNT; ++k) {
    const V both = sum[k][0] + sum[k][1];
    T total = 0;
    for (int64_t lane = 0; lane < LANES; ++lane) total += both[lane];
    for (int64_t rest = x; rest < length; ++rest) total += grad[rest] * basis[k * pitch + rest];
    sums[k] += total;
  }
}

template <typename T>
void expand(const T* weight, const T* elements, const int64_t* table, int64_t blocks,
            int64_t columns, int64_t points, T* kernel, int64_t threads) {
  for (int64_t number = 0; number < blocks; ++number) {
    const Block a = block_of(table, number);
    const int64_t length = a.in * points, pitch = a.out * length;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (int64_t row = 0; row < a.out_copies * a.out; ++row) {
      const int64_t copy = row / a.out;
      const T* basis = elements + a.basis + (row % a.out) * length;
      const T* w = weight + a.weights + copy * a.in_copies * a.elements;
      T* out = kernel + ((a.rows + row) * columns + a.columns) * points;
      int64_t v = 0;
      for (; v + 4 <= a.in_copies; v += 4)
        combine<T, 4>(w + v * a.elements, basis, a.elements, pitch, length, out + v * length);
      for (; v < a.in_copies; ++v)
        combine<T, 1>(w + v * a.elements, basis, a.elements, pitch, length, out + v * length);
    }
  }
}

template <typename T>
void reduce(const T* kernel, const T* elements, const int64_t* table, int64_t blocks,
            int64_t columns, int64_t points, T* weight, int64_t threads) {
  for (int64_t number = 0; number < blocks; ++number) {
    const Block a = block_of(table, number);
    const int64_t length = a.in * points, pitch = a.out * length;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (int64_t pair = 0; pair < a.out_copies * a.in_copies; ++pair) {
      const int64_t u = pair / a.in_copies, v = pair % a.in_copies;
      T* w = weight + a.weights + pair * a.elements;
      for (int64_t b = 0; b < a.elements; ++b) w[b] = 0;
      for (int64_t i = 0; i < a.out; ++i) {
        const T* grad =
            kernel + ((a.rows + u * a.out + i) * columns + a.columns) * points + v * length;
        const T* basis = elements + a.basis + i * length;
        int64_t b = 0;
        for (; b + 4 <= a.elements; b += 4)
          project<T, 4>(grad, basis + b * pitch, pitch, length, w + b);
        for (; b + 2 <= a.elements; b += 2)
          project<T, 2>(grad, basis + b * pitch, pitch, length, w + b);
        if (b < a.elements) project<T, 1>(grad, basis + b * pitch, pitch, length, w + b);
      }
    }
  }
}

}  // namespace

extern "C" {
#define BOTH(NAME, TYPE)                                                                          \
  void expand_##NAME(const TYPE* weight, const TYPE* elements, const int64_t* table,              \
                     int64_t blocks, int64_t columns, int64_t points, TYPE* kernel,               \
                     int64_t threads) {                                                           \
    expand<TYPE>(weight, elements, table, blocks, columns, points, kernel, threads);              \
  }                                                                                               \
  void reduce_##NAME(const TYPE* kernel, const TYPE* elements, const int64_t* table,              \
                     int64_t blocks, int64_t columns, int64_t points, TYPE* weight,               \
                     int64_t threads) {                                                           \
    reduce<TYPE>(kernel, elements, table, blocks, columns, points, weight, threads);              \
  }
BOTH(float32, float)
BOTH(float64, double)
}
