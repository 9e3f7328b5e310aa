// SPDX-License-Identifier: LGPL-2.1-or-later
// From frames to independent samples: the frames of one part are one sample.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/eval/evaluation.h"

namespace uad {

/// Which frames show the same part.
struct PartRule {
  enum class Kind {
    kFrame,   ///< every frame a part of its own
    kFolder,  ///< the frames of one folder
    kRun      ///< so many frames that follow each other
  };
  Kind kind = Kind::kFrame;
  std::size_t frames = 1;  ///< of a part, kRun only
  bool operator==(const PartRule&) const = default;
};

/// "frame", "folder" or "frames:N". @throws Error(kBadOption) naming `option`.
PartRule parse_part_rule(std::string_view text, std::string_view option);
std::string to_string(const PartRule& rule);

/// Numbers the parts while their frames pass by in order.
class PartNumbers {
 public:
  explicit PartNumbers(const PartRule& rule) : rule_(rule) {}
  /// The part of the next frame; parts are counted from 0 in the order of their first frame.
  std::size_t next(const std::string& frame_name);

 private:
  PartRule rule_;
  std::size_t frames_ = 0;
  std::map<std::string, std::size_t> folders_;
};

/// One score for each part: the largest of its frames, by which the part is rejected or not.
struct GoodSamples {
  PartRule rule;
  std::vector<float> scores;      ///< raw image scores
  std::vector<float> map_maxima;  ///< raw
  std::size_t frames = 0;         ///< that show these parts
  std::size_t left_out = 0;       ///< frames of a last part that was not complete
};

/// Frames cannot be counted off where some are missing.
/// @param skipped  frames that could not be read. @throws Error(kBadOption) naming the first.
void require_whole_parts(const PartRule& rule, const std::vector<SkippedFrame>& skipped);

/// @throws Error(kBadOption) as require_whole_parts(), and if there is no whole part.
GoodSamples group_by_part(const std::vector<ScoredFrame>& frames, const PartRule& rule,
                          const std::vector<SkippedFrame>& skipped);

}  // namespace uad
