// SPDX-License-Identifier: LGPL-2.1-or-later
// What is known of the frames before anything is learnt: how many, of which kinds and parts,
// whether they suffice, and which of them are held out.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/preprocessor.h"
#include "core/self_test.h"
#include "core/training.h"

namespace uad {

struct TrainingData {
  explicit TrainingData(std::uint64_t seed) : self_test(seed) {}

  std::size_t frames = 0;            // readable ones
  std::vector<std::size_t> part_of;  // every frame; parts are counted from 0
  std::size_t parts = 0;
  std::vector<std::string> kinds;     // every frame
  std::vector<std::string> products;  // every part, of its first frame
  std::vector<bool> defective;        // every frame
  std::vector<std::int64_t> hashes;   // every frame, see short_hash()
  std::vector<SkippedFrame> skipped;
  std::string sha256;
  SelfTestFrames self_test;           // some of the frames
  std::vector<std::size_t> held_out;  // parts, ascending; empty = none
};

/// Visits every frame of a source from the first one on.
using FrameVisit = std::function<void(std::size_t index, const LabelledFrame& frame)>;
using VisitAll = std::function<void(const FrameVisit& visit)>;

/// Counts and hashes the frames, and holds some out as `request` says.
/// @throws Error(kBadOption) if they do not suffice for what is asked.
[[nodiscard]] TrainingData survey(const FrameSource& source, const VisitAll& visit_all,
                                  const TrainRequest& request,
                                  const TilePreprocessor& preprocessor);

/// "images" or "parts": what is counted.
[[nodiscard]] const char* unit_of(const TrainRequest& request);

/// Whether each part is left out once, because there are so few.
[[nodiscard]] bool leaves_one_out(const TrainingData& data, const TrainRequest& request);

}  // namespace uad
