// SPDX-License-Identifier: LGPL-2.1-or-later
// Options that several sub-commands share, and what they mean.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/backend.h"
#include "core/calibration/promise.h"
#include "core/calibration/samples.h"
#include "core/data/frame_source.h"
#include "core/eval/stored_scores.h"
#include "tools/arguments.h"

namespace uad::tools {

std::vector<OptionSpec> execution_specs();  ///< device, precision, threads
std::vector<OptionSpec> data_specs();       ///< data, category, frames, strict
std::vector<OptionSpec> promise_specs();    ///< false_reject_rate, confidence, part_of
/// warn_threshold, reject_threshold, threshold, min_area; none has a default.
/// @param otherwise  what holds where they are not given, e.g. "the model's".
std::vector<OptionSpec> threshold_specs(const std::string& otherwise);
/// save_pic, save_path: pictures of the results.
std::vector<OptionSpec> picture_specs();
/// Keys of QualityInspector that change nothing here; they stay out of --help.
std::vector<OptionSpec> ignored_specs();

/// One list out of several. A name that comes twice keeps its first place.
std::vector<OptionSpec> join(std::vector<std::vector<OptionSpec>> lists);

/// `gpu` is read as cuda. @throws Error(kNoDevice) for xpu.
ExecutionOptions execution_options(const Arguments& args);

/// What the options of promise_specs() ask for. @throws UsageError for a share outside of (0, 1).
PromiseTarget promise_target(const Arguments& args);
PartRule part_rule(const Arguments& args);
/// A note where a promise would count neighbouring frames of a video as independent parts.
void warn_of_near_copies(const std::filesystem::path& data, const PartRule& rule);

/// What the options of threshold_specs() ask for.
ThresholdWish threshold_wish(const Arguments& args);

/// Merged configuration and notes on stderr. @param heeded  what of ignored_specs() has an effect.
void announce(const Arguments& args, const std::vector<std::string>& heeded = {});

/// The folders that --data and --category name: one, or one for each category of a group.
struct CategoryData {
  std::string name;  ///< of the category, else of the folder or file
  std::filesystem::path path;
};
/// @throws UsageError without --data; Error(kNotFound) naming the path.
std::vector<CategoryData> find_data(const Arguments& args);

enum class Split {
  kTrain,          ///< good images of the training part
  kTest,           ///< the test part
  kLabelledTrain,  ///< for methods that learn from labels: the training part with its defects, or
                   ///< everything where it shows none (needs_division() in core/data/dataset.h)
  kLabelledTest,   ///< what they are judged on: the test part or everything, of which evaluate()
                   ///< leaves out what the model has learnt from
};

/// Image folders and lists of any layout (see list_dataset()) and video files. For a plain folder
/// and a video the train and test splits are all frames. With part_of = folder, a plain folder
/// holds one folder of images a part. @throws Error(kNotFound) naming what is missing;
/// Error(kBadOption) if labels are to be learnt from and one class has no image.
std::unique_ptr<FrameSource> open_split(const std::filesystem::path& path, Split split,
                                        const Arguments& args);
/// Whether a method that learns from labels has to divide the set itself (see kLabelledTrain).
bool needs_division(const std::filesystem::path& path);
/// Whether there is something to judge a model on afterwards. @param labels  it learns from labels.
bool has_test_images(const std::filesystem::path& path, bool labels);
/// Whether neighbouring frames of `path` are near copies.
bool is_video(const std::filesystem::path& path);

/// Where QualityInspector's rule puts a model: <save_path>/<reduction>_<backbone>_<k>/<name>.uad.
std::filesystem::path default_model_path(const std::string& save_path, const std::string& name,
                                         const nlohmann::json& options);

}  // namespace uad::tools
