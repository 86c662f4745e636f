// Counts of pairs across an interface in soft shells, and their derivatives.
//
//     out[c, kind(i), kind(j), m] = sum over pairs (w_i + w_j)/2 step_m(|x_i - x_j|)
//     step_m(r) = (1 + cos(pi u))/2,  u = (r - a_m)/(2w) + 1/2 clamped to [0, 1]
//
// Shells are in order of radius, so that a pair outside one is not inside those before. Squares of
// distances are taken for a whole row at once; only pairs in reach go on, and only those at the
// edge of a shell need a cosine.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace {

constexpr double PI = 3.141592653589793;

template <class T>
struct Shell {  // soft from `from` to `to`
    T from, to, radius;
};

template <class T>
struct Table {  // the last shell's end is the reach
    std::vector<Shell<T>> shells;
    T rate, reach;
    int64_t columns, width;

    Table(const double* radii, int64_t count, double softness, int64_t rows, int64_t columns)
        : rate(T(0.5 / softness)), columns(columns), width(rows * columns * count) {
        for (int64_t m = 0; m < count; ++m)
            shells.push_back({T(radii[m] - softness), T(radii[m] + softness), T(radii[m])});
        reach = shells.back().to;
    }

    int64_t first(T r) const {  // the first shell that the pair is in
        int64_t m = 0;
        while (r >= shells[m].to) ++m;
        return m;
    }

    T angle(T r, int64_t m) const { return T(PI) * ((r - shells[m].radius) * rate + T(0.5)); }

    T step(T r, int64_t m) const {
        if (r <= shells[m].from) return T(1);
        return r >= shells[m].to ? T(0) : T(0.5) * (T(1) + std::cos(angle(r, m)));
    }

    T slope(T r, int64_t m) const {
        if (r <= shells[m].from || r >= shells[m].to) return T(0);
        return T(-0.5 * PI) * rate * std::sin(angle(r, m));
    }
};

template <class T>
struct Pocket {  // the atoms of side 0 of one complex, and squares of distances to them
    std::vector<T> x, y, z, square;
    std::vector<int64_t> atom;

    void fill(const T* pos, const int64_t* side, int64_t first, int64_t stop) {
        for (auto* values : {&x, &y, &z}) values->clear();
        atom.clear();
        for (int64_t a = first; a < stop; ++a) {
            if (side[a] != 0) continue;
            x.push_back(pos[3 * a]);
            y.push_back(pos[3 * a + 1]);
            z.push_back(pos[3 * a + 2]);
            atom.push_back(a);
        }
        square.resize(atom.size());
    }

    void measure(const T* from) {
        const T fx = from[0], fy = from[1], fz = from[2];
        const int64_t count = static_cast<int64_t>(atom.size());
        const T *px = x.data(), *py = y.data(), *pz = z.data();
        T* out = square.data();
#pragma omp simd
        for (int64_t n = 0; n < count; ++n) {
            const T dx = px[n] - fx, dy = py[n] - fy, dz = pz[n] - fz;
            out[n] = dx * dx + dy * dy + dz * dz;
        }
    }
};

struct Atoms {
    const int64_t *side, *kind;
};

// visit(i, j, r, first row of the pair's kinds) for every pair in reach of one complex.
template <class T, class Visit>
void every_pair(const T* pos, const Atoms& atoms, int64_t first, int64_t stop,
                const Table<T>& table, Pocket<T>& pocket, const Visit& visit) {
    pocket.fill(pos, atoms.side, first, stop);
    const int64_t others = static_cast<int64_t>(pocket.atom.size());
    const int64_t shells = static_cast<int64_t>(table.shells.size());
    for (int64_t i = first; i < stop; ++i) {
        if (atoms.side[i] != 1) continue;
        pocket.measure(pos + 3 * i);
        for (int64_t n = 0; n < others; ++n) {
            if (!(pocket.square[n] < table.reach * table.reach)) continue;
            const T r = std::sqrt(pocket.square[n]);
            if (r >= table.reach) continue;  // by rounding
            const int64_t j = pocket.atom[n];
            visit(i, j, r, (atoms.kind[i] * table.columns + atoms.kind[j]) * shells);
        }
    }
}

