// Radial filters summed over blocks of edges, and the derivative. With u = r - rho,
// c = (1 + cos(pi r / R)) / 2 and g = exp(-s u^2):
//
//     df/dr   = -g (2 s u c + (pi / 2R) sin(pi r / R))
//     df/drho = 2 s u g c      df/ds = -u^2 g c      df/dR = g (pi r / 2R^2) sin(pi r / R)
//
// Half the angle, t = pi r / 2R in [0, pi/2], gives c = cos^2 t and sin 2t = 2 sin t cos t.
// No (edges x filters) array exists at any time.
//
// Filters are padded to a multiple of WIDTH with ones that end at once and contribute nothing.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "trigonometry.h"

namespace {

constexpr int64_t WIDTH = 16;
constexpr int64_t CHUNK = 64;  // blocks whose gradients are summed in working precision
constexpr double HALF_PI = 1.5707963267948966, LOG2_E = 1.4426950408889634;

inline float two_to(float y) {  // y <= 0; relative error 1e-7
    y = y < -126.0f ? -126.0f : y;
    const float shifted = y + 12582912.0f;
    const float f = y - (shifted - 12582912.0f);
    float p = 1.5403530e-4f;
    p = p * f + 1.3333558e-3f;
    p = p * f + 9.6181291e-3f;
    p = p * f + 5.5504109e-2f;
    p = p * f + 2.4022651e-1f;
    p = p * f + 6.9314718e-1f;
    p = p * f + 1.0f;
    int32_t bits;
    std::memcpy(&bits, &shifted, 4);
    bits = static_cast<int32_t>(static_cast<uint32_t>(bits) << 23) + 0x3f800000;
    float scale;
    std::memcpy(&scale, &bits, 4);
    return p * scale;
}

inline double two_to(double y) { return std::exp2(y); }

template <class T>
struct Filters {  // rate = pi / 2R, centre, decay = s log2(e), last = the tile's largest R
    int64_t padded;
    std::vector<T> rate, centre, decay, last;

    Filters(const T* R, const T* rho, const T* s, int64_t filters)
        : padded((filters + WIDTH - 1) / WIDTH * WIDTH),
          rate(padded, T(1e6)),
          centre(padded, T(0)),
          decay(padded, T(0)),
          last(padded / WIDTH, T(0)) {
        for (int64_t k = 0; k < filters; ++k) {
            rate[k] = T(HALF_PI) / R[k];
            centre[k] = rho[k];
            decay[k] = s[k] * T(LOG2_E);
            T& end = last[k / WIDTH];
            if (!(R[k] <= end) && end == end) end = R[k];  // what is not a number stays
        }
    }
};

template <class T>
void forward(const T* r, const int64_t* pointer, const Filters<T>& k, T* out, int64_t blocks,
             int64_t filters, int64_t threads) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t b = 0; b < blocks; ++b) {
        T* row = out + b * filters;
        for (int64_t tile = 0; tile < k.padded; tile += WIDTH) {
            T sum[WIDTH] = {};
            for (int64_t e = pointer[b]; e < pointer[b + 1]; ++e) {
                const T d = r[e];
                if (d >= k.last[tile / WIDTH]) continue;
#pragma omp simd
                for (int64_t i = 0; i < WIDTH; ++i) {
                    const T u = d - k.centre[tile + i];
                    const T angle = k.rate[tile + i] * d;
                    const T t = angle < T(HALF_PI) ? angle : T(HALF_PI);
                    const T c = cosine(t);
                    const T wave = angle < T(HALF_PI) ? c * c : T(0);
                    sum[i] += two_to(-k.decay[tile + i] * u * u) * wave;
                }
            }
            const int64_t end = std::min(WIDTH, filters - tile);
            for (int64_t i = 0; i < end; ++i) row[tile + i] = sum[i];
        }
    }
}

