// SPDX-License-Identifier: LGPL-2.1-or-later
// What --data and --category name: image sets of any layout, plain folders and videos.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/calibration/samples.h"
#include "core/data/dataset.h"
#include "core/data/frame_source.h"
#include "core/eval/evaluation.h"
#include "tools/arguments.h"

namespace uad::tools {

std::vector<OptionSpec> data_specs();  ///< data, category, frames, strict

struct CategoryData {
  std::string name;  ///< of the category, else of the folder or file
  std::filesystem::path path;
  Dataset images = {};    ///< a plain folder's are all in `train`; empty for a video
  bool labelled = false;  ///< the set has one of the layouts with labels
};
/// One set, or one for each category of a group. With part_of = folder, a plain folder holds one
/// folder of images a part. @throws UsageError without --data; what list_dataset() throws.
std::vector<CategoryData> find_data(const Arguments& args);
/// The folder that --data names. @throws UsageError without it; Error(kNotFound).
std::filesystem::path data_root(const Arguments& args);
/// One set by its path, whatever --data and --category say.
CategoryData list_set(std::string name, std::filesystem::path path, const Arguments& args);

enum class Split {
  kTrain,          ///< good images of the training part
  kTest,           ///< the test part
  kLabelledTrain,  ///< for methods that learn from labels: the training part with its defects, or
                   ///< everything where it shows none (needs_division() in core/data/dataset.h)
  kMaskedTrain,    ///< the same where defects need masks
  kLabelledTest,   ///< what they are judged on: the test part or everything, of which evaluate()
                   ///< leaves out what the model has learnt from
};
/// @param method  by its name. @throws Error(kBadOption) for an unknown one.
bool learns_labels(const std::string& method);
Split training_split(const std::string& method);  ///< see learns_labels()
Split judged_split(const std::string& method);    ///< see learns_labels()

/// Images of a split, each with its product: that of its list, else the name of the set. For a
/// plain folder every split is all images. @throws as open_split().
std::vector<ImageItem> split_items(const CategoryData& data, Split split, const Arguments& args);

/// For a plain folder and a video every split is all frames. @throws Error(kNotFound) naming what
/// is missing; Error(kBadOption) if labels are to be learnt from and one class has no image.
std::unique_ptr<FrameSource> open_split(const CategoryData& data, Split split,
                                        const Arguments& args);
/// Whether there is something to judge a model on afterwards. @param labels  it learns from labels.
bool has_test_images(const CategoryData& data, bool labels);

/// Good and defective images that a method judges its state by while it learns: those of
/// --eval-data, or of the set's folder "eval_data"; null where there are none.
/// @throws Error(kNotFound) if what --eval-data names is not there.
std::unique_ptr<FrameSource> open_judged_on_the_way(const CategoryData& data,
                                                    const Arguments& args);

/// A note for each frame that could not be used.
void tell_skipped(const std::vector<SkippedFrame>& frames);
/// A note where frames were not judged because the model has learnt from them.
void tell_left_out(const Evaluation& evaluation);

/// Whether neighbouring frames of `path` are near copies.
bool is_video(const std::filesystem::path& path);
/// A note where a promise would count neighbouring frames of a video as independent parts.
void warn_of_near_copies(const std::filesystem::path& data, const PartRule& rule);

}  // namespace uad::tools
