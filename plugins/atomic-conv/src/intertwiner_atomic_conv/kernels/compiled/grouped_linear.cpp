// Slices of rows times matrices of their own, and the two derivatives. Rows are taken eight at a
// time, columns sixteen: eight sums stay in registers while a matrix streams past.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

constexpr int64_t ROWS = 8, WIDTH = 16;

template <class T>
struct Vector;
template <>
struct Vector<float> {
    typedef float type __attribute__((vector_size(64)));
};
template <>
struct Vector<double> {
    typedef double type __attribute__((vector_size(128)));
};

// to[i] += sum_k from[i][k * stride] * matrix[k], columns tile .. tile + count - 1 of `outer`
template <class T, bool Full>
inline void multiply_tile(const T* const* from, int64_t stride, const T* matrix, int64_t inner,
                          int64_t outer, int64_t count, T* const* to, int64_t used) {
    using V = typename Vector<T>::type;
    const T *f0 = from[0], *f1 = from[1], *f2 = from[2], *f3 = from[3];
    const T *f4 = from[4], *f5 = from[5], *f6 = from[6], *f7 = from[7];
    V s0{}, s1{}, s2{}, s3{}, s4{}, s5{}, s6{}, s7{};
    for (int64_t k = 0; k < inner; ++k) {
        V m{};
        std::memcpy(&m, matrix + k * outer, Full ? sizeof(V) : count * sizeof(T));
        const int64_t at = k * stride;
        s0 += f0[at] * m, s1 += f1[at] * m, s2 += f2[at] * m, s3 += f3[at] * m;
        s4 += f4[at] * m, s5 += f5[at] * m, s6 += f6[at] * m, s7 += f7[at] * m;
    }
    const V sums[ROWS] = {s0, s1, s2, s3, s4, s5, s6, s7};
    T flat[ROWS][WIDTH];
    std::memcpy(flat, sums, sizeof(flat));
    const int64_t width = Full ? WIDTH : count;
    for (int64_t i = 0; i < used; ++i)
        for (int64_t j = 0; j < width; ++j) to[i][j] += flat[i][j];
}

template <class T>
inline void multiply(const T* const* from, int64_t stride, const T* matrix, int64_t inner,
                     int64_t outer, T* const* to, int64_t used) {
    for (int64_t tile = 0; tile < outer; tile += WIDTH) {
        T* shifted[ROWS];
        for (int64_t i = 0; i < ROWS; ++i) shifted[i] = to[i] + tile;
        const int64_t count = outer - tile;
        if (count >= WIDTH)
            multiply_tile<T, true>(from, stride, matrix + tile, inner, outer, WIDTH, shifted, used);
        else
            multiply_tile<T, false>(from, stride, matrix + tile, inner, outer, count, shifted, used);
    }
}

template <class T>
void forward(const T* x, const T* weight, const int64_t* slices, const int64_t* place,
             const T* bias, T* out, int64_t count, int64_t inputs, int64_t outputs) {
    for (int64_t s = 0; s < count; ++s) {
        const T* matrix = weight + slices[3 * s] * inputs * outputs;
        const int64_t stop = slices[3 * s + 2];
        for (int64_t r = slices[3 * s + 1]; bias && r < stop; ++r) {
            T* row = out + (place ? place[r] : r) * outputs;
            for (int64_t j = 0; j < outputs; ++j) row[j] += bias[slices[3 * s] * outputs + j];
        }
        for (int64_t r = slices[3 * s + 1]; r < stop; r += ROWS) {
            const T* from[ROWS];
            T* to[ROWS];
            for (int64_t i = 0; i < ROWS; ++i) {
                const int64_t row = std::min(r + i, stop - 1);
                from[i] = x + row * inputs;
                to[i] = out + (place ? place[row] : row) * outputs;
            }
            multiply(from, 1, matrix, inputs, outputs, to, std::min(ROWS, stop - r));
        }
    }
}

