// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/split.h"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/expect_error.h"

namespace {

using Kinds = std::vector<std::string>;
using uad::ErrorCode;
using uad::stratified_folds;
using uad::stratified_hold_out;
using uad::test::expect_error;

Kinds kinds_of(const std::vector<std::pair<std::string, std::size_t>>& counts) {
  Kinds kinds;
  for (const auto& [kind, count] : counts) kinds.insert(kinds.end(), count, kind);
  return kinds;
}

std::map<std::string, std::size_t> count(const Kinds& kinds,
                                         const std::vector<std::size_t>& indices) {
  std::map<std::string, std::size_t> counts;
  for (const std::size_t i : indices) ++counts[kinds.at(i)];
  return counts;
}

const Kinds kCarpet = kinds_of({{"good", 308},
                                {"color", 19},
                                {"cut", 17},
                                {"hole", 17},
                                {"metal_contamination", 17},
                                {"thread", 19}});
const Kinds kCapsule = kinds_of({{"good", 242},
                                 {"crack", 23},
                                 {"faulty_imprint", 22},
                                 {"poke", 21},
                                 {"scratch", 23},
                                 {"squeeze", 20}});

TEST(HeldOutCount, IsThePublishedOneAndNotFooledByRounding) {
  // Training images of the MVTec categories; the specification of STFPM, section 4.
  const std::map<std::size_t, std::size_t> published{
      {60, 12},  {209, 42}, {213, 43}, {219, 44}, {220, 44}, {224, 45}, {230, 46}, {240, 48},
      {245, 49}, {247, 50}, {264, 53}, {267, 54}, {280, 56}, {320, 64}, {391, 79}};
  for (const auto& [n, held_out] : published) EXPECT_EQ(uad::held_out_count(n, 0.2), held_out);
  EXPECT_GT(0.07 * 100, 7);
  EXPECT_EQ(uad::held_out_count(100, 0.07), 7U);
  EXPECT_EQ(uad::held_out_count(0, 0.2), 0U);
}

TEST(StratifiedHoldOut, HasThePublishedSizesWithEveryKindOnBothSides) {
  for (const auto& [kinds, fit, held_out] :
       {std::tuple{kCarpet, 317U, 80U}, std::tuple{kCapsule, 280U, 71U}}) {
    const uad::HoldOut split = stratified_hold_out(kinds, 0.2, 42);
    EXPECT_EQ(split.fit.size(), fit);
    EXPECT_EQ(split.held_out.size(), held_out);
    EXPECT_EQ(count(kinds, split.fit).size(), 6U);
    EXPECT_EQ(count(kinds, split.held_out).size(), 6U);
    std::set<std::size_t> both(split.fit.begin(), split.fit.end());
    both.insert(split.held_out.begin(), split.held_out.end());
    EXPECT_EQ(both.size(), kinds.size());
  }
}

TEST(StratifiedHoldOut, GivesEachKindItsWholePartAndTheRestToTheLargestFractions) {
  // 80 of 397: good 62.07, color and thread 3.83, the others 3.43. The whole parts leave three; two
  // go to the .83, and one of the three .43 is drawn.
  std::set<std::string> drawn;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto counts = count(kCarpet, stratified_hold_out(kCarpet, 0.2, seed).held_out);
    EXPECT_EQ(counts["good"], 62U);
    EXPECT_EQ(counts["color"], 4U);
    EXPECT_EQ(counts["thread"], 4U);
    EXPECT_EQ(counts["cut"] + counts["hole"] + counts["metal_contamination"], 10U);
    for (const char* kind : {"cut", "hole", "metal_contamination"}) {
      if (counts[kind] == 4) drawn.insert(kind);
    }
  }
  EXPECT_EQ(drawn.size(), 3U);
}

TEST(StratifiedHoldOut, IsDecidedByTheSeed) {
  EXPECT_EQ(stratified_hold_out(kCarpet, 0.2, 42).held_out,
            stratified_hold_out(kCarpet, 0.2, 42).held_out);
  EXPECT_NE(stratified_hold_out(kCarpet, 0.2, 42).held_out,
            stratified_hold_out(kCarpet, 0.2, 43).held_out);
}

TEST(StratifiedHoldOut, DrawsFromTheWholeOfAKind) {
  const Kinds good(50, "good");
  std::set<std::size_t> met;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const uad::HoldOut split = stratified_hold_out(good, 0.2, seed);
    met.insert(split.held_out.begin(), split.held_out.end());
  }
  EXPECT_EQ(met.size(), 50U);
}

TEST(StratifiedHoldOut, SaysWhatCannotBeSplit) {
  expect_error(ErrorCode::kBadOption, {"above 0", "1.5"}, [] {
    return stratified_hold_out({"a", "b"}, 1.5, 0);
  });
  expect_error(ErrorCode::kBadOption, {"1 of 1", "none to learn from"},
               [] { return stratified_hold_out({"a"}, 0.2, 0); });
}

TEST(StratifiedFolds, HoldOutEverySampleOnceWithSizesThatDifferByAtMostOne) {
  const auto folds = stratified_folds(kCapsule, 5);
  std::set<std::size_t> all;
  std::set<std::size_t> sizes;
  std::map<std::string, std::set<std::size_t>> sizes_by_kind;
  for (const auto& fold : folds) {
    all.insert(fold.begin(), fold.end());
    sizes.insert(fold.size());
    for (const auto& [kind, n] : count(kCapsule, fold)) sizes_by_kind[kind].insert(n);
  }
  EXPECT_EQ(folds.size(), 5U);
  EXPECT_EQ(all.size(), kCapsule.size());
  EXPECT_EQ(sizes, (std::set<std::size_t>{70, 71}));
  EXPECT_EQ(sizes_by_kind["good"], (std::set<std::size_t>{48, 49}));
  EXPECT_EQ(sizes_by_kind["faulty_imprint"], (std::set<std::size_t>{4, 5}));
  EXPECT_EQ(sizes_by_kind["squeeze"], (std::set<std::size_t>{4}));
}

TEST(StratifiedFolds, KeepTheOrderOfTheFiles) {
  const auto folds = stratified_folds({"a", "b", "a", "b", "a", "b", "a"}, 3);
  EXPECT_EQ(folds[0], (std::vector<std::size_t>{0, 1, 2}));  // the odd "a" is the first fold's
  EXPECT_EQ(folds[1], (std::vector<std::size_t>{3, 4}));
  EXPECT_EQ(folds[2], (std::vector<std::size_t>{5, 6}));
}

TEST(StratifiedFolds, SaysWhatCannotBeCut) {
  expect_error(ErrorCode::kBadOption, {"3 samples", "5 folds"}, [] {
    return stratified_folds({"a", "a", "b"}, 5);
  });
  expect_error(ErrorCode::kBadOption, {"1 folds"}, [] {
    return stratified_folds({"a", "a", "b"}, 1);
  });
}

}  // namespace
