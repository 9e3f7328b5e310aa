// SPDX-License-Identifier: LGPL-2.1-or-later
// A backend without LibTorch: grey values instead of a network. UAD_BACKEND points to it in tests.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>

#include <fmt/format.h>

#include "core/base/backend.h"
#include "core/base/error.h"
#include "core/base/files/file_stamp.h"
#include "core/base/files/model_mask.h"
#include "core/base/geometry/window_merge.h"
#include "core/base/joint_model.h"
#include "core/base/milliseconds.h"
#include "core/base/windowed_model.h"
#include "tests/stub_backend/stub_model.h"

namespace {

using namespace uad;
using uad::testing::StubOptions;

std::atomic<int> loads{0};
std::atomic<int> cuts{0};
std::atomic<int> live_models{0};
std::atomic<int> largest_batch{0};
std::atomic<int> begun{0};

class StubTiles final : public TileBatch {
 public:
  StubTiles(TilePlan plan, InputSpec spec, std::vector<float> grey)
      : plan_(std::move(plan)), spec_(spec), grey_(std::move(grey)) {}
  [[nodiscard]] const TilePlan& plan() const noexcept override { return plan_; }
  [[nodiscard]] const InputSpec& spec() const noexcept override { return spec_; }
  /// 0…1, [height, width] of the plan's map; 0 where ignored.
  [[nodiscard]] const std::vector<float>& grey() const noexcept { return grey_; }

 private:
  TilePlan plan_;
  InputSpec spec_;
  std::vector<float> grey_;
};

class StubPreprocessor final : public Preprocessor {
 public:
  explicit StubPreprocessor(PreprocessOptions options) : options_(std::move(options)) {}
  [[nodiscard]] const PreprocessOptions& options() const noexcept override { return options_; }
  [[nodiscard]] TileBatchPtr cut(const FrameView& frame) const override {
    ++cuts;
    TilePlan plan = plan_tiles({frame.width, frame.height}, options_.spec);
    const Image image =
        crop(resize_antialiased(to_rgb(frame, plan.source), plan.scaled), plan.crop);
    const Size size = plan.map_size();
    const Image mask = options_.mask.pixels.empty() ? Image{} : resize_nearest(options_.mask, size);
    std::vector<float> grey(image.pixels.size() / 3);
    for (std::size_t i = 0; i < grey.size(); ++i) {
      const auto* rgb = &image.pixels[3 * i];
      const bool ignored = !mask.pixels.empty() && mask.pixels[i] == 0;
      grey[i] = ignored ? 0.0F : static_cast<float>(rgb[0] + rgb[1] + rgb[2]) / (3.0F * 255.0F);
    }
    return std::make_shared<const StubTiles>(std::move(plan), options_.spec, std::move(grey));
  }

 private:
  PreprocessOptions options_;
};

class StubModel final : public Model, public JointModel, public WindowedModel {
 public:
  StubModel(Manifest manifest, StubOptions options, Image mask)
      : manifest_(std::move(manifest)), options_(std::move(options)), mask_(std::move(mask)) {
    ++live_models;
  }
  ~StubModel() override { --live_models; }
  [[nodiscard]] const Manifest& manifest() const noexcept override { return manifest_; }
  [[nodiscard]] const std::string& sha256() const noexcept override { return sha256_; }
  [[nodiscard]] const std::string& device() const noexcept override { return device_; }
  [[nodiscard]] const std::string& precision() const noexcept override { return precision_; }
  [[nodiscard]] double warm_up_ms() const noexcept override { return options_.delay_ms; }
  [[nodiscard]] const Image& mask() const noexcept override { return mask_; }
  [[nodiscard]] const std::vector<std::int64_t>& training_frames() const noexcept override {
    return training_frames_;
  }

  [[nodiscard]] ModelOutput analyse(const TileBatch& batch,
                                    const std::string& product) const override {
    const auto start = std::chrono::steady_clock::now();
    const auto& tiles = dynamic_cast<const StubTiles&>(batch);
    require_same_preparation(manifest_.input, tiles.spec());
    ++begun;
    if (++analyses_ == options_.throw_at) throw Error(ErrorCode::kFailed, "The stub gave up.");
    rest(options_.delay_ms, {});
    return look(tiles, product, start);
  }

  /// Takes as long as one frame. The frame that throws has to be alone.
  [[nodiscard]] std::vector<ModelOutput> analyse_together(
      const std::vector<BatchedFrame>& frames) const override {
    const auto start = std::chrono::steady_clock::now();
    const int count = static_cast<int>(frames.size());
    for (const BatchedFrame& frame : frames) {
      require_same_preparation(manifest_.input, frame.tiles->spec());
    }
    if (analyses_ < options_.throw_at && options_.throw_at <= analyses_ + count) {
      throw Error(ErrorCode::kFailed, "The stub gave up.");
    }
    ++begun;
    analyses_ += count;
    largest_batch = std::max(largest_batch.load(), count);
    rest(options_.delay_ms, {});
    std::vector<ModelOutput> outputs;
    for (const BatchedFrame& frame : frames) {
      outputs.push_back(look(dynamic_cast<const StubTiles&>(*frame.tiles), frame.product, start));
    }
    return outputs;
  }