template <class T, bool ByDistance>
void backward_chunk(const T* grad, const T* r, const int64_t* pointer, const Filters<T>& k, T* by_distance,
                    double* sums, int64_t first, int64_t stop, int64_t filters) {
    for (int64_t tile = 0; tile < k.padded; tile += WIDTH) {
        T by_cutoff[WIDTH] = {}, by_centre[WIDTH] = {}, by_exponent[WIDTH] = {};
        const int64_t end = std::min(WIDTH, filters - tile);
        for (int64_t b = first; b < stop; ++b) {
            T weight[WIDTH] = {};
            for (int64_t i = 0; i < end; ++i) weight[i] = grad[b * filters + tile + i];
            for (int64_t e = pointer[b]; e < pointer[b + 1]; ++e) {
                const T d = r[e];
                if (d >= k.last[tile / WIDTH]) continue;
                T slope = 0;
#pragma omp simd reduction(+ : slope)
                for (int64_t i = 0; i < WIDTH; ++i) {
                    const T u = d - k.centre[tile + i];
                    const T rate = k.rate[tile + i], decay = k.decay[tile + i];
                    const T angle = rate * d;
                    const T t = angle < T(HALF_PI) ? angle : T(HALF_PI);
                    const T c = angle < T(HALF_PI) ? cosine(t) : T(0);
                    const T g = weight[i] * two_to(-decay * u * u);
                    const T wave = T(2) * sine(t) * c * g, bell = c * c * g;
                    by_cutoff[i] += wave * d;
                    by_centre[i] += bell * u;
                    by_exponent[i] += bell * u * u;
                    if (ByDistance) slope += T(1.3862943611198906) * decay * u * bell + rate * wave;
                }
                if (ByDistance) by_distance[e] -= slope;
            }
        }
        for (int64_t i = 0; i < WIDTH; ++i) {
            sums[tile + i] += by_cutoff[i];
            sums[k.padded + tile + i] += by_centre[i];
            sums[2 * k.padded + tile + i] += by_exponent[i];
        }
    }
}

template <class T>
void backward(const T* grad, const T* r, const int64_t* pointer, const Filters<T>& k, T* by_distance,
              const T* cutoff, const T* exponent, T* by_filters, int64_t blocks, int64_t filters,
              int64_t threads) {
    const int64_t chunks = (blocks + CHUNK - 1) / CHUNK, width = 3 * k.padded;
    std::vector<double> sums(chunks * width, 0.0);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t c = 0; c < chunks; ++c) {
        const int64_t first = c * CHUNK, stop = std::min(blocks, first + CHUNK);
        double* own = sums.data() + c * width;
        if (by_distance)
            backward_chunk<T, true>(grad, r, pointer, k, by_distance, own, first, stop, filters);
        else
            backward_chunk<T, false>(grad, r, pointer, k, nullptr, own, first, stop, filters);
    }
    std::vector<double> total(width, 0.0);
    for (int64_t c = 0; c < chunks; ++c)  // in one order, whatever the number of threads
        for (int64_t i = 0; i < width; ++i) total[i] += sums[c * width + i];
    for (int64_t i = 0; i < filters; ++i) {
        by_filters[i] = T(HALF_PI / cutoff[i] / cutoff[i] * total[i]);
        by_filters[filters + i] = T(2.0 * exponent[i] * total[k.padded + i]);
        by_filters[2 * filters + i] = T(-total[2 * k.padded + i]);
    }
}

}  // namespace

#define OPERATIONS(T, NAME)                                                                        \
    extern "C" void forward_##NAME(const T* r, const int64_t* pointer, const T* cutoff,            \
                                   const T* centre, const T* exponent, T* out, int64_t blocks,     \
                                   int64_t filters, int64_t threads) {                             \
        const Filters<T> k(cutoff, centre, exponent, filters);                                     \
        forward<T>(r, pointer, k, out, blocks, filters, threads);                                  \
    }                                                                                              \
    extern "C" void backward_##NAME(const T* grad, const T* r, const int64_t* pointer,             \
                                    const T* cutoff, const T* centre, const T* exponent,           \
                                    T* by_distance, T* by_filters, int64_t blocks,                 \
                                    int64_t filters, int64_t threads) {                            \
        const Filters<T> k(cutoff, centre, exponent, filters);                                     \
        backward<T>(grad, r, pointer, k, by_distance, cutoff, exponent, by_filters, blocks,        \
                    filters, threads);                                                             \
    }

OPERATIONS(float, float32)
OPERATIONS(double, float64)
