// Counts of pairs across an interface in soft shells, and their derivatives.
//
//     out[c, kind(i), kind(j), m] = sum over pairs (w_i + w_j)/2 step_m(|x_i - x_j|)
//     step_m(r) = cos^2(pi u/2),  u = (r - a_m)/(2w) + 1/2 clamped to [0, 1]
//
// Atoms of side 0 are sorted by kind, LANES of one kind in a block, the last one filled up with
// atoms far away. A block meets one atom of side 1 at a time: most are out of reach of all shells
// or wholly inside one, and need no cosine.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "trigonometry.h"

namespace {

constexpr int64_t LANES = 16;
constexpr double HALF_PI = 1.5707963267948966, FAR_AWAY = 1e6;

template <class T>
struct Table {
    std::vector<T> from, to, radius;  // of every shell, in order
    T rate;
    int64_t shells, columns, width;

    Table(const double* radii, int64_t shells, double softness, int64_t rows, int64_t columns)
        : rate(T(0.5 / softness)),
          shells(shells),
          columns(columns),
          width(rows * columns * shells) {
        for (int64_t m = 0; m < shells; ++m) {
            from.push_back(T(radii[m] - softness));
            to.push_back(T(radii[m] + softness));
            radius.push_back(T(radii[m]));
        }
    }
};

struct Atoms {
    const int64_t *side, *kind;
};

template <class T>
struct Side {  // the atoms of side 0 of one complex, and what is added up for them
    std::vector<T> x, y, z, weight, by_x, by_y, by_z, by_weight;
    std::vector<int64_t> atom, kind;  // of every lane, of every block

    void fill(const T* pos, const T* weights, const Atoms& atoms, int64_t first, int64_t stop,
              int64_t kinds) {
        for (auto* values : {&x, &y, &z, &weight}) values->clear();
        atom.clear();
        kind.clear();
        for (int64_t k = 0; k < kinds; ++k) {
            for (int64_t a = first; a < stop; ++a)
                if (atoms.side[a] == 0 && atoms.kind[a] == k)
                    push(a, pos[3 * a], pos[3 * a + 1], pos[3 * a + 2], weights[a]);
            while (atom.size() % LANES) push(-1, T(FAR_AWAY), T(FAR_AWAY), T(FAR_AWAY), T(0));
            kind.resize(atom.size() / LANES, k);
        }
        for (auto* values : {&by_x, &by_y, &by_z, &by_weight}) values->assign(atom.size(), T(0));
    }

    void push(int64_t number, T px, T py, T pz, T w) {
        atom.push_back(number);
        x.push_back(px);
        y.push_back(py);
        z.push_back(pz);
        weight.push_back(w);
    }
};

template <class T>
struct Meeting {  // one atom of side 1 and one block
    T dx[LANES], dy[LANES], dz[LANES], r[LANES], share[LANES];
    T nearest, farthest;

    // Whether any lane is nearer than `reach`.
    bool measure(const T* at, T weight, const Side<T>& side, int64_t lane, T reach) {
        T least = T(INFINITY), most = T(0);
        const T ax = at[0], ay = at[1], az = at[2];
        const T *x = &side.x[lane], *y = &side.y[lane], *z = &side.z[lane];
#pragma omp simd reduction(min : least) reduction(max : most)
        for (int64_t n = 0; n < LANES; ++n) {
            dx[n] = ax - x[n];
            dy[n] = ay - y[n];
            dz[n] = az - z[n];
            r[n] = dx[n] * dx[n] + dy[n] * dy[n] + dz[n] * dz[n];
            least = r[n] < least ? r[n] : least;
            most = r[n] > most ? r[n] : most;
        }
        if (!(least < reach * reach)) return false;
        const T* weights = &side.weight[lane];
#pragma omp simd
        for (int64_t n = 0; n < LANES; ++n) {
            r[n] = std::sqrt(r[n]);
            share[n] = T(0.5) * (weight + weights[n]);
        }
        nearest = std::sqrt(least);
        farthest = std::sqrt(most);
        return true;
    }
};

template <class T>
inline T part_of_shell(T r, const Table<T>& table, int64_t m) {  // u
    const T u = (r - table.radius[m]) * table.rate + T(0.5);
    const T low = u > T(0) ? u : T(0);
    return low < T(1) ? low : T(1);
}

template <class T>
T shared_steps(const Meeting<T>& pairs, const Table<T>& table, int64_t m) {
    T sum = 0;
    if (pairs.farthest <= table.from[m]) {
#pragma omp simd reduction(+ : sum)
        for (int64_t n = 0; n < LANES; ++n) sum += pairs.share[n];
        return sum;
    }
#pragma omp simd reduction(+ : sum)
    for (int64_t n = 0; n < LANES; ++n) {
        const T u = part_of_shell(pairs.r[n], table, m);
        const T c = cosine(T(HALF_PI) * u);
        sum += u < T(1) ? pairs.share[n] * c * c : T(0);
    }
    return sum;
}

template <class T>
void forward(const T* pos, const T* weight, const Atoms& atoms, const int64_t* pointer, T* out,
             int64_t complexes, const Table<T>& table, int64_t threads) {
#pragma omp parallel num_threads(threads)
    {
        Side<T> side;
        Meeting<T> pairs;
        std::vector<double> sums(table.width);
#pragma omp for schedule(static)
        for (int64_t c = 0; c < complexes; ++c) {
            std::fill(sums.begin(), sums.end(), 0.0);
            side.fill(pos, weight, atoms, pointer[c], pointer[c + 1], table.columns);
            const int64_t blocks = static_cast<int64_t>(side.kind.size());
            for (int64_t i = pointer[c]; i < pointer[c + 1]; ++i) {
                if (atoms.side[i] != 1) continue;
                double* rows = sums.data() + atoms.kind[i] * table.columns * table.shells;
                for (int64_t b = 0; b < blocks; ++b) {
                    if (!pairs.measure(pos + 3 * i, weight[i], side, b * LANES, table.to.back()))
                        continue;
                    double* row = rows + side.kind[b] * table.shells;
                    for (int64_t m = table.shells - 1; m >= 0; --m) {
                        if (pairs.nearest >= table.to[m]) break;
                        row[m] += shared_steps(pairs, table, m);
                    }
                }
            }
            std::copy(sums.begin(), sums.end(), out + c * table.width);
        }
    }
}

template <class T>
struct Change {  // of what a block's pairs bring, by their distances
    T value[LANES], by_distance[LANES];

