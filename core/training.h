// SPDX-License-Identifier: LGPL-2.1-or-later
// From good frames to a model file: split, fit, thresholds from frames the fit never saw, refit,
// self-test.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/anomaly_model.h"
#include "core/base/backend.h"
#include "core/calibration/promise.h"
#include "core/calibration/samples.h"
#include "core/data/frame_source.h"
#include "core/files/model_file.h"
#include "core/method.h"

namespace uad {

/// A model file that goes on learning.
struct Continuation {
  std::shared_ptr<const AnomalyModel> model;  ///< shared with every fitter that starts from it
  Manifest manifest;
  ScoreMap sensitivity;  ///< its gains, which stay unless new ones are learnt
  std::string sha256;    ///< of the file
  std::vector<std::int64_t> training_frames = {};  ///< see ModelFile
};

/// What a cancelled training leaves behind, so that one with the same request and the same frames
/// goes on where it ended. Opaque; empty at first and after success.
struct PausedTraining {
  std::size_t frames = 0;  // of the set
  bool refitting = false;
  std::unique_ptr<Fitter> fitter;  // of the fit that was cancelled
  std::size_t observed = 0;        // frames that it has seen
  bool validates = false;          // it has seen the held-out ones too
  std::size_t fitted = 0;          // frames that the fit before has seen
  std::unique_ptr<AnomalyModel> model;
  std::vector<ScoredFrame> scored;  // of the fit before
  ScoreMap sensitivity;             // the same
};

struct TrainRequest {
  const Method* method = nullptr;                     ///< borrowed; must outlive the call
  nlohmann::json options = nlohmann::json::object();  ///< the method's, as far as given
  PreprocessOptions preprocess;
  std::filesystem::path weights_dir;  ///< "" = UAD_WEIGHTS_DIR
  std::uint64_t seed = 3;
  Execution execution;
  int batch_size = 1;    ///< frames whose tiles go through the network together
  double holdout = 0.2;  ///< share of the good frames that derives the thresholds, 0 < share < 1;
                         ///< 0 = none, where the thresholds are those of a probability
  bool consecutive = false;  ///< hold out one run of frames: neighbours in a video are near copies
  PartRule parts;            ///< frames of one part are held out together, never split
  bool refit = true;         ///< fit on all frames once the thresholds are known
  /// Thresholds with this promise instead of mean + 3 sd. It holds for the model that the held-out
  /// frames saw, so there is no refit.
  std::optional<PromiseTarget> promise;
  bool learn_sensitivity = false;     ///< from the first half of the held-out parts; the thresholds
                                      ///< come from the others
  bool images_in_model = true;        ///< real frames among the self-test
  std::optional<Continuation> start;  ///< nothing = from nothing
  FitControl control;
  RunFolder run;                      ///< of a method that learns by gradient
  std::filesystem::path load_path;    ///< see FitContext
  FrameSource* evaluation = nullptr;  ///< borrowed: good and defective frames that the method
                                      ///< judges its state by on the way; null = none
  PausedTraining* paused = nullptr;  ///< borrowed, read and written; null = a cancelled one is lost
};

/// What a fitter of this request is made from. @param options  completed.
[[nodiscard]] FitContext fit_context(const TrainRequest& request, nlohmann::json options);

/// Fits `method` on the readable frames of `frames`. Frames are read one by one, several times
/// over.
///
/// Thresholds come from frames that were not fitted (see calibrate_on_good): those of a seeded
/// share of the parts (at least 5), or, with fewer than 10 parts, every part once, each scored by a
/// model of the others; the final model then always sees all of them.
///
/// A method that learns by gradient also chooses its best epoch by the held-out frames, unless a
/// promise is asked for; it is fitted once, and holds out 2 of fewer than 10 parts.
///
/// A method that needs labels or masks learns from good and defective frames; the held-out ones are
/// a share of every kind, the scale of its probabilities is fixed.
///
/// With `control.enough` the model is that of the frames seen so far (10 at least); where the
/// thresholds are known by then, the refit has seen as many as the fit before or does not begin.
/// @throws Error(kBadOption) for fewer than 2 parts, fewer than 10 where a promise is asked for, or
///   a share outside 0…1; Error(kCancelled); what method and source throw.
[[nodiscard]] ModelFile train(FrameSource& frames, const TrainRequest& request);

/// Parts that training holds out: indices into 0…count-1, ascending; empty = leave one out.
std::vector<std::size_t> held_out_indices(std::size_t count, double share, bool consecutive,
                                          std::uint64_t seed);

}  // namespace uad
