// Sums of Gaussians on grids and their first derivatives. One grid is one thread's work, so that
// the order of its sums depends on nothing but the order of its atoms.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

constexpr int64_t PACK = 8;

struct Box {
    int64_t low, count;
};

template <typename T>
Box box_of(T place, T width, T reach, int64_t side) {
    const T extent = reach * width;
    if (!(place + extent >= 0 && place - extent <= T(side - 1))) return {0, 0};
    int64_t low = place - extent > 0 ? int64_t(std::ceil(place - extent)) : 0;
    int64_t high = place + extent < T(side - 1) ? int64_t(std::floor(place + extent)) : side - 1;
    return {low, high < low ? 0 : high - low + 1};
}

template <typename T>
void factors(Box box, T place, T width, T* out) {
    for (int64_t i = 0; i < box.count; ++i) {
        const T offset = (T(box.low + i) - place) / width;
        out[i] = std::exp(-offset * offset / 2);
    }
}

// The last factor in packs that stay inside the row: zeros before or after the box.
template <typename T>
Box padded(Box box, int64_t side, T* row) {
    const int64_t count = (box.count + PACK - 1) / PACK * PACK;
    if (count > side) return box;
    const int64_t low = box.low + count <= side ? box.low : side - count;
    const int64_t before = box.low - low;
    std::memmove(row + before, row, sizeof(T) * box.count);
    std::memset(row, 0, sizeof(T) * before);
    for (int64_t i = before + box.count; i < count; ++i) row[i] = 0;
    return {low, count};
}

template <typename T>
void add_row(T* __restrict out, const T* __restrict row, T weight, int64_t count) {
    if (count % PACK == 0) {
        for (int64_t i = 0; i < count; i += PACK)
#pragma GCC unroll 1
            for (int64_t k = 0; k < PACK; ++k) out[i + k] += weight * row[i + k];
    } else {
        for (int64_t i = 0; i < count; ++i) out[i] += weight * row[i];
    }
}

template <typename T>
void forward(const T* places, const T* weights, const T* widths, const int64_t* channel,
             const int64_t* ptr, int64_t grids, int64_t channels, int64_t nx, int64_t ny,
             int64_t nz, double reach_, int64_t threads, T* out) {
    const int64_t voxels = nx * ny * nz;
    const T reach = T(reach_);
#pragma omp parallel for num_threads(threads) schedule(dynamic) if (threads > 1)
    for (int64_t g = 0; g < grids; ++g) {
        std::vector<T> x(nx), y(ny), z(nz + PACK);
        T* grid = out + g * channels * voxels;
        std::memset(grid, 0, sizeof(T) * channels * voxels);
        for (int64_t a = ptr[g]; a < ptr[g + 1]; ++a) {
            const T *place = places + 3 * a, *width = widths + 3 * a;
            const Box bx = box_of(place[0], width[0], reach, nx);
            const Box by = box_of(place[1], width[1], reach, ny);
            Box bz = box_of(place[2], width[2], reach, nz);
            if (bx.count == 0 || by.count == 0 || bz.count == 0) continue;
            factors(bx, place[0], width[0], x.data());
            factors(by, place[1], width[1], y.data());
            factors(bz, place[2], width[2], z.data());
            bz = padded(bz, nz, z.data());
            T* volume = grid + channel[a] * voxels + bz.low;
            for (int64_t i = 0; i < bx.count; ++i)
                for (int64_t j = 0; j < by.count; ++j) {
                    T* row = volume + ((bx.low + i) * ny + by.low + j) * nz;
                    add_row(row, z.data(), weights[a] * x[i] * y[j], bz.count);
                }
        }
    }
}

template <typename T>
void backward(const T* slopes, const T* places, const T* weights, const T* widths,
              const int64_t* channel, const int64_t* ptr, int64_t grids, int64_t channels,
              int64_t nx, int64_t ny, int64_t nz, double reach_, int64_t threads, T* dplaces,
              T* dweights, T* dwidths) {
    const int64_t voxels = nx * ny * nz;
    const T reach = T(reach_);
#pragma omp parallel for num_threads(threads) schedule(dynamic) if (threads > 1)
    for (int64_t g = 0; g < grids; ++g) {
        std::vector<T> x(nx), y(ny), z(nz + PACK), z1(nz + PACK), z2(nz + PACK);
        for (int64_t a = ptr[g]; a < ptr[g + 1]; ++a) {
            const T *place = places + 3 * a, *width = widths + 3 * a;
            const Box bx = box_of(place[0], width[0], reach, nx);
            const Box by = box_of(place[1], width[1], reach, ny);
            const Box bz = box_of(place[2], width[2], reach, nz);
            T all = 0, first[3] = {0, 0, 0}, second[3] = {0, 0, 0};
            if (bx.count && by.count && bz.count) {
                factors(bx, place[0], width[0], x.data());
                factors(by, place[1], width[1], y.data());
                factors(bz, place[2], width[2], z.data());
                for (int64_t k = 0; k < bz.count; ++k) {
                    const T u = (T(bz.low + k) - place[2]) / width[2];
                    z1[k] = u * z[k];
                    z2[k] = u * u * z[k];
                }
                const T* volume = slopes + (g * channels + channel[a]) * voxels + bz.low;
                for (int64_t i = 0; i < bx.count; ++i) {
                    const T ux = (T(bx.low + i) - place[0]) / width[0];
                    for (int64_t j = 0; j < by.count; ++j) {
                        const T uy = (T(by.low + j) - place[1]) / width[1];
                        const T* row = volume + ((bx.low + i) * ny + by.low + j) * nz;
                        T s0 = 0, s1 = 0, s2 = 0;
                        for (int64_t k = 0; k < bz.count; ++k) {
                            s0 += row[k] * z[k];
                            s1 += row[k] * z1[k];
                            s2 += row[k] * z2[k];
                        }
                        const T xy = x[i] * y[j];
                        all += xy * s0;
                        first[0] += ux * xy * s0;
                        first[1] += uy * xy * s0;
                        first[2] += xy * s1;
                        second[0] += ux * ux * xy * s0;
                        second[1] += uy * uy * xy * s0;
                        second[2] += xy * s2;
                    }
                }
            }
            dweights[a] = all;
            for (int k = 0; k < 3; ++k) {
                dplaces[3 * a + k] = weights[a] * first[k] / width[k];
                dwidths[3 * a + k] = weights[a] * second[k] / width[k];
            }
        }
    }
}

}  // namespace

#define FUNCTIONS(T, NAME)                                                                         \
    extern "C" void forward_##NAME(const T* places, const T* weights, const T* widths,             \
                                   const int64_t* channel, const int64_t* ptr, int64_t grids,      \
                                   int64_t channels, int64_t nx, int64_t ny, int64_t nz,           \
                                   double reach, int64_t threads, T* out) {                        \
        forward(places, weights, widths, channel, ptr, grids, channels, nx, ny, nz, reach,         \
                threads, out);                                                                     \
    }                                                                                              \
    extern "C" void backward_##NAME(const T* slopes, const T* places, const T* weights,            \
                                    const T* widths, const int64_t* channel, const int64_t* ptr,   \
                                    int64_t grids, int64_t channels, int64_t nx, int64_t ny,       \
                                    int64_t nz, double reach, int64_t threads, T* dplaces,         \
                                    T* dweights, T* dwidths) {                                     \
        backward(slopes, places, weights, widths, channel, ptr, grids, channels, nx, ny, nz,       \
                 reach, threads, dplaces, dweights, dwidths);                                      \
    }

FUNCTIONS(float, float32)
FUNCTIONS(double, float64)