  /// Each window takes its share of the time of a frame. The frame's score is that of the whole
  /// kept map; a window shows the mean grey of its own.
  [[nodiscard]] WindowsOutput analyse_windows(const TileBatch& batch,
                                              const std::vector<std::size_t>& chosen,
                                              const std::string& product,
                                              KeptWindows& kept) const override {
    const auto start = std::chrono::steady_clock::now();
    const auto& tiles = dynamic_cast<const StubTiles&>(batch);
    const TilePlan& plan = tiles.plan();
    require_same_preparation(manifest_.input, tiles.spec());
    ++begun;
    if (++analyses_ == options_.throw_at) throw Error(ErrorCode::kFailed, "The stub gave up.");
    const std::size_t windows = plan.origins.size();
    rest(options_.delay_ms * static_cast<int>(chosen.size()) / static_cast<int>(windows), {});
    WindowsOutput output;
    output.look_ms = milliseconds_since(start);
    output.frame = look(tiles, product, start);
    std::vector<ScoreMap> maps;
    for (const std::size_t window : chosen) {
      maps.push_back(under(output.frame.map, plan.origins[window], plan.tile));
    }
    merge_windows(plan, chosen, maps, MergeMode::kMax, kept.map);
    kept.scores.resize(windows);
    for (std::size_t i = 0; i < chosen.size(); ++i) kept.scores[chosen[i]] = mean_of(maps[i]);
    kept.suspicions = kept.scores;
    output.frame.map = kept.map;
    output.frame.score = mean_of(kept.map);
    output.frame.infer_ms = milliseconds_since(start);
    return output;
  }

  static double mean_of(const ScoreMap& map) {
    return std::accumulate(map.values.begin(), map.values.end(), 0.0) /
           static_cast<double>(map.values.size());
  }

  static ScoreMap under(const ScoreMap& map, Point origin, Size size) {
    ScoreMap part{size.width, size.height, {}};
    for (int y = 0; y < size.height; ++y) {
      const float* row = map.row(origin.y + y) + origin.x;
      part.values.insert(part.values.end(), row, row + size.width);
    }
    return part;
  }

  [[nodiscard]] ModelOutput look(const StubTiles& tiles, const std::string& product,
                                 std::chrono::steady_clock::time_point start) const {
    const Size size = tiles.plan().map_size();
    ModelOutput output;
    output.map = {size.width, size.height, tiles.grey()};
    for (float& value : output.map.values) value += static_cast<float>(options_.offset);
    output.score = mean_of(output.map);
    output.placement = tiles.plan().placement;
    output.product = product;
    output.infer_ms = milliseconds_since(start);
    return output;
  }

  /// The new model is the old one with its scores lowered by what the frame exceeded the warn
  /// threshold by. Kept defects are not looked at, but a folder "refuse" refuses.
  [[nodiscard]] LearntGood learn_good(const TileBatch& frame, const LearnGoodOptions& options,
                                      std::stop_token stop) const override {
    if (!rest(options_.learn_delay_ms, stop)) throw Error(ErrorCode::kCancelled, "cancelled");
    if (options.kept_defects.filename() == "refuse") {
      throw Error(ErrorCode::kBadOption, "A kept defect would pass.");
    }
    const double before = analyse(frame, "").score;
    StubOptions lower = options_;
    lower.offset -= before - options.warn + 0.01;
    Manifest manifest = manifest_;
    manifest.options["offset"] = lower.offset;
    ++manifest.training.marked_good;
    std::ofstream(options.output) << "a model";
    return {std::make_shared<const StubModel>(std::move(manifest), lower, mask_), before,
            options.warn - 0.01, 0};
  }

  /// @return false if `stop` was requested before the time was over.
  static bool rest(int milliseconds, const std::stop_token& stop) {
    std::mutex lock;
    std::condition_variable_any never;
    std::unique_lock guard(lock);
    never.wait_for(guard, stop, std::chrono::milliseconds(milliseconds), [] { return false; });
    return !stop.stop_requested();
  }

 private:
  Manifest manifest_;
  StubOptions options_;
  Image mask_;
  std::vector<std::int64_t> training_frames_;
  std::string sha256_ =  // of nothing, but another for each content
      fmt::format("{:064x}", std::hash<std::string>()(to_json_text(manifest_)));
  std::string device_ = "cpu";
  std::string precision_ = "fp32";
  mutable std::atomic<int> analyses_{0};
};

/// Remembers a grey value a frame, and writes a stub model that asks for nothing else. A frame
/// takes a megabyte of the budget.
class StubTrainer final : public Trainer {
 public:
  explicit StubTrainer(const TrainerOptions& options) : options_(options) {}