template <class T>
void by_rows(const T* grad, const T* weight, const int64_t* slices, const int64_t* place, T* by_x,
             int64_t count, int64_t inputs, int64_t outputs) {
    std::vector<T> turned(inputs * outputs);
    for (int64_t s = 0; s < count; ++s) {
        const T* matrix = weight + slices[3 * s] * inputs * outputs;
        for (int64_t k = 0; k < inputs; ++k)
            for (int64_t j = 0; j < outputs; ++j) turned[j * inputs + k] = matrix[k * outputs + j];
        const int64_t stop = slices[3 * s + 2];
        for (int64_t r = slices[3 * s + 1]; r < stop; r += ROWS) {
            const T* from[ROWS];
            T* to[ROWS];
            for (int64_t i = 0; i < ROWS; ++i) {
                const int64_t row = std::min(r + i, stop - 1);
                from[i] = grad + (place ? place[row] : row) * outputs;
                to[i] = by_x + row * inputs;
            }
            multiply(from, 1, turned.data(), outputs, inputs, to, std::min(ROWS, stop - r));
        }
    }
}

template <class T>
void by_weights(const T* grad, const T* x, const int64_t* slices, const int64_t* place,
                T* by_weight, int64_t count, int64_t inputs, int64_t outputs) {
    std::vector<T> gathered;
    for (int64_t s = 0; s < count; ++s) {
        const int64_t first = slices[3 * s + 1], stop = slices[3 * s + 2], rows = stop - first;
        const T* matrix = grad + first * outputs;
        if (place) {
            gathered.resize(rows * outputs);
            for (int64_t r = 0; r < rows; ++r)
                std::memcpy(gathered.data() + r * outputs, grad + place[first + r] * outputs,
                            outputs * sizeof(T));
            matrix = gathered.data();
        }
        T* target = by_weight + slices[3 * s] * inputs * outputs;
        for (int64_t k = 0; k < inputs; k += ROWS) {
            const T* from[ROWS];
            T* to[ROWS];
            for (int64_t i = 0; i < ROWS; ++i) {
                const int64_t column = std::min(k + i, inputs - 1);
                from[i] = x + first * inputs + column;
                to[i] = target + column * outputs;
            }
            multiply(from, inputs, matrix, rows, outputs, to, std::min(ROWS, inputs - k));
        }
    }
}

template <class T>
void by_bias(const T* grad, const int64_t* slices, const int64_t* place, T* by, int64_t count,
             int64_t outputs) {
    for (int64_t s = 0; s < count; ++s)
        for (int64_t r = slices[3 * s + 1]; r < slices[3 * s + 2]; ++r) {
            const T* row = grad + (place ? place[r] : r) * outputs;
            for (int64_t j = 0; j < outputs; ++j) by[slices[3 * s] * outputs + j] += row[j];
        }
}

}  // namespace

#define OPERATIONS(T, NAME)                                                                        \
    extern "C" void forward_##NAME(const T* x, const T* weight, const int64_t* slices,             \
                                   const int64_t* place, const T* bias, T* out, int64_t count,     \
                                   int64_t inputs, int64_t outputs) {                              \
        forward<T>(x, weight, slices, place, bias, out, count, inputs, outputs);                   \
    }                                                                                              \
    extern "C" void by_bias_##NAME(const T* grad, const int64_t* slices, const int64_t* place,     \
                                   T* by, int64_t count, int64_t outputs) {                        \
        by_bias<T>(grad, slices, place, by, count, outputs);                                       \
    }                                                                                              \
    extern "C" void by_rows_##NAME(const T* grad, const T* weight, const int64_t* slices,          \
                                   const int64_t* place, T* by_x, int64_t count, int64_t inputs,   \
                                   int64_t outputs) {                                              \
        by_rows<T>(grad, weight, slices, place, by_x, count, inputs, outputs);                     \
    }                                                                                              \
    extern "C" void by_weights_##NAME(const T* grad, const T* x, const int64_t* slices,            \
                                      const int64_t* place, T* by_weight, int64_t count,           \
                                      int64_t inputs, int64_t outputs) {                           \
        by_weights<T>(grad, x, slices, place, by_weight, count, inputs, outputs);                  \
    }

OPERATIONS(float, float32)
OPERATIONS(double, float64)
