// SPDX-License-Identifier: LGPL-2.1-or-later
// The report of models that learn product by product.
#include "core/eval/report/protocol_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/expect_error.h"

namespace uad::report {
namespace {

using nlohmann::json;
using test::expect_error;
using ::testing::HasSubstr;
using ::testing::Not;

/// Example E of the specification as uad train --protocol stores it.
json record() {
  const std::vector<std::vector<double>> rows{{.95}, {.90, .92}, {.85, .93, .97}};
  json record = json::parse(R"({"run": "first", "method": "padim on gabor", "data": "/data",
      "protocol": {"name": "one by one", "tasks": [["a"], ["b"], ["c & d"]]},
      "setup": {"options": {"channels": 100, "mask": null}, "seed": 3}, "tasks": []})");
  const std::vector<std::string> names{"a", "b", "c & d"};
  for (std::size_t task = 0; task < rows.size(); ++task) {
    TaskResult result{{names[task]}, {}};
    for (std::size_t i = 0; i < rows[task].size(); ++i) {
      result.products.push_back(
          {names[i], rows[task][i], rows[task][i], {}, "images of " + names[i]});
    }
    json one = to_json(result);
    one.update({{"images", 10}, {"seconds", 1.5}});
    record["tasks"].push_back(one);
  }
  return record;
}

std::string page_of(const std::vector<json>& records) {
  std::vector<ProtocolRun> runs;
  for (const json& one : records) runs.push_back(parse_protocol_run(one, "protocol.json"));
  return protocol_page(runs, {"", "made by a test"});
}

/// The same products learnt together.
json joint() {
  json all = record();
  all["run"] = "joint";
  all["protocol"]["tasks"] = json::parse(R"([["a", "b", "c & d"]])");
  all["tasks"] = {all["tasks"][2]};
  all["tasks"][0]["learnt"] = {"a", "b", "c & d"};
  return all;
}

TEST(ProtocolPage, ShowsTheMatrixAndTheFigures) {
  const std::string page = page_of({record()});
  for (const char* part : {"<dt>ACC</dt><dd><strong>0.926<", "FM</dt><dd><strong>0.037<",
                           "<td>0.950</td><td>0.900</td><td>0.850</td><td>0.100</td>",
                           "<td></td><td></td><td>0.970</td><td>–</td>", "c &amp; d",
                           "made by a test", "0.950 → 0.917"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  EXPECT_THAT(page, Not(HasSubstr("c & d")));
  EXPECT_THAT(page, Not(HasSubstr("class=\"warning\"")));
}

TEST(ProtocolPage, RunsOfTheSameImagesAreRanked) {
  const std::string page = page_of({record(), joint()});
  EXPECT_THAT(page, HasSubstr("<td class=\"best\">0.926</td><td>0.917</td>"));
  EXPECT_THAT(page, HasSubstr("<td class=\"best\">0.037</td><td>–</td>"));
  EXPECT_THAT(page, Not(HasSubstr("do not compare")));
}

TEST(ProtocolPage, RunsOfOtherImagesAreNotRanked) {
  json other = joint();
  other["tasks"][0]["results"][1]["test_sha256"] = "others";
  const std::string page = page_of({record(), other});
  EXPECT_THAT(page, HasSubstr("do not compare"));
  EXPECT_THAT(page, Not(HasSubstr("class=\"best\"")));
}

TEST(ProtocolPage, ATaskThatIsNotJudgedYetIsLeftOut) {
  json cut = record();
  cut["tasks"][2]["results"].erase(2);
  const std::string page = page_of({cut});
  EXPECT_THAT(page, HasSubstr("2 of 3 tasks are done"));
  EXPECT_THAT(page, Not(HasSubstr("task&nbsp;2")));
}

TEST(ProtocolPage, RunsOfOneNameAreToldApart) {
  EXPECT_THAT(page_of({record(), record()}), HasSubstr("first (2)"));
}

TEST(ProtocolPage, WhatIsNoFinishedRunIsRefused) {
  const auto expect_refused = [](const json& bad, const char* why) {
    expect_error(ErrorCode::kBadFile, {"\"x.json\"", why},
                 [&] { return parse_protocol_run(bad, "x.json"); });
  };
  json none = record();
  none["tasks"] = json::array();
  expect_refused(none, "no task of it is finished");
  json damaged = record();
  damaged["tasks"][0].erase("seconds");
  expect_refused(damaged, "seconds");
  expect_error(ErrorCode::kBadOption, {"at least one run"}, [] { return protocol_page({}, {}); });
}

}  // namespace
}  // namespace uad::report
