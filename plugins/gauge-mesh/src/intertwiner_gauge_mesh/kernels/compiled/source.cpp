// The gauge-equivariant convolution over tiles of vertices, and its gradients.
//
// For each vertex of a tile the neighbours are turned into the frames of their edges and summed
// against t(theta) = (1, cos theta, sin theta, cos 2 theta, ...) and the rings: rows S[t, r, i].
// One matrix product per order then gives the output. S of a tile stays in the second-level cache
// and is never stored; the gradients make it again. A vertex has the same bits in every batch: all
// sums over k run in order, whatever the place of the vertex in its tile.
//
// All counts of channels are multiples of LANES numbers (float) or LANES / 2 (double).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#ifndef LANES
#define LANES 8
#endif

namespace {

using Index = std::int64_t;
constexpr Index TILE = 64;
constexpr Index CHUNK = 64;  // edges of one vertex that are turned at a time
constexpr int ROWS = 8;

template <typename T>
struct Pack;
template <>
struct Pack<float> {
    typedef float type __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
    static constexpr int width = LANES;
};
template <>
struct Pack<double> {
    typedef double type __attribute__((vector_size(LANES * 4), aligned(8), may_alias));
    static constexpr int width = LANES / 2;
};

template <typename T>
inline typename Pack<T>::type load(const T* at) {
    return *reinterpret_cast<const typename Pack<T>::type*>(at);
}

template <typename T>
inline void store(T* at, typename Pack<T>::type value) {
    *reinterpret_cast<typename Pack<T>::type*>(at) = value;
}

template <typename T>
inline typename Pack<T>::type spread(T value) {
    return value - typename Pack<T>::type{};
}

template <typename T>
struct Free {
    void operator()(T* at) const { std::free(at); }
};

template <typename T>
std::unique_ptr<T[], Free<T>> room(Index count) {
    const std::size_t bytes = (static_cast<std::size_t>(std::max<Index>(count, 1)) * sizeof(T) + 63) / 64 * 64;
    T* at = static_cast<T*>(std::aligned_alloc(64, bytes));
    std::fill(at, at + bytes / sizeof(T), T(0));
    return std::unique_ptr<T[], Free<T>>(at);
}

// c[i, j] (+)= sum_k a[i, k] b[k, j] for `R` rows i and `C` packs of columns j.
template <typename T, int R, int C>
inline void block(Index depth, const T* a, Index a_row, Index a_step, const T* b, Index b_step,
                  T* c, Index c_row, bool add) {
    constexpr int W = Pack<T>::width;
    typename Pack<T>::type sum[R][C];
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
        for (int j = 0; j < C; ++j)
            sum[i][j] = add ? load(c + i * c_row + j * W) : typename Pack<T>::type{};
    for (Index k = 0; k < depth; ++k) {
        typename Pack<T>::type row[C];
#pragma GCC unroll 4
        for (int j = 0; j < C; ++j) row[j] = load(b + k * b_step + j * W);
#pragma GCC unroll 8
        for (int i = 0; i < R; ++i) {
            const typename Pack<T>::type left = spread(a[i * a_row + k * a_step]);
#pragma GCC unroll 4
            for (int j = 0; j < C; ++j) sum[i][j] += left * row[j];
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
        for (int j = 0; j < C; ++j) store(c + i * c_row + j * W, sum[i][j]);
}

template <typename T, int C>
inline void rows_of(Index count, Index depth, const T* a, Index a_row, Index a_step, const T* b,
                    Index b_step, T* c, Index c_row, bool add) {
    Index i = 0;
    for (; i + ROWS <= count; i += ROWS)
        block<T, ROWS, C>(depth, a + i * a_row, a_row, a_step, b, b_step, c + i * c_row, c_row, add);
    for (; i + 2 <= count; i += 2)
        block<T, 2, C>(depth, a + i * a_row, a_row, a_step, b, b_step, c + i * c_row, c_row, add);
    if (i < count)
        block<T, 1, C>(depth, a + i * a_row, a_row, a_step, b, b_step, c + i * c_row, c_row, add);
}

// C (+)= A B with `columns` a multiple of the pack.
template <typename T>
void multiply(Index rows, Index columns, Index depth, const T* a, Index a_row, Index a_step,
              const T* b, Index b_step, T* c, Index c_row, bool add) {
    constexpr Index W = Pack<T>::width;
    Index j = 0;
    for (; j + 2 * W <= columns; j += 2 * W)
        rows_of<T, 2>(rows, depth, a, a_row, a_step, b + j, b_step, c + j, c_row, add);
    if (j < columns)
        rows_of<T, 1>(rows, depth, a, a_row, a_step, b + j, b_step, c + j, c_row, add);
}

struct Order {
    Index count, start, parts;  // channels, first number in a row, 1 real or 2 complex
    Index columns() const { return count * parts; }
};

struct Shape {
    std::vector<Order> in, out;
    Index rings = 0, width_in = 0, width_out = 0;
    Index functions() const { return 2 * static_cast<Index>(out.size()) - 1; }
    Index terms() const { return functions() * rings; }
    Index sums() const { return terms() * width_in; }
};

Index read_orders(const Index* counts, Index orders, std::vector<Order>& into) {
    Index start = 0;
    for (Index n = 0; n < orders; ++n) {
        into.push_back({counts[n], start, n ? 2 : 1});
        start += into.back().columns();
    }
    return start;
}

// dims: orders in, orders out, rings, channels in ..., channels out ...
Shape read_shape(const Index* dims) {
    Shape shape;
    shape.rings = dims[2];
    shape.width_in = read_orders(dims + 3, dims[0], shape.in);
    shape.width_out = read_orders(dims + 3 + dims[0], dims[1], shape.out);
    return shape;
}

template <typename T>
struct Graph {
    const Index *indptr, *source;
    const T *post, *pre, *rings;
};

// terms[e, t, r] = w_er t(theta_e)
template <typename T>
void expand(const Shape& shape, const Graph<T>& graph, Index first, Index count, T* terms) {
    const Index rings = shape.rings, orders = static_cast<Index>(shape.out.size());
    for (Index e = 0; e < count; ++e) {
        const T c1 = graph.post[2 * (first + e)], s1 = graph.post[2 * (first + e) + 1];
        const T* w = graph.rings + (first + e) * rings;
        T* at = terms + e * shape.terms();
        for (Index r = 0; r < rings; ++r) at[r] = w[r];
        T c = c1, s = s1;
        for (Index m = 1; m < orders; ++m) {
            T* cosine = at + (2 * m - 1) * rings;
            for (Index r = 0; r < rings; ++r) {
                cosine[r] = w[r] * c;
                cosine[rings + r] = w[r] * s;
            }
            const T next = c * c1 - s * s1;
            s = s * c1 + c * s1;
            c = next;
        }
    }
}

// to = rho(pre) from; with `back` the inverse turn, added to `to`.
template <typename T, bool back>
inline void turn(const Shape& shape, T c1, T s1, const T* from, T* to) {
    constexpr Index W = Pack<T>::width;
    for (Index i = 0; i < shape.in[0].count; i += W)
        store(to + i, back ? load(to + i) + load(from + i) : load(from + i));
    T c = c1, s = back ? -s1 : s1;
    const T s_step = s;
    for (std::size_t n = 1; n < shape.in.size(); ++n) {
        const Index count = shape.in[n].count, real = shape.in[n].start, imaginary = real + count;
        const typename Pack<T>::type cosine = spread(c), sine = spread(s);
        for (Index i = 0; i < count; i += W) {
            const typename Pack<T>::type a = load(from + real + i), b = load(from + imaginary + i);
            const typename Pack<T>::type x = cosine * a - sine * b, y = sine * a + cosine * b;
            store(to + real + i, back ? load(to + real + i) + x : x);
            store(to + imaginary + i, back ? load(to + imaginary + i) + y : y);
        }
        const T next = c * c1 - s * s_step;
        s = s * c1 + c * s_step;
        c = next;
    }
}

// sums[f, :] (+)= sum_e terms[e, f] turned[e, :], `F` terms at a time
template <typename T, int F, int C>
inline void gather(Index edges, const T* terms, Index term_step, const T* turned, Index width,
                   T* sums, bool add) {
    block<T, F, C>(edges, terms, 1, term_step, turned, width, sums, width, add);
}

template <typename T, int C>
inline void gather_terms(Index count, Index edges, const T* terms, Index term_step,
                         const T* turned, Index width, T* sums, bool add) {
    Index f = 0;
    for (; f + 5 <= count; f += 5)
        gather<T, 5, C>(edges, terms + f, term_step, turned, width, sums + f * width, add);
    for (; f < count; ++f)
        gather<T, 1, C>(edges, terms + f, term_step, turned, width, sums + f * width, add);
}

template <typename T>
void sum_vertex(const Shape& shape, const Graph<T>& graph, Index vertex, const T* x, T* terms,
                T* turned, T* sums) {
    constexpr Index W = Pack<T>::width;
    const Index begin = graph.indptr[vertex], end = graph.indptr[vertex + 1];
    if (begin == end) {
        std::fill(sums, sums + shape.sums(), T(0));
        return;
    }
    for (Index first = begin; first < end; first += CHUNK) {
        const Index count = std::min(CHUNK, end - first);
        expand(shape, graph, first, count, terms);
        for (Index e = 0; e < count; ++e) {
            const T* unit = graph.pre + 2 * (first + e);
            turn<T, false>(shape, unit[0], unit[1], x + graph.source[first + e] * shape.width_in,
                           turned + e * shape.width_in);
        }
        const bool add = first > begin;
        Index i = 0;
        for (; i + 4 * W <= shape.width_in; i += 4 * W)
            gather_terms<T, 4>(shape.terms(), count, terms, shape.terms(), turned + i,
                               shape.width_in, sums + i, add);
        for (; i < shape.width_in; i += W)
            gather_terms<T, 1>(shape.terms(), count, terms, shape.terms(), turned + i,
                               shape.width_in, sums + i, add);
    }
}

// Rows of S for the order m of the output: the first, and how many numbers.
inline Index rows_start(const Shape& shape, std::size_t m) {
    return (m ? 2 * static_cast<Index>(m) - 1 : 0) * shape.rings * shape.width_in;
}
inline Index rows_count(const Shape& shape, std::size_t m) {
    return (m ? 2 : 1) * shape.rings * shape.width_in;
}

// The mixing matrix of one order, [rows, columns], or transposed.
template <typename T, bool transposed>
void mixing(const Shape& shape, std::size_t m, const T* weight, T* into) {
    const Order& order = shape.out[m];
    const Index inputs = shape.rings * shape.width_in, columns = order.columns(), count = order.count;
    const Index rows = rows_count(shape, m);
    auto at = [&](Index row, Index column) -> T& {
        return transposed ? into[column * rows + row] : into[row * columns + column];
    };
    for (Index i = 0; i < inputs; ++i) {
        const T* row = weight + i * shape.width_out + order.start;
        for (Index j = 0; j < columns; ++j) at(i, j) = row[j];
        if (m == 0) continue;
        for (Index j = 0; j < count; ++j) {
            at(inputs + i, j) = -row[count + j];
            at(inputs + i, count + j) = row[j];
        }
    }
}

// The gradient of the weight from that of the transposed mixing matrix.
template <typename T>
void unmix(const Shape& shape, std::size_t m, const T* slope, T* weight) {
    const Order& order = shape.out[m];
    const Index inputs = shape.rings * shape.width_in, count = order.count;
    const Index rows = rows_count(shape, m);
    for (Index i = 0; i < inputs; ++i) {
        T* row = weight + i * shape.width_out + order.start;
        for (Index j = 0; j < count; ++j) {
            if (m == 0) {
                row[j] = slope[j * rows + i];
                continue;
            }
            row[j] = slope[j * rows + i] + slope[(count + j) * rows + inputs + i];
            row[count + j] = slope[(count + j) * rows + i] - slope[j * rows + inputs + i];
        }
    }
}

// The map of a vertex to itself, [columns in, columns out] of one order, from s_1 + i s_2.
template <typename T, bool transposed>
void own_matrix(const Order& in, const Order& out, const T* numbers, T* into) {
    const Index size = in.count * out.count, rows = in.columns(), columns = out.columns();
    auto at = [&](Index row, Index column) -> T& {
        return transposed ? into[column * rows + row] : into[row * columns + column];
    };
    for (Index i = 0; i < in.count; ++i)
        for (Index j = 0; j < out.count; ++j) {
            const T one = numbers[i * out.count + j];
            at(i, j) = one;
            if (in.parts == 1) continue;
            const T two = numbers[size + i * out.count + j];
            at(in.count + i, out.count + j) = one;
            at(i, out.count + j) = two;
            at(in.count + i, j) = -two;
        }
}

template <typename T>
void own_fold(const Order& in, const Order& out, const T* slope, T* numbers) {
    const Index size = in.count * out.count, columns = out.columns();
    for (Index i = 0; i < in.count; ++i)
        for (Index j = 0; j < out.count; ++j) {
            const T* upper = slope + i * columns;
            numbers[i * out.count + j] = upper[j];
            if (in.parts == 1) continue;
            const T* lower = slope + (in.count + i) * columns;
            numbers[i * out.count + j] = upper[j] + lower[out.count + j];
            numbers[size + i * out.count + j] = upper[out.count + j] - lower[j];
        }
}

// The bias as a matrix that takes the sums of t(theta), [functions, width out].
template <typename T>
void bias_matrix(const Shape& shape, const T* bias, T* into) {
    for (std::size_t m = 0; m < shape.out.size(); ++m) {
        const Order& order = shape.out[m];
        T* row = into + (m ? 2 * static_cast<Index>(m) - 1 : 0) * shape.width_out + order.start;
        for (Index j = 0; j < order.columns(); ++j) row[j] = bias[order.start + j];
        if (m == 0) continue;
        for (Index j = 0; j < order.count; ++j) {
            row[shape.width_out + j] = -bias[order.start + order.count + j];
            row[shape.width_out + order.count + j] = bias[order.start + j];
        }
    }
}

template <typename T>
using Room = std::unique_ptr<T[], Free<T>>;

template <typename T, bool transposed>
std::vector<Room<T>> mixings(const Shape& shape, const T* weight) {
    std::vector<Room<T>> found;
    for (std::size_t m = 0; m < shape.out.size(); ++m) {
        found.push_back(room<T>(rows_count(shape, m) * shape.out[m].columns()));
        mixing<T, transposed>(shape, m, weight, found.back().get());
    }
    return found;
}

template <typename T, bool transposed>
std::vector<Room<T>> own_matrices(const Shape& shape, const T* numbers) {
    std::vector<Room<T>> found;
    if (!numbers) return found;
    for (std::size_t n = 0; n < std::min(shape.in.size(), shape.out.size()); ++n) {
        const Order &in = shape.in[n], &out = shape.out[n];
        found.push_back(room<T>(in.columns() * out.columns()));
        own_matrix<T, transposed>(in, out, numbers, found.back().get());
        numbers += in.count * out.count * in.parts;
    }
    return found;
}

// Rows times the weight of each vertex itself; the rows as they are where it is 1.
template <typename T>
const T* weighed(const T* rows, const T* own_weight, Index first, Index count, Index width, T* into) {
    if (!own_weight) return rows + first * width;
    for (Index v = 0; v < count; ++v)
        for (Index i = 0; i < width; ++i)
            into[v * width + i] = rows[(first + v) * width + i] * own_weight[first + v];
    return into;
}

template <typename T>
void forward(const Index* dims, Index vertices, const Graph<T>& graph, const T* own_weight,
             const T* circle, const T* x, const T* weight, const T* own, const T* bias, T* out) {
    const Shape shape = read_shape(dims);
    const auto mixes = mixings<T, false>(shape, weight);
    const auto owns = own_matrices<T, false>(shape, own);
    auto biases = room<T>(shape.functions() * shape.width_out);
    if (bias) bias_matrix(shape, bias, biases.get());
    const Index tiles = (vertices + TILE - 1) / TILE;
#pragma omp parallel
    {
        auto sums = room<T>(TILE * shape.sums());
        auto terms = room<T>(CHUNK * shape.terms());
        auto turned = room<T>(CHUNK * shape.width_in);
        auto scaled = room<T>(TILE * shape.width_in);
#pragma omp for schedule(static)
        for (Index tile = 0; tile < tiles; ++tile) {
            const Index first = tile * TILE, count = std::min(TILE, vertices - first);
            for (Index v = 0; v < count; ++v)
                sum_vertex(shape, graph, first + v, x, terms.get(), turned.get(),
                           sums.get() + v * shape.sums());
            T* rows = out + first * shape.width_out;
            if (bias)
                multiply<T>(count, shape.width_out, shape.functions(),
                            circle + first * shape.functions(), shape.functions(), 1,
                            biases.get(), shape.width_out, rows, shape.width_out, false);
            for (std::size_t m = 0; m < shape.out.size(); ++m) {
                const Index columns = shape.out[m].columns();
                multiply<T>(count, columns, rows_count(shape, m),
                            sums.get() + rows_start(shape, m), shape.sums(), 1, mixes[m].get(),
                            columns, rows + shape.out[m].start, shape.width_out, bias != nullptr);
            }
            if (owns.empty()) continue;
            const T* alone = weighed(x, own_weight, first, count, shape.width_in, scaled.get());
            for (std::size_t n = 0; n < owns.size(); ++n)
                multiply<T>(count, shape.out[n].columns(), shape.in[n].columns(),
                            alone + shape.in[n].start, shape.width_in, 1, owns[n].get(),
                            shape.out[n].columns(), rows + shape.out[n].start, shape.width_out,
                            true);
        }
    }
}

// turned[e, :] = sum_f terms[e, f] sums[f, :] for all edges, then back into the rows of sources.
template <typename T>
void scatter_vertex(const Shape& shape, const Graph<T>& graph, Index vertex, const T* sums,
                    T* terms, T* turned, T* dx) {
    const Index begin = graph.indptr[vertex], end = graph.indptr[vertex + 1];
    for (Index first = begin; first < end; first += CHUNK) {
        const Index count = std::min(CHUNK, end - first);
        expand(shape, graph, first, count, terms);
        multiply<T>(count, shape.width_in, shape.terms(), terms, shape.terms(), 1, sums,
                    shape.width_in, turned, shape.width_in, false);
        for (Index e = 0; e < count; ++e) {
            const T* unit = graph.pre + 2 * (first + e);
            turn<T, true>(shape, unit[0], unit[1], turned + e * shape.width_in,
                          dx + graph.source[first + e] * shape.width_in);
        }
    }
}

template <typename T>
void backward(const Index* dims, Index vertices, const Graph<T>& graph, const T* own_weight,
              const T* g, const T* x, const T* weight, const T* own, T* dx, T* dweight, T* down) {
    const Shape shape = read_shape(dims);
    const auto mixes = mixings<T, true>(shape, weight);
    const auto owns = own_matrices<T, true>(shape, dx ? own : nullptr);
    std::vector<Room<T>> slopes, own_slopes;
    for (std::size_t m = 0; m < shape.out.size(); ++m)
        slopes.push_back(room<T>(dweight ? rows_count(shape, m) * shape.out[m].columns() : 0));
    for (std::size_t n = 0; down && n < std::min(shape.in.size(), shape.out.size()); ++n)
        own_slopes.push_back(room<T>(shape.in[n].columns() * shape.out[n].columns()));
    auto sums = room<T>(TILE * shape.sums());
    auto terms = room<T>(CHUNK * shape.terms());
    auto turned = room<T>(CHUNK * shape.width_in);
    auto scaled = room<T>(TILE * shape.width_out);
    for (Index first = 0; first < vertices; first += TILE) {
        const Index count = std::min(TILE, vertices - first);
        const T* rows = g + first * shape.width_out;
        for (Index v = 0; dweight && v < count; ++v)
            sum_vertex(shape, graph, first + v, x, terms.get(), turned.get(),
                       sums.get() + v * shape.sums());
        for (std::size_t m = 0; dweight && m < shape.out.size(); ++m)
            multiply<T>(shape.out[m].columns(), rows_count(shape, m), count,
                        rows + shape.out[m].start, 1, shape.width_out,
                        sums.get() + rows_start(shape, m), shape.sums(), slopes[m].get(),
                        rows_count(shape, m), true);
        for (std::size_t m = 0; dx && m < shape.out.size(); ++m)
            multiply<T>(count, rows_count(shape, m), shape.out[m].columns(),
                        rows + shape.out[m].start, shape.width_out, 1, mixes[m].get(),
                        rows_count(shape, m), sums.get() + rows_start(shape, m), shape.sums(),
                        false);
        for (Index v = 0; dx && v < count; ++v)
            scatter_vertex(shape, graph, first + v, sums.get() + v * shape.sums(), terms.get(),
                           turned.get(), dx);
        const T* alone = weighed(g, own_weight, first, count, shape.width_out, scaled.get());
        for (std::size_t n = 0; n < own_slopes.size(); ++n)
            multiply<T>(shape.in[n].columns(), shape.out[n].columns(), count,
                        x + first * shape.width_in + shape.in[n].start, 1, shape.width_in,
                        alone + shape.out[n].start, shape.width_out, own_slopes[n].get(),
                        shape.out[n].columns(), true);
        for (std::size_t n = 0; n < owns.size(); ++n)
            multiply<T>(count, shape.in[n].columns(), shape.out[n].columns(),
                        alone + shape.out[n].start, shape.width_out, 1, owns[n].get(),
                        shape.in[n].columns(), dx + first * shape.width_in + shape.in[n].start,
                        shape.width_in, true);
    }
    for (std::size_t m = 0; dweight && m < shape.out.size(); ++m)
        unmix(shape, m, slopes[m].get(), dweight);
    for (std::size_t n = 0; n < own_slopes.size(); ++n) {
        own_fold(shape.in[n], shape.out[n], own_slopes[n].get(), down);
        down += shape.in[n].count * shape.out[n].count * shape.in[n].parts;
    }
}

}  // namespace

#define EXPORT(T)                                                                                 \
    extern "C" void forward_##T(const Index* dims, Index vertices, const Index* indptr,           \
                                const Index* source, const T* post, const T* pre, const T* rings, \
                                const T* own_weight, const T* circle, const T* x,                 \
                                const T* weight, const T* own, const T* bias, T* out) {           \
        forward<T>(dims, vertices, {indptr, source, post, pre, rings}, own_weight, circle, x,     \
                   weight, own, bias, out);                                                       \
    }                                                                                             \
    extern "C" void backward_##T(const Index* dims, Index vertices, const Index* indptr,          \
                                 const Index* source, const T* post, const T* pre,                \
                                 const T* rings, const T* own_weight, const T* g, const T* x,     \
                                 const T* weight, const T* own, T* dx, T* dweight, T* down) {     \
        backward<T>(dims, vertices, {indptr, source, post, pre, rings}, own_weight, g, x, weight, \
                    own, dx, dweight, down);                                                      \
    }

EXPORT(float)
EXPORT(double)
