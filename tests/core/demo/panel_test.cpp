// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/demo/panel.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace uad::demo {
namespace {

class EveryMura : public testing::TestWithParam<Mura> {};

/// Mean difference of a panel from the same one without mura, where `mask` is.
double contrast(const Panel& panel, const Panel& clean, const Image& mask) {
  double sum = 0;
  double count = 0;
  for (std::size_t i = 0; i < mask.pixels.size(); ++i) {
    if (mask.pixels[i] == 0) continue;
    sum += std::abs(panel.image.pixels[3 * i] - clean.image.pixels[3 * i]);
    ++count;
  }
  return sum / count;
}

TEST_P(EveryMura, SeriousOnesHaveAMaskAndStandOutInIt) {
  for (std::uint64_t seed = 1; seed < 6; ++seed) {
    const Panel serious = draw_panel(kPanelSize, seed, GetParam(), Severity::kSerious);
    const Panel light = draw_panel(kPanelSize, seed, GetParam(), Severity::kLight);
    const Panel clean = draw_panel(kPanelSize, seed, Mura::kNone, Severity::kLight);
    EXPECT_EQ(serious.image.pixels.size(), 481U * 271 * 3);
    EXPECT_GT(std::ranges::count(serious.mask.pixels, 255), 20);
    EXPECT_EQ(std::ranges::count(light.mask.pixels, 255), 0);
    EXPECT_GT(contrast(serious, clean, serious.mask), 1.2);
    EXPECT_LT(contrast(light, clean, serious.mask), 1.6);
  }
}

INSTANTIATE_TEST_SUITE_P(Panel, EveryMura, testing::ValuesIn(kMuras),
                         [](const auto& info) { return std::string(to_string(info.param)); });

TEST(Panel, IsTheSameForTheSameSeedOnly) {
  const auto draw = [](std::uint64_t seed) {
    return draw_panel({96, 64}, seed, Mura::kBlob, Severity::kSerious);
  };
  EXPECT_EQ(draw(3).image, draw(3).image);
  EXPECT_EQ(draw(3).mask, draw(3).mask);
  EXPECT_NE(draw(3).image, draw(4).image);
}

TEST(Panel, NamesAreDifferent) {
  std::set<std::string> names{to_string(Mura::kNone)};
  for (const Mura mura : kMuras) names.insert(to_string(mura));
  EXPECT_EQ(names.size(), kMuras.size() + 1);
}

}  // namespace
}  // namespace uad::demo
