// SPDX-License-Identifier: LGPL-2.1-or-later
// --vis-compound and --vis-single: a picture of every judged image, all by one scale.
// Source: specification, IUF, sections 9 and 10.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/backend.h"
#include "core/base/results/score_map.h"
#include "core/data/frame_source.h"
#include "tools/arguments.h"

namespace uad::tools {

/// vis_compound, vis_single, vis_min_score, vis_max_score, also under their published names.
std::vector<OptionSpec> score_picture_specs();

/// @throws UsageError for limits that leave no scale.
void check_score_pictures(const Arguments& args);

/// Of one evaluation. Maps are kept until its end, because they have one scale; frames are not.
class ScorePictures {
 public:
  /// @param product  names the folder of the pictures.
  ScorePictures(const Arguments& args, std::string product);
  [[nodiscard]] bool wanted() const { return !compound_.empty() || !single_.empty(); }
  /// A frame of the evaluation; nothing happens where no pictures are wanted.
  void offer(const LabelledFrame& frame, const ModelOutput& output);
  /// FOLDER/PRODUCT/KIND/IMAGE.png of all frames. @param frames  those of the evaluation, read once
  /// more. @throws Error(kFailed) where one cannot be written.
  void write(FrameSource& frames);

 private:
  struct Scored {
    std::string name;
    ScoreMap map;
    RectF placement;
  };
  std::filesystem::path compound_;
  std::filesystem::path single_;
  std::string product_;
  nlohmann::json low_;   // null = the smallest of all maps
  nlohmann::json high_;  // null = the largest
  std::vector<Scored> scored_;
};

}  // namespace uad::tools
