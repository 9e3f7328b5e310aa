// SPDX-License-Identifier: LGPL-2.1-or-later
// The demonstration's two pipelines: one records the drawn line, one judges it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/backend.h"
#include "core/base/pixels/image.h"

namespace uad::tools {

inline constexpr int kDemoFramesPerSecond = 25;

/// Encodes `count` frames as H.264 in MP4. @param draw  the frame of that index, all of one size.
/// @throws Error(kFailed).
void record_video(const std::filesystem::path& file, int count,
                  const std::function<Image(int)>& draw, const ProgressFn& progress);

struct FrameVerdict {
  double score = 0;  ///< raw
  std::string verdict;
};

/// The line for gst-launch-1.0 that judges `video` with `model` and records what it paints.
std::string judge_pipeline(const std::filesystem::path& model, const std::filesystem::path& video,
                           const std::filesystem::path& annotated);

/// Runs such a line in this process. @return what its `uad-result` messages say:
/// one for every frame, in order.
/// @throws Error(kNotFound) if the plug-in is not there; Error(kFailed) with the element's reason.
std::vector<FrameVerdict> run_judge_pipeline(const std::string& description, int frames,
                                             const ProgressFn& progress);

}  // namespace uad::tools
