// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/trainer.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <limits>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <unistd.h>

#include "core/base/engine/niceness.h"
#include "core/base/error.h"
#include "core/base/methods.h"
#include "core/calibration/sensitivity.h"
#include "core/continuation.h"
#include "core/data/frame_store.h"
#include "core/device.h"
#include "core/files/model_file.h"
#include "core/input_options.h"
#include "core/preprocessor.h"
#include "core/training.h"

namespace uad {
namespace {

constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();
constexpr double kMargin = 1.25;  // of the forecast: allocators keep more than was asked for

/// Resident memory of the process, bytes.
std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t pages = 0;
  std::int64_t resident = 0;
  statm >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

const Method& row_of(const MethodTable& methods, const std::string& name) {
  const auto found = std::ranges::find(methods, name, &Method::name);
  if (found != methods.end()) return *found;
  static_cast<void>(find_method(name));  // throws, with the known names
  throw Error(ErrorCode::kFailed, fmt::format("Method \"{}\" has no row in its table.", name));
}

/// The values that were given, read from text under the options' own names.
nlohmann::json read_options(const std::vector<OptionSpec>& specs,
                            const std::map<std::string, std::string>& texts) {
  nlohmann::json values = nlohmann::json::object();
  for (const auto& [written, text] : texts) {
    std::string key = written;
    std::ranges::replace(key, '-', '_');
    const auto spec = std::ranges::find_if(specs, [&name = key](const OptionSpec& one) {
      return one.name == name || std::ranges::find(one.aliases, name) != one.aliases.end();
    });
    if (spec == specs.end()) {
      values[key] = text;  // complete_options() names the nearest key
    } else {
      values[spec->name] = parse_option(*spec, text);
    }
  }
  return values;
}

class StreamTrainer final : public Trainer {
 public:
  StreamTrainer(const Method& method, const TrainerOptions& options)
      : resident_before_(resident_bytes()),
        budget_(options.memory_budget),
        frames_(options.min_difference) {
    request_.method = &method;
    std::vector<OptionSpec> specs = method.options;
    const std::vector<OptionSpec>& of_input = input_option_specs();
    specs.insert(specs.end(), of_input.begin(), of_input.end());
    specs.push_back(sensitivity_option());
    const nlohmann::json given = read_options(specs, options.options);
    const nlohmann::json values = complete_options(specs, given);
    for (const OptionSpec& spec : method.options) request_.options[spec.name] = values[spec.name];
    request_.learn_sensitivity = values["sensitivity"] == "learned";
    request_.weights_dir = options.weights_dir;
    request_.seed = options.seed;
    request_.holdout = options.holdout;
    request_.consecutive = true;  // neighbours are near copies
    if (options.part_frames > 1) {
      request_.parts = {PartRule::Kind::kRun, static_cast<std::size_t>(options.part_frames)};
    }
    if (options.false_reject_rate > 0) {
      request_.promise = PromiseTarget{options.false_reject_rate, options.confidence};
    }
    request_.execution = resolve_execution({}, "fp32");
    if (options.continue_from.empty()) {
      request_.preprocess = read_input_options(values, input_of(method, values));
    } else {
      continue_from(options.continue_from, given, request_);
    }
    input_ = request_.preprocess.spec;
    PreprocessOptions kept = request_.preprocess;  // what frames are kept as
    kept.spec = training_input_of(method, kept.spec);
    camera_ = std::make_unique<TilePreprocessor>(std::move(kept));
    probe_ = make_fitter();  // whether weights are missing is told now, not after an hour
    request_.preprocess = of_kept_images(std::move(request_.preprocess), method);
    request_.paused = &paused_;
  }

  Collected add(const FrameView& frame) override {
    if (frames_.count() >= capacity_) return Collected::kFull;
    return frames_.add(camera_->network_image(frame)) ? Collected::kKept : Collected::kDuplicate;
  }

  [[nodiscard]] std::size_t frames() const override { return frames_.count(); }

