// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/protocol.h"

#include <map>
#include <numeric>

#include <gmock/gmock.h>

#include "core/base/error.h"
#include "tests/core/data/image_tree.h"
#include "tests/support/expect_error.h"

namespace {

using nlohmann::json;
using testing::ElementsAre;
using uad::ErrorCode;
using uad::find_protocol;
using uad::list_dataset;
using uad::parse_protocol;
using uad::test::expect_error;

class PublishedProtocols : public uad::test::ImageTree {
 protected:
  /// Empty images: as many good ones to learn from as the published set has.
  void put_set(const std::vector<std::string>& products, const std::vector<int>& counts) {
    for (std::size_t i = 0; i < products.size(); ++i) {
      put_empty(products[i] + "/train/good/{:03}.png", counts.at(i));
    }
  }
  /// Images that each task of a protocol learns from.
  [[nodiscard]] std::vector<std::size_t> counts(const std::string& name) const {
    const uad::Protocol& protocol = find_protocol(name);
    uad::require_products(protocol, dir_.path());
    std::vector<std::size_t> found;
    for (const uad::ProtocolTask& task : protocol.tasks) {
      found.push_back(0);
      for (const std::string& product : task.products) {
        found.back() += count(uad::product_path(protocol, dir_.path(), product));
      }
    }
    return found;
  }

 private:
  [[nodiscard]] std::size_t count(const std::filesystem::path& product) const {
    const auto [known, added] = counted_.emplace(product, 0);
    if (added) known->second = list_dataset(product).train.size();
    return known->second;
  }
  mutable std::map<std::filesystem::path, std::size_t> counted_;  // listing takes its time
};

TEST_F(PublishedProtocols, OfMvtecHaveThePublishedCountsInEveryTask) {
  put_set(uad::mvtec_products(),
          {209, 224, 219, 280, 264, 391, 245, 220, 267, 320, 230, 60, 213, 247, 240});
  EXPECT_THAT(counts("14-1"), ElementsAre(3389, 240));
  EXPECT_THAT(counts("10-5"), ElementsAre(2639, 990));
  EXPECT_THAT(counts("3-3"), ElementsAre(652, 935, 732, 610, 700));
  EXPECT_THAT(counts("10-1"), ElementsAre(2639, 230, 60, 213, 247, 240));
  for (const char* name : {"14-1", "10-5", "3-3", "10-1"}) {
    const auto all = counts(name);
    EXPECT_EQ(std::accumulate(all.begin(), all.end(), std::size_t{0}), 3629U) << name;
  }
}

TEST_F(PublishedProtocols, OfVisaHaveThePublishedCountsInEveryTask) {
  put_set(uad::visa_products(), {900, 542, 450, 453, 450, 900, 900, 904, 901, 905, 904, 450});
  EXPECT_THAT(counts("11-1"), ElementsAre(8209, 450));
  EXPECT_THAT(counts("8-4"), ElementsAre(5499, 3160));
  EXPECT_THAT(counts("8-1"), ElementsAre(5499, 901, 905, 904, 450));
  for (const char* name : {"11-1", "8-4", "8-1"}) {
    const auto all = counts(name);
    EXPECT_EQ(std::accumulate(all.begin(), all.end(), std::size_t{0}), 8659U) << name;
  }
}

TEST(Protocol, TheDataSetAndTheStepsMayBeToldWithTheName) {
  for (const char* name : {"10-1", "10-1x5", "mvtec-10-1", "MVTec-10-1x5"}) {
    EXPECT_EQ(find_protocol(name).name, "mvtec-10-1") << name;
    EXPECT_EQ(find_protocol(name).tasks.size(), 6U);
  }
  EXPECT_EQ(find_protocol("3-3x4").tasks[1].products,
            (std::vector<std::string>{"carpet", "grid", "hazelnut"}));
  EXPECT_THAT(find_protocol("8-1x4").tasks.back().products, ElementsAre("pipe_fryum"));
}

TEST(Protocol, AnUnknownNameIsAnsweredWithTheKnownOnes) {
  expect_error(ErrorCode::kBadOption, {"\"10-2\"", "Did you mean \"10-", "3-3", "YAML"},
               [] { return find_protocol("10-2"); });
  expect_error(ErrorCode::kBadOption, {"Did you mean \"mvtec-10-"},
               [] { return find_protocol("mvtec-10-l"); });
  for (const char* name : {"10-1x4", "visa-10-1", ""}) {
    expect_error(ErrorCode::kBadOption, {"is not known"}, [&] { return find_protocol(name); });
  }
}

TEST(Protocol, WhatIsWrittenReadsTheSame) {
  const json text = json::parse(R"({"name": "mine", "dataset": "own",
    "tasks": [["a", "b"], {"products": ["c"], "options": {"epochs": "30"}}],
    "paths": {"c": "elsewhere/c"}})");
  const uad::Protocol protocol = parse_protocol(text, "mine.yaml");
  EXPECT_EQ(to_json(protocol), text);
  EXPECT_EQ(protocol.tasks[1].options, json({{"epochs", "30"}}));
  EXPECT_THAT(uad::products_up_to(protocol, 0), ElementsAre("a", "b"));
  EXPECT_THAT(uad::products_up_to(protocol, 1), ElementsAre("a", "b", "c"));
  EXPECT_EQ(uad::product_path(protocol, "/data", "a"), "/data/a");
  EXPECT_EQ(uad::product_path(protocol, "/data", "c"), "/data/elsewhere/c");
  EXPECT_EQ(parse_protocol({{"tasks", {{"a"}}}}, "some/mine.yaml").name, "mine");
}

