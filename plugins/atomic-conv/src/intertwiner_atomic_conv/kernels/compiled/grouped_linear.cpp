// Slices of rows times matrices of their own, and the two derivatives. Rows are taken eight at a
// time, columns sixteen: eight sums stay in registers while a matrix streams past.
//
// A layer does the same to relu(x + shift) * kept * factor, which is made anew for each derivative. Row r has
// row r % period of kept. What is not a number stays so.

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

// to[i] += sum_k from[i][k * stride] * matrix[k * lead], `count` columns of a tile
template <class T, bool Padded>
inline void multiply_tile(const T* const* from, int64_t stride, const T* matrix, int64_t inner,
                          int64_t lead, int64_t count, T* const* to, int64_t used) {
    using V = typename Vector<T>::type;
    const T *f0 = from[0], *f1 = from[1], *f2 = from[2], *f3 = from[3];
    const T *f4 = from[4], *f5 = from[5], *f6 = from[6], *f7 = from[7];
    V s0{}, s1{}, s2{}, s3{}, s4{}, s5{}, s6{}, s7{};
    for (int64_t k = 0; k < inner; ++k) {
        V m{};
        std::memcpy(&m, matrix + k * lead, Padded ? sizeof(V) : count * sizeof(T));
        const int64_t at = k * stride;
        s0 += f0[at] * m, s1 += f1[at] * m, s2 += f2[at] * m, s3 += f3[at] * m;
        s4 += f4[at] * m, s5 += f5[at] * m, s6 += f6[at] * m, s7 += f7[at] * m;
    }
    const V sums[ROWS] = {s0, s1, s2, s3, s4, s5, s6, s7};
    T flat[ROWS][WIDTH];
    std::memcpy(flat, sums, sizeof(flat));
    if (count == WIDTH) {
        for (int64_t i = 0; i < used; ++i)
            for (int64_t j = 0; j < WIDTH; ++j) to[i][j] += flat[i][j];
        return;
    }
    for (int64_t i = 0; i < used; ++i)
        for (int64_t j = 0; j < count; ++j) to[i][j] += flat[i][j];
}

inline int64_t padded(int64_t columns) { return (columns + WIDTH - 1) / WIDTH * WIDTH; }

// `outer` columns; rows of the matrix lie `lead` apart, filled up with zeros if it is padded.
template <class T>
inline void multiply(const T* const* from, int64_t stride, const T* matrix, int64_t inner,
                     int64_t outer, int64_t lead, T* const* to, int64_t used) {
    for (int64_t tile = 0; tile < outer; tile += WIDTH) {
        T* shifted[ROWS];
        for (int64_t i = 0; i < ROWS; ++i) shifted[i] = to[i] + tile;
        const int64_t count = std::min(WIDTH, outer - tile);
        if (tile + WIDTH <= lead)
            multiply_tile<T, true>(from, stride, matrix + tile, inner, lead, count, shifted, used);
        else
            multiply_tile<T, false>(from, stride, matrix + tile, inner, lead, count, shifted, used);
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
            multiply(from, 1, matrix, inputs, outputs, outputs, to, std::min(ROWS, stop - r));
        }
    }
}