template <class T>
void forward(const T* pos, const T* weight, const Atoms& atoms, const int64_t* pointer, T* out,
             int64_t complexes, const Table<T>& table, int64_t threads) {
    const int64_t shells = static_cast<int64_t>(table.shells.size());
#pragma omp parallel num_threads(threads)
    {
        Pocket<T> pocket;
        std::vector<double> sums(table.width);
#pragma omp for schedule(static)
        for (int64_t c = 0; c < complexes; ++c) {
            std::fill(sums.begin(), sums.end(), 0.0);
            every_pair(pos, atoms, pointer[c], pointer[c + 1], table, pocket,
                       [&](int64_t i, int64_t j, T r, int64_t row) {
                           const double share = 0.5 * (weight[i] + weight[j]);
                           for (int64_t m = table.first(r); m < shells; ++m)
                               sums[row + m] += share * table.step(r, m);
                       });
            std::copy(sums.begin(), sums.end(), out + c * table.width);
        }
    }
}

template <class T>
void backward(const T* grad, const T* pos, const T* weight, const Atoms& atoms,
              const int64_t* pointer, T* by_pos, T* by_weight, int64_t complexes,
              const Table<T>& table, int64_t threads) {
    const int64_t shells = static_cast<int64_t>(table.shells.size());
#pragma omp parallel num_threads(threads)
    {
        Pocket<T> pocket;
#pragma omp for schedule(static)
        for (int64_t c = 0; c < complexes; ++c) {
            const T* own = grad + c * table.width;
            every_pair(pos, atoms, pointer[c], pointer[c + 1], table, pocket,
                       [&](int64_t i, int64_t j, T r, int64_t row) {
                           T value = 0, change = 0;
                           for (int64_t m = table.first(r); m < shells; ++m) {
                               value += own[row + m] * table.step(r, m);
                               if (by_pos) change += own[row + m] * table.slope(r, m);
                           }
                           if (by_weight) {
                               by_weight[i] += T(0.5) * value;
                               by_weight[j] += T(0.5) * value;
                           }
                           if (!by_pos || change == T(0)) return;
                           const T factor = change * T(0.5) * (weight[i] + weight[j]) / r;
                           for (int64_t axis = 0; axis < 3; ++axis) {
                               const T pull = factor * (pos[3 * i + axis] - pos[3 * j + axis]);
                               by_pos[3 * i + axis] += pull;
                               by_pos[3 * j + axis] -= pull;
                           }
                       });
        }
    }
}

}  // namespace

#define OPERATIONS(T, NAME)                                                                        \
    extern "C" void forward_##NAME(const T* pos, const T* weight, const int64_t* side,             \
                                   const int64_t* kind, const int64_t* pointer,                    \
                                   const double* radii, T* out, int64_t complexes,                 \
                                   int64_t shells, double softness, int64_t rows,                  \
                                   int64_t columns, int64_t threads) {                             \
        const Table<T> table(radii, shells, softness, rows, columns);                              \
        forward<T>(pos, weight, {side, kind}, pointer, out, complexes, table, threads);            \
    }                                                                                              \
    extern "C" void backward_##NAME(const T* grad, const T* pos, const T* weight,                  \
                                    const int64_t* side, const int64_t* kind,                      \
                                    const int64_t* pointer, const double* radii, T* by_pos,        \
                                    T* by_weight, int64_t complexes, int64_t shells,               \
                                    double softness, int64_t rows, int64_t columns,                \
                                    int64_t threads) {                                             \
        const Table<T> table(radii, shells, softness, rows, columns);                              \
        backward<T>(grad, pos, weight, {side, kind}, pointer, by_pos, by_weight, complexes, table, \
                    threads);                                                                      \
    }

OPERATIONS(float, float32)
OPERATIONS(double, float64)