TEST(Protocol, WhatCannotBeLearntIsRefused) {
  const auto expect_refused = [](const std::string& text, const std::string& why) {
    expect_error(ErrorCode::kBadFile, {"\"x.yaml\"", why},
                 [&] { return parse_protocol(json::parse(text), "x.yaml"); });
  };
  expect_refused(R"({"tasks": [["a", "b", "a"]]})", "task 0 names product \"a\" twice");
  expect_refused(R"({"tasks": [["a"], ["b"], ["a"]]})", "\"a\" is in task 0 and in task 2");
  expect_refused(R"({"tasks": [["a"], []]})", "task 1 names no product");
  expect_refused(R"({"tasks": [["a"], {"options": {}}]})", "task 1 names no product");
  expect_refused(R"({"tasks": [["a", ""]]})", "without a name");
  expect_refused(R"({"tasks": [{"products": ["a"], "options": ["epochs"]}]})", "options of task 0");
  expect_refused(R"({"tasks": [{"products": ["a"], "option": {}}]})", "did you mean \"options\"");
  expect_refused(R"({"tasks": []})", "no \"tasks\"");
  expect_refused(R"({"name": "x"})", "no \"tasks\"");
  expect_refused(R"({"task": [["a"]]})", "did you mean \"tasks\"");
  expect_refused(R"({"tasks": [["a"]], "paths": {"b": "c"}})", "\"b\", which no task learns");
  expect_refused(R"({"tasks": [["a"]], "name": [1]})", "\"name\" must be a text");
  expect_refused(R"([["a"]])", "key: value");
}

TEST_F(PublishedProtocols, EveryAbsentFolderIsNamedAtOnce) {
  put("here/train/good/1.png");
  const uad::Protocol protocol = parse_protocol(
      json::parse(R"({"tasks": [["here"], ["gone", "far"]], "paths": {"far": "away/far"}})"),
      "x.yaml");
  expect_error(ErrorCode::kNotFound,
               {(dir_ / "gone").string(), (dir_ / "away/far").string(), "paths"},
               [&] { uad::require_products(protocol, dir_.path()); });
}

}  // namespace
