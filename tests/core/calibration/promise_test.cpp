// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/calibration/promise.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/calibration/tail_estimate.h"
#include "tests/core/calibration/trials.h"
#include "tests/support/expect_error.h"

namespace uad {
namespace {

using test::expect_error;

/// 1, 2, … count
std::vector<float> ladder(int count) {
  std::vector<float> scores(static_cast<std::size_t>(count));
  std::iota(scores.begin(), scores.end(), 1.0F);
  return scores;
}

float just_above(float score) { return std::nextafter(score, 1e30F); }

TEST(Promise, NeedsTheSamplesOfTheTables) {
  EXPECT_EQ(samples_needed({1e-3, 0.95}), 2995);
  EXPECT_EQ(samples_needed({1e-2, 0.95}), 299);
  EXPECT_EQ(samples_needed({5e-2, 0.95}), 59);
  EXPECT_EQ(samples_needed({1e-2, 0.99}), 459);
  EXPECT_EQ(samples_needed({0.5, 0.75}), 2);  // (1/2)^2 is 1 - 3/4 exactly
  EXPECT_EQ(samples_needed({1e-300, 0.95}), 1'000'000'000'000'000'000);
}

TEST(Promise, TheLargestScoreServesFromTheSamplesNeededOn) {
  const Promise enough = promise_threshold(ladder(2995), {1e-3, 0.95});
  EXPECT_TRUE(enough.reaches_target());
  EXPECT_EQ(enough.order, 1);
  EXPECT_EQ(enough.threshold, just_above(2995));
  EXPECT_LE(enough.rate, 1e-3);
  const Promise one_short = promise_threshold(ladder(2994), {1e-3, 0.95});
  EXPECT_FALSE(one_short.reaches_target());
  EXPECT_GT(one_short.rate, 1e-3);
  EXPECT_NEAR(one_short.rate, 1 - std::pow(0.05, 1.0 / 2994), 1e-12);
}

TEST(Promise, TooFewSamplesGiveTheRateOfTheirLargest) {
  const Promise promise = promise_threshold(ladder(20), {1e-3, 0.95});
  EXPECT_EQ(promise.needed, 2995);
  EXPECT_EQ(promise.samples, 20);
  EXPECT_EQ(promise.threshold, just_above(20));
  EXPECT_NEAR(promise.rate, 1 - std::pow(0.05, 1.0 / 20), 1e-12);
}

/// Classic values of nonparametric tolerance limits: 93 samples for the second, 124 for the third.
TEST(Promise, MoreSamplesAllowALowerThreshold) {
  EXPECT_EQ(promise_threshold(ladder(92), {0.05, 0.95}).order, 1);
  EXPECT_EQ(promise_threshold(ladder(93), {0.05, 0.95}).order, 2);
  EXPECT_EQ(promise_threshold(ladder(123), {0.05, 0.95}).order, 2);
  const Promise third = promise_threshold(ladder(124), {0.05, 0.95});
  EXPECT_EQ(third.order, 3);
  EXPECT_EQ(third.threshold, just_above(122));
  EXPECT_LE(third.rate, 0.05);
  EXPECT_GT(third.rate, 0.049);
}

TEST(Promise, TheChosenScoreAndItsTiesAreNotRejected) {
  std::vector<float> scores(3000, 7.0F);
  const Promise promise = promise_threshold(scores, {1e-3, 0.95});
  EXPECT_GT(promise.threshold, 7.0F);
  EXPECT_LT(promise.threshold, 7.00001F);
  EXPECT_GT(promise_threshold({0.0F, -0.0F}, {}).threshold, 0.0F);
  EXPECT_EQ(promise_threshold({-2.0F, -1.0F}, {}).threshold, just_above(-1));
}

TEST(Promise, TheRateIsTheOneThatTheOrderKeeps) {
  // Beta(2, 92) has its 95 % quantile below 0.05, Beta(2, 91) above.
  EXPECT_LT(promised_rate(93, 2, 0.95), 0.05);
  EXPECT_GT(promised_rate(92, 2, 0.95), 0.05);
  EXPECT_NEAR(promised_rate(1, 1, 0.9), 0.9, 1e-12);
  // Large samples: the binomial's first terms underflow, the answer stays near the order's share.
  EXPECT_NEAR(promised_rate(1'000'000, 10'000, 0.95), 0.0102, 1e-4);
}

TEST(Promise, LargeSamplesStayNearTheTarget) {
  const Promise promise = promise_threshold(ladder(1'000'000), {0.01, 0.95});
  EXPECT_NEAR(static_cast<double>(promise.order), 9836, 2);  // 10000 - 1.645 sqrt(9900)
  EXPECT_NEAR(promise.rate, 0.01, 2e-6);
}

TEST(Promise, WhatCannotBePromisedIsRefused) {
  for (const double rate : {0.0, 1.0, -0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    expect_error(ErrorCode::kBadOption, {"false-reject-rate", "above 0 and below 1"}, [&] {
      return promise_threshold({1, 2}, {rate, 0.95});
    });
    expect_error(ErrorCode::kBadOption, {"confidence", "above 0 and below 1"}, [&] {
      return promise_threshold({1, 2}, {0.1, rate});
    });
  }
  expect_error(ErrorCode::kBadOption, {"there is none"}, [] { return promise_threshold({}, {}); });
  const float infinity = std::numeric_limits<float>::infinity();
  expect_error(ErrorCode::kBadOption, {"finite"}, [&] {
    return promise_threshold({1, infinity}, {});
  });
}

/// 200 calibrations break a promise of 95 % about 10 times; more than 17 would be a breach of it
/// (1.5 % by chance).
TEST(Promise, IsKeptForEveryLawInAtLeast183Of200Trials) {
  constexpr std::array<std::size_t, 8> kSizes{20, 59, 100, 299, 500, 1000, 2995, 5000};
  for (const test::Law& law : test::kLaws) {
    std::mt19937_64 random(5);
    int broken = 0;
    for (std::size_t trial = 0; trial < 200; ++trial) {
      const auto scores = test::sample(law, kSizes.at(trial % kSizes.size()), random);
      const Promise promise = promise_threshold(scores, {trial % 2 == 0 ? 1e-2 : 1e-3, 0.95});
      if (law.survival(promise.threshold) > promise.rate) ++broken;
    }
    EXPECT_LE(broken, 17) << law.name;
  }
}

TEST(TailEstimate, FindsTheQuantileOfAKnownTail) {
  struct Case {
    std::size_t law;
    double quantile, shape;
  };
  for (const Case& known : {Case{2, -std::log(1e-3), 0.0}, Case{3, 100.0, 1 / 1.5}}) {
    std::mt19937_64 random(11);
    const auto scores = test::sample(test::kLaws.at(known.law), 5000, random);
    const auto estimate = estimate_tail(scores, 1e-3);
    ASSERT_TRUE(estimate);
    EXPECT_EQ(estimate->tail, 500);
    EXPECT_NEAR(estimate->shape, known.shape, 0.12);
    EXPECT_NEAR(estimate->threshold / known.quantile, 1, 0.25);
  }
}

TEST(TailEstimate, IsLeftOutWhereItWouldMeanNothing) {
  EXPECT_FALSE(estimate_tail(ladder(19), 1e-3));
  EXPECT_FALSE(estimate_tail(std::vector<float>(1000, 3.0F), 1e-3));  // nothing but ties
  EXPECT_FALSE(estimate_tail(ladder(1000), 0.2));                     // needs no extrapolation
  EXPECT_TRUE(estimate_tail(ladder(1000), 1e-3));
  EXPECT_TRUE(estimate_tail(ladder(20), 1e-3));
}

}  // namespace
}  // namespace uad
