// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/backend.h"

#include <cerrno>
#include <map>
#include <mutex>
#include <tuple>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <opencv2/core.hpp>
#include <sys/stat.h>
#include <torch/version.h>

#include "core/base/error.h"
#include "core/base/joint_model.h"
#include "core/base/windowed_model.h"
#include "core/data/image_io.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "core/trainer.h"

namespace uad {
namespace {

/// The only place that knows the exceptions of LibTorch and OpenCV.
template <class Body>
auto translated(Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Error&) {
    throw;
  } catch (const c10::OutOfMemoryError& error) {
    throw Error(ErrorCode::kFailed,
                "The device has too little memory for this model. Use a smaller bank, fewer "
                "windows or device=cpu.",
                error.what());
  } catch (const c10::Error& error) {
    throw Error(ErrorCode::kFailed,
                fmt::format("LibTorch failed: {}", error.what_without_backtrace()), error.what());
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::kFailed, fmt::format("OpenCV failed: {}", error.err), error.what());
  } catch (const std::bad_alloc& error) {
    throw Error(
        ErrorCode::kFailed,
        "The machine has too little memory for this model. Use a smaller bank or fewer windows.",
        error.what());
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kFailed, error.what());
  }
}

class TranslatedPreprocessor final : public Preprocessor {
 public:
  explicit TranslatedPreprocessor(PreprocessOptions options) : inner_(std::move(options)) {}
  [[nodiscard]] const PreprocessOptions& options() const noexcept override {
    return inner_.options();
  }
  [[nodiscard]] TileBatchPtr cut(const FrameView& frame) const override {
    return translated([&] { return inner_.cut(frame); });
  }

 private:
  TilePreprocessor inner_;
};

class TranslatedModel final : public Model, public JointModel, public WindowedModel {
 public:
  explicit TranslatedModel(ModelPtr inner)
      : inner_(std::move(inner)),
        joint_(dynamic_cast<const JointModel&>(*inner_)),
        windowed_(dynamic_cast<const WindowedModel&>(*inner_)) {}
  [[nodiscard]] const Manifest& manifest() const noexcept override { return inner_->manifest(); }
  [[nodiscard]] const std::string& sha256() const noexcept override { return inner_->sha256(); }
  [[nodiscard]] const std::string& device() const noexcept override { return inner_->device(); }
  [[nodiscard]] const std::string& precision() const noexcept override {
    return inner_->precision();
  }
  [[nodiscard]] double warm_up_ms() const noexcept override { return inner_->warm_up_ms(); }
  [[nodiscard]] const Image& mask() const noexcept override { return inner_->mask(); }
  [[nodiscard]] const std::vector<std::int64_t>& training_frames() const noexcept override {
    return inner_->training_frames();
  }
  [[nodiscard]] ModelOutput analyse(const TileBatch& tiles,
                                    const std::string& product) const override {
    return translated([&] { return inner_->analyse(tiles, product); });
  }
  [[nodiscard]] std::vector<ModelOutput> analyse_together(
      const std::vector<BatchedFrame>& frames) const override {
    return translated([&] { return joint_.analyse_together(frames); });
  }
  [[nodiscard]] WindowsOutput analyse_windows(const TileBatch& tiles,
                                              const std::vector<std::size_t>& chosen,
                                              const std::string& product,
                                              KeptWindows& kept) const override {
    return translated([&] { return windowed_.analyse_windows(tiles, chosen, product, kept); });
  }
  [[nodiscard]] LearntGood learn_good(const TileBatch& frame, const LearnGoodOptions& options,
                                      std::stop_token stop) const override {
    LearntGood learnt =
        translated([&] { return inner_->learn_good(frame, options, std::move(stop)); });
    if (learnt.model) learnt.model = std::make_shared<const TranslatedModel>(learnt.model);
    return learnt;
  }

 private:
  ModelPtr inner_;                 // shared with whoever asked for the same file before
  const JointModel& joint_;        // the same
  const WindowedModel& windowed_;  // the same
};

/// Tells one state of a file from the next without reading it.
using FileKey = std::tuple<dev_t, ino_t, time_t, long, off_t, std::string, std::string>;

FileKey file_key(const std::filesystem::path& file, const ExecutionOptions& options) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("Model file \"{}\" cannot be opened ({}). Set `model` to a .uad file "
                            "made by uad train.",
                            file.string(), std::generic_category().message(errno)));
  }
  return {status.st_dev,  status.st_ino,  status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
          status.st_size, options.device, options.precision};
}

class TranslatedTrainer final : public Trainer {
 public:
  explicit TranslatedTrainer(std::unique_ptr<Trainer> inner) : inner_(std::move(inner)) {}
  Collected add(const FrameView& frame) override {
    return translated([&] { return inner_->add(frame); });
  }
  [[nodiscard]] std::size_t frames() const override { return inner_->frames(); }
  [[nodiscard]] MemoryForecast forecast() override {
    return translated([&] { return inner_->forecast(); });
  }
  [[nodiscard]] Trained fit(const std::filesystem::path& output,
                            const FitControl& control) override {
    return translated([&] { return inner_->fit(output, control); });
  }

 private:
  std::unique_ptr<Trainer> inner_;
};

class TorchBackend final : public Backend {
 public:
  explicit TorchBackend(const MethodTable& methods) : methods_(methods) {}

  [[nodiscard]] std::string version() const override {
    return fmt::format("uad {}, LibTorch {}", UAD_VERSION, TORCH_VERSION);
  }

  [[nodiscard]] std::unique_ptr<Preprocessor> make_preprocessor(
      const PreprocessOptions& options) override {
    return translated([&] { return std::make_unique<TranslatedPreprocessor>(options); });
  }

  [[nodiscard]] ModelPtr load_model(const std::filesystem::path& file,
                                    const ExecutionOptions& options, const ProgressFn& progress,
                                    std::stop_token stop) override {
    return translated([&]() -> ModelPtr {
      const FileKey key = file_key(file, options);
      const std::lock_guard guard(lock_);
      if (ModelPtr shared = models_[key].lock()) return shared;
      auto model = std::make_shared<const TranslatedModel>(
          uad::load_model(file, methods_, options, progress, std::move(stop)));
      std::erase_if(models_, [](const auto& entry) { return entry.second.expired(); });
      models_[key] = model;
      return model;
    });
  }

  [[nodiscard]] std::unique_ptr<Trainer> make_trainer(const TrainerOptions& options) override {
    return translated(
        [&] { return std::make_unique<TranslatedTrainer>(uad::make_trainer(methods_, options)); });
  }

  void save_picture(const TileBatch& tiles, const std::filesystem::path& file) override {
    translated([&] { write_png(file, picture_of(tiles)); });
  }

  [[nodiscard]] Image read_mask(const std::filesystem::path& file) override {
    return translated([&] { return uad::read_mask(file); });
  }

 private:
  const MethodTable& methods_;
  std::mutex
      lock_;  // guards `models_`; held while loading, so that two callers of one file read it once
  std::map<FileKey, std::weak_ptr<const Model>> models_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(const MethodTable& methods) {
  return std::make_unique<TorchBackend>(methods);
}

}  // namespace uad