  Collected add(const FrameView& frame) override {
    const std::lock_guard guard(lock_);
    if (greys_.size() >= room_) return Collected::kFull;
    const int grey = to_rgb(frame, {0, 0, 1, 1}).pixels.front();
    if (!greys_.empty() && std::abs(grey - greys_.back()) < options_.min_difference) {
      return Collected::kDuplicate;
    }
    greys_.push_back(grey);
    return Collected::kKept;
  }

  [[nodiscard]] std::size_t frames() const override {
    const std::lock_guard guard(lock_);
    return greys_.size();
  }

  [[nodiscard]] MemoryForecast forecast() override {
    const std::lock_guard guard(lock_);
    if (options_.memory_budget > 0) room_ = static_cast<std::size_t>(options_.memory_budget >> 20);
    return {static_cast<std::int64_t>(greys_.size()) << 20, room_};
  }

  [[nodiscard]] Trained fit(const std::filesystem::path& output,
                            const FitControl& control) override {
    const int delay = number("fit_delay_ms");
    for (int step = 0; step < 10; ++step) {
      control.progress(step / 10.0, "fitting");
      if (control.figure) control.figure("coverage", 10.0 - step);
      if (control.enough.stop_requested()) break;
      if (!StubModel::rest(delay / 10, control.cancel))
        throw Error(ErrorCode::kCancelled, "cancelled");
    }
    if (number("fail") != 0) throw Error(ErrorCode::kFailed, "The disk is full.");
    uad::testing::write_stub_model(
        output, {.delay_ms = number("delay_ms"), .offset = static_cast<double>(number("offset"))});
    Trained trained{read_manifest(output), std::string(64, 'a')};
    trained.manifest.training.images = static_cast<std::int64_t>(frames());
    return trained;
  }

 private:
  [[nodiscard]] int number(const std::string& key) const {
    const auto found = options_.options.find(key);
    return found == options_.options.end() ? 0 : std::stoi(found->second);
  }

  TrainerOptions options_;
  mutable std::mutex lock_;  // guards the rest
  std::vector<int> greys_;
  std::size_t room_ = std::numeric_limits<std::size_t>::max();
};

class StubBackend final : public Backend {
 public:
  [[nodiscard]] std::string version() const override { return "stub"; }
  [[nodiscard]] std::unique_ptr<Preprocessor> make_preprocessor(
      const PreprocessOptions& options) override {
    return std::make_unique<StubPreprocessor>(options);
  }

  [[nodiscard]] ModelPtr load_model(const std::filesystem::path& file, const ExecutionOptions&,
                                    const ProgressFn& progress, std::stop_token stop) override {
    const FileStamp stamp = stamp_of(file);
    const std::lock_guard guard(lock_);
    for (const auto& [known, model] : models_) {
      if (ModelPtr shared = known == stamp ? model.lock() : nullptr) return shared;
    }
    Manifest manifest = read_manifest(file);
    const StubOptions options = uad::testing::stub_options(manifest);
    if (progress) progress(0, "reading");
    if (!StubModel::rest(options.load_delay_ms, stop)) {
      throw Error(ErrorCode::kCancelled, "Loading was cancelled.");
    }
    if (!options.load_error.empty()) throw Error(ErrorCode::kBadFile, options.load_error);
    ++loads;
    if (const char* list = std::getenv("UAD_STUB_LOADS"))
      std::ofstream(list, std::ios::app) << "1\n";
    auto model =
        std::make_shared<const StubModel>(std::move(manifest), options, read_model_mask(file));
    models_.emplace_back(stamp, model);
    return model;
  }

  [[nodiscard]] std::unique_ptr<Trainer> make_trainer(const TrainerOptions& options) override {
    if (options.options.contains("refuse")) {
      throw Error(ErrorCode::kNotFound, "The weights are missing.");
    }
    return std::make_unique<StubTrainer>(options);
  }

  void save_picture(const TileBatch&, const std::filesystem::path& file) override {
    if (!(std::ofstream(file) << "a picture")) {
      throw Error(ErrorCode::kFailed, "The picture \"" + file.string() + "\" cannot be written.");
    }
  }

  [[nodiscard]] Image read_mask(const std::filesystem::path& file) override {
    if (stamp_of(file).bytes < 0) {
      throw Error(ErrorCode::kNotFound, "Mask \"" + file.string() + "\" does not exist.");
    }
    return {2, 1, 1, {0, 255}};  // the left half is ignored, whatever the file says
  }

 private:
  std::mutex lock_;  // guards `models_`; held while loading, as by the real backend
  std::vector<std::pair<FileStamp, std::weak_ptr<const Model>>> models_;
};

}  // namespace

/// Counters that tests read: loads, cuts, models that exist, batches that were begun, frames in the
/// largest of them since the last question.
extern "C" int uad_stub_loads() { return loads; }
extern "C" int uad_stub_cuts() { return cuts; }
extern "C" int uad_stub_live_models() { return live_models; }
extern "C" int uad_stub_begun() { return begun; }
extern "C" int uad_stub_largest_batch() { return largest_batch.exchange(0); }

extern "C" uad::Backend* uad_backend_4() noexcept {
  static StubBackend backend;
  return &backend;
}
