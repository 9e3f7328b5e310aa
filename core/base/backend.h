// SPDX-License-Identifier: LGPL-2.1-or-later
// The boundary between the elements and LibTorch: abstract classes over plain C++ types, and one
// exported function. libuad.so implements it; whatever c10, cv or std throw inside arrives here as
// uad::Error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/files/manifest.h"
#include "core/base/geometry/tiling.h"
#include "core/base/pixels/frame_view.h"
#include "core/base/pixels/image.h"
#include "core/base/results/score_map.h"

namespace uad {

/// The network inputs of one frame, normalised. Opaque and immutable; shared by the buffer meta and
/// whoever analyses it. @note Thread-safe.
class TileBatch {
 public:
  virtual ~TileBatch() = default;
  [[nodiscard]] virtual const TilePlan& plan() const noexcept = 0;
  [[nodiscard]] virtual const InputSpec& spec() const noexcept = 0;
};
using TileBatchPtr = std::shared_ptr<const TileBatch>;

struct PreprocessOptions {
  InputSpec spec;
  Image mask;  ///< 1 channel, any size, stretched over the ROI; 0 = ignore; empty = nothing ignored
};

/// Frame in, tiles out. @note Thread-safe.
class Preprocessor {
 public:
  virtual ~Preprocessor() = default;
  [[nodiscard]] virtual const PreprocessOptions& options() const noexcept = 0;
  /// The frame's pixels are copied as far as needed; the view may go away afterwards. @throws Error
  [[nodiscard]] virtual TileBatchPtr cut(const FrameView& frame) const = 0;
};

struct ExecutionOptions {
  std::string device = "auto";      ///< "auto", "cpu", "cuda", "cuda:N"
  std::string precision = "model";  ///< "model", "fp32", "bf16", "fp16", "auto"
  int threads = 0;  ///< 0 = one per core; the pool is the process's, the largest wish wins
  bool operator==(const ExecutionOptions&) const = default;
};

/// Raw output for one frame: nothing is thresholded yet.
struct ModelOutput {
  double score = 0;     ///< raw image score
  ScoreMap map;         ///< merged, of plan.map_size(); 0 where the mask says ignore
  RectF placement;      ///< of the map in the frame, in frame pixels
  double infer_ms = 0;  ///< network, neighbours, map
  std::string product;  ///< that the model recognised or was told; "" = it knows no products
};

class Model;
using ModelPtr = std::shared_ptr<const Model>;

/// How a frame that somebody calls good is learnt.
struct LearnGoodOptions {
  double reject = 0;                   ///< raw score in force: below it the frame must come to lie
  double warn = 0;                     ///< and below this one where that is possible
  std::filesystem::path kept_defects;  ///< folder of images that must stay rejected; "" = none
  std::filesystem::path output;        ///< file of the new model, written atomically
};

struct LearntGood {
  ModelPtr model;           ///< null = the frame passed already, so there was nothing to learn
  double before = 0;        ///< raw score of the frame
  double after = 0;         ///< the same by the new model
  std::size_t defects = 0;  ///< kept defects that were looked at
};

/// A loaded, verified model. Immutable. @note Thread-safe; calls from several threads take turns.
class Model {
 public:
  virtual ~Model() = default;
  [[nodiscard]] virtual const Manifest& manifest() const noexcept = 0;
  [[nodiscard]] virtual const std::string& sha256() const noexcept = 0;     ///< of the whole file
  [[nodiscard]] virtual const std::string& device() const noexcept = 0;     ///< "cpu", "cuda:0"
  [[nodiscard]] virtual const std::string& precision() const noexcept = 0;  ///< "fp32", "bf16", …
  [[nodiscard]] virtual double warm_up_ms()
      const noexcept = 0;  ///< one frame, measured after warming up
  /// The mask stored in the model (see PreprocessOptions::mask); empty if none.
  [[nodiscard]] virtual const Image& mask() const noexcept = 0;
  /// The frames that it was trained on, by short_hash() of core/frame_digest.h; empty = not known.
  [[nodiscard]] virtual const std::vector<std::int64_t>& training_frames() const noexcept = 0;
  /// @throws Error(kShapeMismatch) with the fix if the tiles were cut for another InputSpec (the
  /// ROI may differ); Error(kBadOption) if a model of several products does not know `product`.
  /// @param product  that the frame shows, for a model of several; "" = it recognises the product
  /// itself. Other models ignore it.
  [[nodiscard]] virtual ModelOutput analyse(const TileBatch& tiles,
                                            const std::string& product = "") const = 0;
  /// A new model that has learnt the frame as well and has taken no more memory; this one stays as
  /// it is. It must pass its own self-test frames and reject every kept defect that this one
  /// rejects. Does not wait for analyse() and takes about as long as a fit of one frame.
  /// @throws Error(kBadOption) saying what stands against it; Error(kCancelled).
  [[nodiscard]] virtual LearntGood learn_good(const TileBatch& frame,
                                              const LearnGoodOptions& options,
                                              std::stop_token stop) const = 0;
};

/// 0…1 and a word ("reading", "verifying", "self-test", "warming up").
using ProgressFn = std::function<void(double fraction, const std::string& stage)>;

/// A figure that tells how well a fit goes, by its name: "coverage" (distance of the worst good
/// patch from those selected so far), "loss".
using FigureFn = std::function<void(const std::string& name, double value)>;

/// How a fit is followed and ended.
struct FitControl {
  ProgressFn progress;     ///< may be empty
  FigureFn figure;         ///< may be empty
  std::stop_token cancel;  ///< ends it soon, without a model
  std::stop_token enough;  ///< ends it soon, with the model of what was seen so far
};

/// What is to be learnt, and how. Keys and values of `options` are those of `uad train`: the
/// method's own and those of the input, as text ({"k", "5"}, {"resize", "256x640"}).
struct TrainerOptions {
  std::string method = "patchcore";
  std::map<std::string, std::string> options;
  std::filesystem::path weights_dir;  ///< "" = UAD_WEIGHTS_DIR
  double holdout = 0.2;               ///< share of the frames that derives the thresholds
  double false_reject_rate = 0;       ///< to promise, with `confidence`; 0 = mean + 3 sd instead
  double confidence = 0.95;
  std::int64_t part_frames = 1;    ///< consecutive frames that show one part
  double min_difference = 0;       ///< see Trainer::add(); grey levels, 0 = keep all
  std::int64_t memory_budget = 0;  ///< bytes that frames and fit may take; 0 = no limit
  std::uint64_t seed = 3;
  /// A model that goes on learning: its method, options and input count, and `options` may only
  /// repeat them. "" = from nothing.
  std::filesystem::path continue_from;
};

enum class Collected {
  kKept,
  kDuplicate,  ///< differs too little from the last frame that was kept
  kFull,       ///< the memory budget has no room for another frame
};

struct MemoryForecast {
  std::int64_t bytes = 0;  ///< at the peak of a fit of the frames kept so far, these included
  std::size_t frames = 0;  ///< that the budget has room for; the largest number if there is none
};

struct Trained {
  Manifest manifest;
  std::string sha256;  ///< of the written file
};

/// Keeps good frames at the size of the network's input and fits a model to them.
/// @note add() may be called while forecast() works; else one thread at a time.
class Trainer {
 public:
  virtual ~Trainer() = default;
  /// Copies what the network will see of the frame. A frame whose mean absolute difference to the
  /// last kept one is below `min_difference` is left out. Takes as long as cutting tiles.
  /// @throws Error
  virtual Collected add(const FrameView& frame) = 0;
  [[nodiscard]] virtual std::size_t frames() const = 0;
  /// Runs the first frame through the network once to learn what the fit takes; a frame must have
  /// been added. From then on add() holds the budget. @throws Error(kBadOption) if the budget has
  /// not even room for two frames, with the least that has.
  [[nodiscard]] virtual MemoryForecast forecast() = 0;
  /// Fits, derives thresholds from the held-out share and writes the model atomically; until then
  /// the old file stays. At low priority: nice 10. The frames are kept; after a cancelled fit the
  /// next one goes on where it ended, unless frames were added. @throws Error; Error(kCancelled).
  [[nodiscard]] virtual Trained fit(const std::filesystem::path& output,
                                    const FitControl& control) = 0;
};

/// The factory. One per process. @note Thread-safe.
class Backend {
 public:
  virtual ~Backend() = default;
  [[nodiscard]] virtual std::string version() const = 0;  ///< e.g. "uad 0.1.0, LibTorch 2.11.0"
  [[nodiscard]] virtual std::unique_ptr<Preprocessor> make_preprocessor(
      const PreprocessOptions& options) = 0;
  /// Reads, verifies, replays the self-test, warms up. Callers that name the same file (device,
  /// inode, time) with the same options share one model. @throws Error; Error(kCancelled) soon
  /// after `stop` is requested.
  [[nodiscard]] virtual ModelPtr load_model(const std::filesystem::path& file,
                                            const ExecutionOptions& options,
                                            const ProgressFn& progress, std::stop_token stop) = 0;
  /// @throws Error(kBadOption) for an unknown method, option or value; Error(kNotFound) if weights
  /// are missing.
  [[nodiscard]] virtual std::unique_ptr<Trainer> make_trainer(const TrainerOptions& options) = 0;
  /// Writes what the network saw of a frame as PNG, atomically. @throws Error(kFailed)
  virtual void save_picture(const TileBatch& tiles, const std::filesystem::path& file) = 0;
  /// Decodes a PNG or JPEG file as 1 channel, e.g. for `mask`. @throws Error(kNotFound, kBadFile)
  [[nodiscard]] virtual Image read_mask(const std::filesystem::path& file) = 0;
};

inline constexpr char kBackendSymbol[] = "uad_backend_4";  ///< the number changes with this header
using BackendFunction = Backend* (*)() noexcept;           ///< the exported function; never null

}  // namespace uad
