// SPDX-License-Identifier: LGPL-2.1-or-later
// One part of the demonstration line: a brushed steel plate with holes, a turned ring and a print.
#pragma once

#include <cstdint>

#include <opencv2/core.hpp>

namespace uad::demo {

enum class Defect { kNone, kScratch, kStain, kDent };

/// "good", "scratch", "stain", "dent": the folder names of the data set.
const char* to_string(Defect defect);

/// Pictures of kPartSize, all of them square.
struct Part {
  cv::Mat colour;  ///< RGB, uint8
  cv::Mat alpha;   ///< uint8, 255 = part
  cv::Mat shadow;  ///< uint8, 255 = darkest
  cv::Mat defect;  ///< uint8, 255 = defect, 0 everywhere for kNone
};

inline constexpr int kPartSize = 224;  ///< frame pixels, with a margin for pose and shadow

/// The same seed and defect give the same part. No two seeds have the same brushing, pose (a few
/// pixels, up to 1.5 degrees), shade or defect. @note Thread-safe.
Part draw_part(std::uint64_t seed, Defect defect);

}  // namespace uad::demo
