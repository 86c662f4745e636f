"""C++ that finds the places of distances in a table, in one pass over the edges."""

from __future__ import annotations

__all__ = ["TEXT"]

TEXT = """
// powers: t^q of every distance, t its place in its interval; row: the number of the interval, of
// those `occupied` (compact), whose number is occupied[knots - 1]; beyond the cutoff the last row.
template <class T>
static void find_places(const T* distance, int64_t edges, int64_t knots, int64_t degree,
    int64_t compact, const double* scale, T* powers, int64_t* row, int64_t* occupied) {
  const double top = knots - 1, factor = *scale;
  std::vector<int64_t> number(knots, compact ? 0 : 1);
  for (int64_t e = 0; e < edges; e++) {
    double s = double(distance[e]) * factor;
    s = s > top ? top : s;
    int64_t i = s > 0 ? int64_t(s) : 0;
    T t = T(s - double(i)), power = 1, *out = powers + e * (degree + 1);
    for (int64_t q = 0; q <= degree; q++, power *= t) out[q] = power;
    row[e] = i;
    number[i] = 1;
  }
  int64_t found = 0;
  for (int64_t i = 0; i < knots - 1; i++)
    if (number[i]) { occupied[found] = i; number[i] = found++; }
  occupied[knots - 1] = number[knots - 1] = found;
  for (int64_t e = 0; e < edges; e++) row[e] = number[row[e]];
}
#define PLACES(NAME, T) extern "C" void NAME(const T* distance, int64_t edges, int64_t knots, \\
    int64_t degree, int64_t compact, const double* scale, T* powers, int64_t* row, \\
    int64_t* occupied) { \\
  find_places(distance, edges, knots, degree, compact, scale, powers, row, occupied); \\
}
PLACES(places_float, float)
PLACES(places_double, double)
"""
