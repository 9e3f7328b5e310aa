// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/demo/line.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace uad {
namespace {

TEST(ProductionLine, TheSameSeedDrawsTheSamePicture) {
  const auto scratched = [](int) { return demo::Defect::kScratch; };
  demo::ProductionLine a(5, scratched);
  demo::ProductionLine b(5, scratched);
  demo::ProductionLine other(6, scratched);
  (void)a.shoot({64, 64}, 900, 1.0);  // what was drawn before plays no part
  const demo::Shot shot = a.shoot({256, 256}, 0, 1.0);
  EXPECT_EQ(shot.image, b.shoot({256, 256}, 0, 1.0).image);
  EXPECT_NE(shot.image, other.shoot({256, 256}, 0, 1.0).image);
}

TEST(ProductionLine, MasksCoverTheirDefectAndNothingElse) {
  for (const demo::Defect defect :
       {demo::Defect::kScratch, demo::Defect::kStain, demo::Defect::kDent}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      demo::ProductionLine line(seed, [defect](int) { return defect; });
      const demo::Shot shot = line.shoot({256, 256}, 0, 1.0);
      const auto pixels = std::ranges::count(shot.mask.pixels, 255);
      EXPECT_GT(pixels, 20) << to_string(defect);
      EXPECT_LT(pixels, 256 * 256 / 25) << to_string(defect);  // small, as real defects are
      EXPECT_EQ(std::ranges::count(shot.mask.pixels, 0) + pixels, 256 * 256);
    }
  }
}

TEST(ProductionLine, GoodPartsHaveNoDefectPixel) {
  demo::ProductionLine line(3, [](int) { return demo::Defect::kNone; });
  EXPECT_EQ(std::ranges::count(line.shoot({640, 360}, 600, 1.0).mask.pixels, 0), 640 * 360);
}

TEST(ProductionLine, PartsMoveWithTheBelt) {
  demo::ProductionLine line(3, [](int) { return demo::Defect::kStain; });
  const demo::Shot before = line.shoot({256, 256}, 0, 1.0);
  const demo::Shot after = line.shoot({256, 256}, 10, 1.0);
  for (int y = 0; y < 256; ++y) {
    for (int x = 10; x < 256; ++x) {
      const auto at = [](const Image& mask, int row, int column) {
        return mask.pixels[static_cast<std::size_t>(row * 256 + column)];
      };
      ASSERT_EQ(at(after.mask, y, x - 10), at(before.mask, y, x));
    }
  }
}

}  // namespace
}  // namespace uad
