// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/uadtrain_settings.h"

#include <filesystem>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/files/manifest.h"
#include "core/base/methods.h"

namespace uad::gst {

namespace fs = std::filesystem;

LearningPlan TrainSettings::plan() const {
  return {static_cast<std::size_t>(frames), static_cast<std::uint64_t>(every), output};
}

TrainerOptions TrainSettings::trainer() const {
  return {method,
          options,
          weights_dir,
          holdout,
          false_reject_rate,
          confidence,
          part_frames,
          min_difference,
          std::int64_t{memory_budget_mb} << 20,
          static_cast<std::uint64_t>(seed),
          continue_from};
}

void TrainSettings::check() const {
  const MethodInfo& info = find_method(method);
  if (info.needs_labels || info.needs_masks) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Method \"{}\" learns from {}, which a stream of good frames does not "
                            "have. Train it with uad train, or set method to another one.",
                            method, info.needs_masks ? "masks of defects" : "labels"));
  }
  if (output.empty()) {
    throw Error(ErrorCode::kBadOption,
                "uadtrain does not know where to write the model. Set output=FILE.uad.");
  }
  const fs::path folder = fs::absolute(output).parent_path();
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw Error(
        ErrorCode::kNotFound,
        fmt::format("The folder \"{}\" of output does not exist. Make it, or set output to a "
                    "file in a folder that exists.",
                    folder.string()));
  }
  if (!continue_from.empty()) {
    const std::string found = read_manifest(continue_from).method;
    if (found != method) {
      throw Error(
          ErrorCode::kBadOption,
          fmt::format("Model \"{}\" of continue-from is one of method {}, but method is {}. "
                      "Set method={}.",
                      continue_from, found, method, found));
    }
  }
  if (frames == 1) {
    throw Error(
        ErrorCode::kBadOption,
        "Training needs at least 2 frames, but frames is 1. Set it to 2 or more, or to 0 to "
        "collect until the stream ends.");
  }
}

namespace {

void add_collecting_properties(Properties<TrainSettings>& t) {
  using S = TrainSettings;
  t.integer({"frames", "Frames to collect", "frames",
             "The fit begins when so many are kept; 0: when collect becomes false, or at the end "
             "of the stream"},
            &S::frames, 0, G_MAXINT, Writable::kReady);
  t.integer({"every", "Collecting interval", "frames", "Offer every n-th frame only"}, &S::every, 1,
            G_MAXINT, Writable::kReady);
  t.flag({"collect", "Collect now", "",
          "Frames are kept while this is true; its fall begins the fit. An event `uad-collect` "
          "with the boolean `collect` in the stream does the same at its frame"},
         &S::collect, Writable::kPlaying);
  t.real({"min-difference", "Least difference of frames", "grey levels of 255",
          "A frame whose mean difference to the last kept one is smaller is a near-duplicate and "
          "left out; 0: keep all"},
         &S::min_difference, 0, 255, Writable::kReady);
}

void add_fit_properties(Properties<TrainSettings>& t) {
  using S = TrainSettings;
  t.text({"method", "Method", "name",
          "How to learn: any method of uad train that needs neither "
          "labels nor masks"},
         &S::method, Writable::kReady);
  t.fields({"options", "Options of the method and the input", "structure",
            "What uad train takes as --KEY VALUE, as \"options,k=5,resize=(string)192x480\""},
           &S::options, Writable::kReady);
  t.text({"output", "Model file", "path",
          "Where the model is written, all at once; an old one stays until then"},
         &S::output, Writable::kReady);
  t.text({"weights-dir", "Folder of backbone weights", "path",
          "Empty: the environment variable UAD_WEIGHTS_DIR"},
         &S::weights_dir, Writable::kReady);
  t.text({"continue-from", "Model that goes on learning", "path",
          "Start from this model file instead of from nothing, with its options and input; it may "
          "be the file of output. Empty: a new model"},
         &S::continue_from, Writable::kReady);
  t.real({"holdout", "Held-out share", "0.01 to 0.9",
          "Share of the frames that derives the thresholds, one run of them; at least 5"},
         &S::holdout, 0.01, 0.9, Writable::kReady);
  t.real({"false-reject-rate", "Promised false-reject rate", "share of good parts",
          "The reject threshold promises at most this share, from the held-out frames alone; with "
          "too few of them the rate that they do promise. The model then stays the one they were "
          "scored by. 0: mean + 3 sd, which promises nothing"},
         &S::false_reject_rate, 0, 0.5, Writable::kReady);
  t.real({"confidence", "Confidence of the promise", "0.5 to 0.9999",
          "How sure false-reject-rate is to be kept"},
         &S::confidence, 0.5, 0.9999, Writable::kReady);
  t.integer({"part-frames", "Frames of one part", "frames",
             "So many kept frames in a row show the same part and count as one sample"},
            &S::part_frames, 1, 100000, Writable::kReady);
  t.integer({"memory-budget", "Memory for frames and fit", "MB",
             "What the fit takes is foreseen from the first frame, and no more frames are kept "
             "than it has room for; 0: no limit"},
            &S::memory_budget_mb, 0, 1 << 20, Writable::kReady);
  t.integer({"seed", "Seed", "number", "Of every random choice"}, &S::seed, 0, G_MAXINT,
            Writable::kReady);
  t.flag({"hold-eos", "Hold the end of stream", "",
          "The end of stream waits for the model, so that gst-launch-1.0 does not end before; "
          "false: it passes, and the fit goes on until the element is stopped"},
         &S::hold_eos, Writable::kPlaying);
}

}  // namespace

const Properties<TrainSettings>& train_properties() {
  static const Properties<TrainSettings> table = [] {
    Properties<TrainSettings> t;
    add_collecting_properties(t);
    add_fit_properties(t);
    add_white_level(t, &TrainSettings::white_level);
    return t;
  }();
  return table;
}

}  // namespace uad::gst