template <class T>
void by_rows(const T* grad, const T* weight, const int64_t* slices, const int64_t* place, T* by_x,
             int64_t count, int64_t inputs, int64_t outputs) {
    const int64_t lead = padded(inputs);
    std::vector<T> turned(outputs * lead, T(0));
    for (int64_t s = 0; s < count; ++s) {
        const T* matrix = weight + slices[3 * s] * inputs * outputs;
        for (int64_t k = 0; k < inputs; ++k)
            for (int64_t j = 0; j < outputs; ++j) turned[j * lead + k] = matrix[k * outputs + j];
        const int64_t stop = slices[3 * s + 2];
        for (int64_t r = slices[3 * s + 1]; r < stop; r += ROWS) {
            const T* from[ROWS];
            T* to[ROWS];
            for (int64_t i = 0; i < ROWS; ++i) {
                const int64_t row = std::min(r + i, stop - 1);
                from[i] = grad + (place ? place[row] : row) * outputs;
                to[i] = by_x + row * inputs;
            }
            multiply(from, 1, turned.data(), outputs, inputs, lead, to, std::min(ROWS, stop - r));
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
            multiply(from, inputs, matrix, rows, outputs, outputs, to, std::min(ROWS, inputs - k));
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

template <class T>
struct Hidden {  // x [rows, inputs], shift [groups, inputs], kept [period, inputs] of 0 and 1, or null
    const T *x, *shift;
    const uint8_t* kept;
    int64_t period;
    T factor;
};

template <class T>
std::vector<T> activated(Hidden<T> h, const int64_t* slices, int64_t count, int64_t inputs) {
    std::vector<T> out(count ? slices[3 * count - 1] * inputs : 0);
    for (int64_t s = 0; s < count; ++s) {
        const T* shift = h.shift + slices[3 * s] * inputs;
        for (int64_t r = slices[3 * s + 1]; r < slices[3 * s + 2]; ++r) {
            const T* x = h.x + r * inputs;
            T* to = out.data() + r * inputs;
            for (int64_t k = 0; k < inputs; ++k) {
                const T sum = x[k] + shift[k];
                to[k] = sum <= T(0) ? T(0) : sum;
            }
            if (!h.kept) continue;
            const uint8_t* kept = h.kept + r % h.period * inputs;
            for (int64_t k = 0; k < inputs; ++k) to[k] *= kept[k] * h.factor;
        }
    }
    return out;
}

// by_x *= derivative of the activation; by_shift += its rows
template <class T>
void gate(Hidden<T> h, const int64_t* slices, T* by_x, T* by_shift, int64_t count,
          int64_t inputs) {
    for (int64_t s = 0; s < count; ++s) {
        const T* shift = h.shift + slices[3 * s] * inputs;
        T* sum = by_shift + slices[3 * s] * inputs;
        for (int64_t r = slices[3 * s + 1]; r < slices[3 * s + 2]; ++r) {
            const T* x = h.x + r * inputs;
            T* by = by_x + r * inputs;
            for (int64_t k = 0; k < inputs; ++k) by[k] = x[k] + shift[k] <= T(0) ? T(0) : by[k];
            const uint8_t* kept = h.kept ? h.kept + r % h.period * inputs : nullptr;
            for (int64_t k = 0; kept && k < inputs; ++k) by[k] *= kept[k] * h.factor;
            for (int64_t k = 0; k < inputs; ++k) sum[k] += by[k];
        }
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
    }                                                                                              \
    extern "C" void layer_forward_##NAME(                                                          \
        const T* x, const T* shift, const uint8_t* kept, const T* weight, const int64_t* slices,   \
        const T* bias, T* out, double factor, int64_t period, int64_t count, int64_t inputs,       \
        int64_t outputs) {                                                                         \
        const Hidden<T> hidden{x, shift, kept, period, T(factor)};                                 \
        const auto rows = activated(hidden, slices, count, inputs);                                \
        forward<T>(rows.data(), weight, slices, nullptr, bias, out, count, inputs, outputs);       \
    }                                                                                              \
    extern "C" void layer_by_rows_##NAME(                                                          \
        const T* grad, const T* x, const T* shift, const uint8_t* kept, const T* weight,           \
        const int64_t* slices, T* by_x, T* by_shift, double factor, int64_t period, int64_t count, \
        int64_t inputs, int64_t outputs) {                                                         \
        const Hidden<T> hidden{x, shift, kept, period, T(factor)};                                 \
        by_rows<T>(grad, weight, slices, nullptr, by_x, count, inputs, outputs);                   \
        gate(hidden, slices, by_x, by_shift, count, inputs);                                       \
    }                                                                                              \
    extern "C" void layer_by_weights_##NAME(                                                       \
        const T* grad, const T* x, const T* shift, const uint8_t* kept, const int64_t* slices,     \
        T* by_weight, double factor, int64_t period, int64_t count, int64_t inputs,                \
        int64_t outputs) {                                                                         \
        const Hidden<T> hidden{x, shift, kept, period, T(factor)};                                 \
        const auto rows = activated(hidden, slices, count, inputs);                                \
        by_weights<T>(grad, rows.data(), slices, nullptr, by_weight, count, inputs, outputs);      \
    }

OPERATIONS(float, float32)
OPERATIONS(double, float64)
