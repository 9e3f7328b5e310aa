// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/continual.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/expect_error.h"

namespace uad {
namespace {

using nlohmann::json;
using test::expect_error;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kExact = 1e-9;

/// One product a task, named "0", "1", …; rows as the specification writes them.
std::vector<TaskResult> one_product_a_task(const std::vector<std::vector<double>>& rows) {
  std::vector<TaskResult> tasks;
  for (std::size_t task = 0; task < rows.size(); ++task) {
    tasks.push_back({{std::to_string(task)}, {}});
    for (std::size_t product = 0; product < rows[task].size(); ++product) {
      tasks.back().products.push_back(
          {std::to_string(product), rows[task][product], rows[task][product] / 2});
    }
  }
  return tasks;
}

ContinualFigures figures_of(const std::vector<std::vector<double>>& rows) {
  return continual_figures(task_matrix(one_product_a_task(rows), &ProductResult::image_auroc));
}

TEST(Continual, ExampleE) {
  const ContinualFigures figures = figures_of({{.95}, {.90, .92}, {.85, .93, .97}});
  EXPECT_THAT(figures.averages,
              Pointwise(DoubleNear(kExact), std::vector<double>{.95, .91, 2.75 / 3}));
  EXPECT_NEAR(figures.acc, 0.9255555556, kExact);
  EXPECT_NEAR(figures.forgetting, 0.0366666667, kExact);
  EXPECT_NEAR(figures.product_forgetting, 0.045, kExact);
  EXPECT_NEAR(figures.final_average, 2.75 / 3, kExact);
}

TEST(Continual, ExampleF) {
  TaskMatrix averages{{"all"}, {0}, {}};
  for (const double a : {96.90, 96.54, 94.70, 93.57, 93.31, 90.32}) averages.values.push_back({a});
  const ContinualFigures figures = continual_figures(averages);
  EXPECT_NEAR(figures.acc, 94.2233, 5e-5);
  EXPECT_NEAR(figures.forgetting, 3.2120, 5e-5);
}

TEST(Continual, AMatrixIsOfOneFigureAndInTheOrderOfLearning) {
  const TaskMatrix pixels = task_matrix({{{"b", "a"}, {{"b", .5, .6}, {"a", .7, .8}}},
                                         {{"c"}, {{"a", .1, .2}, {"b", .3, .4}, {"c", .9, 1}}}},
                                        &ProductResult::pixel_auroc);
  EXPECT_THAT(pixels.products, ElementsAre("b", "a", "c"));
  EXPECT_THAT(pixels.learnt_in, ElementsAre(0, 0, 1));
  EXPECT_EQ(pixels.values[0][0], .6);
  EXPECT_EQ(pixels.values[0][1], .8);
  EXPECT_TRUE(std::isnan(pixels.values[0][2]));
  EXPECT_THAT(pixels.values[1], ElementsAre(.4, .2, 1));
}

TEST(Continual, ForgettingOfOneTaskIsUndefined) {
  const ContinualFigures joint = figures_of({{.9}});
  EXPECT_NEAR(joint.acc, .9, kExact);
  EXPECT_TRUE(std::isnan(joint.forgetting));
  EXPECT_TRUE(std::isnan(joint.product_forgetting));
  EXPECT_TRUE(to_json(joint)["fm"].is_null());
}

TEST(Continual, ForgettingCountsFromTheBestBefore) {
  // A = .6 .8 .7: it gained .2, then lost .1.
  const ContinualFigures figures = figures_of({{.6}, {.8, .8}, {.7, .7, .7}});
  EXPECT_NEAR(figures.forgetting, (-.2 + .1) / 2, kExact);
  EXPECT_NEAR(figures.product_forgetting, .1, kExact);
}

TEST(Continual, WhatIsUndefinedIsLeftOutAndCounted) {
  const ContinualFigures figures = figures_of({{.9}, {.8, kNan}});
  EXPECT_THAT(figures.averages, Pointwise(DoubleNear(kExact), std::vector<double>{.9, .8}));
  EXPECT_NEAR(figures.forgetting, .1, kExact);
  EXPECT_EQ(figures.left_out, 1U);
  const ContinualFigures first = figures_of({{kNan}, {kNan, .8}});
  EXPECT_NEAR(first.acc, .8, kExact);
  EXPECT_TRUE(std::isnan(first.forgetting));
  EXPECT_EQ(first.left_out, 2U);
}

TEST(Continual, WhatIsWrittenReadsTheSame) {
  TaskResult task{{"b"}, {{"a", .25, .5, {}, "12ab"}, {"b", kNan, .75, {{"image_auroc", "no"}}}}};
  const json text = json::parse(to_json(task).dump());
  EXPECT_TRUE(text["results"][1]["image_auroc"].is_null());
  const TaskResult again = parse_task_result(text, "x.json");
  EXPECT_EQ(to_json(again), text);
  EXPECT_TRUE(std::isnan(again.products[1].image_auroc));
  EXPECT_EQ(again.products[0].test_sha256, "12ab");
}

TEST(Continual, ResultsThatCannotBeAreRefused) {
  const json good = to_json(TaskResult{{"a"}, {{"a", .25, .5}}});
  const auto expect_refused = [&](const char* pointer, const json& value, const char* why) {
    json bad = good;
    bad[json::json_pointer(pointer)] = value;
    expect_error(ErrorCode::kBadFile, {"\"x.json\"", why, "protocol.json"},
                 [&] { return parse_task_result(bad, "x.json"); });
  };
  expect_refused("/results/0/image_auroc", 1.5, "not within 0 and 1");
  expect_refused("/results/0/image_auroc", "high", "number");
  expect_refused("/learnt", 3, "array");
  expect_error(ErrorCode::kBadFile, {"learnt"},
               [] { return parse_task_result(json::object(), "x.json"); });
}

}  // namespace
}  // namespace uad
