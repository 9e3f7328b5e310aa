// SPDX-License-Identifier: LGPL-2.1-or-later
// How often thresholds break what they claim, over 2,000 seeded samples of every law and size: the
// promised one, the largest good score, mean + 3 sd. Prints the tables of docs/thresholds.md.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "core/calibration/promise.h"
#include "core/calibration/tail_estimate.h"
#include "tests/core/calibration/trials.h"

namespace {

using uad::Promise;
using uad::PromiseTarget;

constexpr int kTrials = 2000;
constexpr PromiseTarget kTarget{1e-2, 0.95};

float mean_plus_3_sd(const std::vector<float>& scores) {
  const auto count = static_cast<double>(scores.size());
  const double mean = std::accumulate(scores.begin(), scores.end(), 0.0) / count;
  double squares = 0;
  for (const float score : scores) squares += (score - mean) * (score - mean);
  return static_cast<float>(mean + 3 * std::sqrt(squares / count));
}

/// Trials in which the true false-reject rate was above the claim.
struct Broken {
  int promise = 0;  // against the rate that was promised
  int maximum = 0;  // these against the target, which they know nothing of
  int three_sd = 0;
  int estimate = 0;
};

Broken count_broken(const uad::test::Law& law, std::size_t samples, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Broken broken;
  for (int trial = 0; trial < kTrials; ++trial) {
    const std::vector<float> scores = uad::test::sample(law, samples, random);
    const Promise promise = uad::promise_threshold(scores, kTarget);
    const auto estimate = uad::estimate_tail(scores, kTarget.rate);
    broken.promise += law.survival(promise.threshold) > promise.rate ? 1 : 0;
    broken.maximum += law.survival(std::ranges::max(scores)) > kTarget.rate ? 1 : 0;
    broken.three_sd += law.survival(mean_plus_3_sd(scores)) > kTarget.rate ? 1 : 0;
    if (estimate) broken.estimate += law.survival(estimate->threshold) > kTarget.rate ? 1 : 0;
  }
  return broken;
}

void print_needed() {
  fmt::print("| at most rejected | 90 % | 95 % | 99 % |\n| --- | --- | --- | --- |\n");
  for (const double rate : {0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 1e-4}) {
    fmt::print("| {:g} % |", 100 * rate);
    for (const double confidence : {0.9, 0.95, 0.99}) {
      fmt::print(" {} |", uad::samples_needed({rate, confidence}));
    }
    fmt::print("\n");
  }
}

std::string percent(int broken) { return fmt::format("{:.1f} %", 100.0 * broken / kTrials); }

void print_broken() {
  fmt::print(
      "| scores | good parts | promised | broken | largest score | mean + 3 sd | tail "
      "estimate |\n| --- | --- | --- | --- | --- | --- | --- |\n");
  std::uint64_t seed = 0;
  for (const uad::test::Law& law : uad::test::kLaws) {
    for (const std::size_t samples : {20U, 100U, 299U, 1000U, 5000U}) {
      const Broken broken = count_broken(law, samples, ++seed);
      const double promised = uad::promise_threshold(std::vector<float>(samples), kTarget).rate;
      fmt::print("| {} | {} | {:.3g} % | {} | {} | {} | {} |\n", law.name, samples, 100 * promised,
                 percent(broken.promise), percent(broken.maximum), percent(broken.three_sd),
                 percent(broken.estimate));
    }
  }
}

}  // namespace

int main() {
  print_needed();
  fmt::print("\n");
  print_broken();
}
