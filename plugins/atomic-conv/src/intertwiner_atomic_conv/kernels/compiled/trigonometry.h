// Sine and cosine of 0 <= t <= pi/2, without branches in single precision (relative error 1e-7).

#pragma once

#include <cmath>

inline float sine(float t) {  // 0 <= t <= pi/2
    const float x = t * t;
    float p = -2.5052108e-8f;
    p = p * x + 2.7557319e-6f;
    p = p * x - 1.9841270e-4f;
    p = p * x + 8.3333333e-3f;
    p = p * x - 1.6666667e-1f;
    return t + t * x * p;
}

inline float cosine(float t) {
    const float x = t * t;
    float p = 2.0876757e-9f;
    p = p * x - 2.7557319e-7f;
    p = p * x + 2.4801587e-5f;
    p = p * x - 1.3888889e-3f;
    p = p * x + 4.1666667e-2f;
    p = p * x - 0.5f;
    return 1.0f + x * p;
}

inline double sine(double t) { return std::sin(t); }
inline double cosine(double t) { return std::cos(t); }