    template <bool ByDistance>
    void add(const Meeting<T>& pairs, const Table<T>& table, const T* grad) {
        std::fill(value, value + LANES, T(0));
        if (ByDistance) std::fill(by_distance, by_distance + LANES, T(0));
        T inside = 0;  // what every lane has
        for (int64_t m = table.shells - 1; m >= 0 && pairs.nearest < table.to[m]; --m) {
            const T g = grad[m], steepness = T(-2 * HALF_PI) * table.rate * g;
            if (pairs.farthest <= table.from[m]) {
                inside += g;
                continue;
            }
#pragma omp simd
            for (int64_t n = 0; n < LANES; ++n) {
                const T u = part_of_shell(pairs.r[n], table, m);
                const T t = T(HALF_PI) * u;
                const T c = u < T(1) ? cosine(t) : T(0);
                value[n] += g * c * c;
                if (ByDistance) by_distance[n] += steepness * c * sine(t);
            }
        }
        for (int64_t n = 0; n < LANES; ++n) value[n] += inside;
    }
};

template <class T>
void pull(const Change<T>& change, const Meeting<T>& pairs, Side<T>& side, int64_t lane, T* by_pos) {
    T sum_x = 0, sum_y = 0, sum_z = 0;
    T *x = &side.by_x[lane], *y = &side.by_y[lane], *z = &side.by_z[lane];
#pragma omp simd reduction(+ : sum_x, sum_y, sum_z)
    for (int64_t n = 0; n < LANES; ++n) {
        const T length = pairs.r[n] > T(0) ? pairs.r[n] : T(1);
        const T factor = change.by_distance[n] * pairs.share[n] / length;
        const T px = factor * pairs.dx[n], py = factor * pairs.dy[n], pz = factor * pairs.dz[n];
        sum_x += px;
        sum_y += py;
        sum_z += pz;
        x[n] -= px;
        y[n] -= py;
        z[n] -= pz;
    }
    by_pos[0] += sum_x;
    by_pos[1] += sum_y;
    by_pos[2] += sum_z;
}

template <class T>
void weigh(const Change<T>& change, Side<T>& side, int64_t lane, T* by_weight) {
    T sum = 0;
    T* own = &side.by_weight[lane];
#pragma omp simd reduction(+ : sum)
    for (int64_t n = 0; n < LANES; ++n) {
        sum += T(0.5) * change.value[n];
        own[n] += T(0.5) * change.value[n];
    }
    *by_weight += sum;
}

template <class T>
void hand_out(const Side<T>& side, T* by_pos, T* by_weight) {
    for (size_t n = 0; n < side.atom.size(); ++n) {
        const int64_t a = side.atom[n];
        if (a < 0) continue;
        if (by_weight) by_weight[a] += side.by_weight[n];
        if (!by_pos) continue;
        by_pos[3 * a] += side.by_x[n];
        by_pos[3 * a + 1] += side.by_y[n];
        by_pos[3 * a + 2] += side.by_z[n];
    }
}

template <class T>
void backward(const T* grad, const T* pos, const T* weight, const Atoms& atoms,
              const int64_t* pointer, T* by_pos, T* by_weight, int64_t complexes,
              const Table<T>& table, int64_t threads) {
#pragma omp parallel num_threads(threads)
    {
        Side<T> side;
        Meeting<T> pairs;
        Change<T> change;
#pragma omp for schedule(static)
        for (int64_t c = 0; c < complexes; ++c) {
            side.fill(pos, weight, atoms, pointer[c], pointer[c + 1], table.columns);
            const int64_t blocks = static_cast<int64_t>(side.kind.size());
            for (int64_t i = pointer[c]; i < pointer[c + 1]; ++i) {
                if (atoms.side[i] != 1) continue;
                const T* rows = grad + c * table.width + atoms.kind[i] * table.columns * table.shells;
                for (int64_t b = 0; b < blocks; ++b) {
                    const int64_t lane = b * LANES;
                    if (!pairs.measure(pos + 3 * i, weight[i], side, lane, table.to.back())) continue;
                    const T* row = rows + side.kind[b] * table.shells;
                    if (by_pos)
                        change.template add<true>(pairs, table, row);
                    else
                        change.template add<false>(pairs, table, row);
                    if (by_weight) weigh(change, side, lane, by_weight + i);
                    if (by_pos) pull(change, pairs, side, lane, by_pos + 3 * i);
                }
            }
            hand_out(side, by_pos, by_weight);
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