  [[nodiscard]] MemoryForecast forecast() override {
    if (frame_bytes_ == 0) probe();
    const std::size_t count = frames_.count();
    if (budget_ == 0) return {bytes_for(count), kUnlimited};
    std::size_t room = 0;
    for (std::size_t step = std::size_t{1} << 24; step > 0; step /= 2) {
      if (bytes_for(room + step) <= budget_) room += step;
    }
    capacity_ = room;
    if (room < 2) {
      throw Error(ErrorCode::kBadOption,
                  fmt::format("A memory budget of {} MB has room for {} frame(s), but training "
                              "needs at least 2. Set memory-budget to {} or more.",
                              budget_ >> 20, room, (bytes_for(2) >> 20) + 1));
    }
    return {bytes_for(count), room};
  }

  [[nodiscard]] Trained fit(const std::filesystem::path& output,
                            const FitControl& control) override {
    be_nice(kBackgroundNiceness);  // before any parallel region: its threads inherit it
    request_.control = control;
    ModelFile file = train(frames_, request_);
    file.manifest.input = input_;
    const std::string sha256 = save_model_file(output, file);
    return {std::move(file.manifest), sha256};
  }

 private:
  /// The same preparation for what camera_ has prepared already.
  static PreprocessOptions of_kept_images(PreprocessOptions input, const Method& method) {
    if (!input.mask.pixels.empty() && input.spec.crop != Size{}) {
      throw Error(ErrorCode::kBadOption,
                  "Options mask and crop_size cannot be used together here: set roi instead of "
                  "crop_size.");
    }
    input.spec.roi = {};
    if (method.training_input) return input;  // they are kept in their own size
    input.spec.resize = {};
    input.spec.keep_aspect = false;
    input.spec.cover = false;
    input.spec.crop = {};
    return input;
  }

  [[nodiscard]] std::unique_ptr<Fitter> make_fitter() const {
    return request_.method->make_fitter(
        fit_context(request_, complete_options(request_.method->options, request_.options)));
  }

  void probe() {
    be_nice(kBackgroundNiceness);
    const std::shared_ptr<const Image> image = frames_.front();
    PreprocessOptions input = request_.preprocess;
    input.spec = training_input_of(*request_.method, input.spec);
    const auto tiles = TilePreprocessor(std::move(input)).cut(view(*image));
    const auto& batch = dynamic_cast<const TensorTiles&>(*tiles);
    probe_->observe({.images = batch.images(),
                     .keep = batch.keep(),
                     .windows = batch.images().size(0),
                     .frame_means = at::full({batch.images().size(0)}, batch.frame_mean())});
    frame_bytes_ = static_cast<std::int64_t>(image->pixels.size());
    fixed_bytes_ = std::max<std::int64_t>(0, resident_bytes() - resident_before_);
  }

  [[nodiscard]] std::int64_t bytes_for(std::size_t frames) const {
    const auto count = static_cast<std::int64_t>(frames);
    const std::int64_t growing = count * frame_bytes_ + probe_->peak_bytes(count);
    return static_cast<std::int64_t>(kMargin * static_cast<double>(fixed_bytes_ + growing));
  }

  std::int64_t resident_before_;
  std::int64_t budget_;
  FrameStore frames_;
  InputSpec input_;  // of the model
  std::unique_ptr<TilePreprocessor> camera_;
  PausedTraining paused_;
  TrainRequest request_;           // borrows paused_
  std::unique_ptr<Fitter> probe_;  // sees one frame, see forecast()
  std::int64_t frame_bytes_ = 0;   // 0 until probe()
  std::int64_t fixed_bytes_ = 0;   // network, its working memory, what LibTorch keeps
  std::atomic<std::size_t> capacity_{kUnlimited};
};

}  // namespace

std::unique_ptr<Trainer> make_trainer(const MethodTable& methods, const TrainerOptions& options) {
  return std::make_unique<StreamTrainer>(row_of(methods, options.method), options);
}

}  // namespace uad
