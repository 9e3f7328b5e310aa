// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/part.h"

#include <string>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace {

std::vector<uad::ImageItem> items(const std::string& kind, int count) {
  std::vector<uad::ImageItem> result;
  for (int i = 0; i < count; ++i)
    result.push_back({kind + std::to_string(i), kind, kind != "good", {}});
  return result;
}

std::vector<uad::ImageItem> mixed() {
  std::vector<uad::ImageItem> all = items("good", 5);
  for (const uad::ImageItem& item : items("crack", 4)) all.push_back(item);
  return all;
}

TEST(Part, PartsAreDisjointAndCoverTheSet) {
  std::size_t total = 0;
  for (int k = 1; k <= 3; ++k) total += uad::part_of(mixed(), {k, 3}).size();
  EXPECT_EQ(total, 9U);
}

TEST(Part, EveryKindIsCutIntoBlocksInNameOrder) {
  const auto second = uad::part_of(mixed(), {2, 2});
  ASSERT_EQ(second.size(), 5U);
  EXPECT_EQ(second[0].image, "good2");
  EXPECT_EQ(second[2].image, "good4");
  EXPECT_EQ(second[3].image, "crack2");
  EXPECT_EQ(second[4].image, "crack3");
}

TEST(Part, TextIsReadAndNonsenseIsRefused) {
  EXPECT_EQ(uad::parse_part("2/3", "part").index, 2);
  EXPECT_EQ(uad::parse_part("2/3", "part").count, 3);
  for (const char* text : {"", "1", "0/2", "3/2", "1/2x", "a/b", "1/"}) {
    EXPECT_THROW(uad::parse_part(text, "part"), uad::Error) << text;
  }
}

}  // namespace
