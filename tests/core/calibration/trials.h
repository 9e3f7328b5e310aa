// SPDX-License-Identifier: LGPL-2.1-or-later
// Good scores of known laws, so that the realised false-reject rate of a threshold is known
// exactly.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace uad::test {

/// Uniform in (0, 1); std distributions differ between libraries.
inline double uniform(std::mt19937_64& random) {
  return (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53;
}

inline double normal(std::mt19937_64& random) {
  const double radius = std::sqrt(-2 * std::log(uniform(random)));
  return radius * std::cos(2 * M_PI * uniform(random));
}

inline double normal_survival(double x) { return 0.5 * std::erfc(x / std::sqrt(2.0)); }

struct Law {
  const char* name;
  double (*draw)(std::mt19937_64&);
  double (*survival)(double);  ///< P(score >= x)
};

inline constexpr std::array kLaws{
    Law{"normal", [](std::mt19937_64& random) { return 10 + normal(random); },
        [](double x) { return normal_survival(x - 10); }},
    Law{"log-normal", [](std::mt19937_64& random) { return std::exp(normal(random)); },
        [](double x) { return x <= 0 ? 1.0 : normal_survival(std::log(x)); }},
    Law{"exponential", [](std::mt19937_64& random) { return -std::log(uniform(random)); },
        [](double x) { return std::exp(-std::max(x, 0.0)); }},
    Law{"Pareto, exponent 1.5",
        [](std::mt19937_64& random) { return std::pow(uniform(random), -1 / 1.5); },
        [](double x) { return std::pow(std::max(x, 1.0), -1.5); }},
    // Steps of a half, so that most scores are ties; P(step number >= k) = exp(-k / 2).
    Law{"exponential in steps",
        [](std::mt19937_64& random) { return std::floor(-2 * std::log(uniform(random))) / 2; },
        [](double x) { return std::exp(-std::max(std::ceil(2 * x) / 2, 0.0)); }},
};

inline std::vector<float> sample(const Law& law, std::size_t count, std::mt19937_64& random) {
  std::vector<float> scores(count);
  for (float& score : scores) score = static_cast<float>(law.draw(random));
  return scores;
}

}  // namespace uad::test
