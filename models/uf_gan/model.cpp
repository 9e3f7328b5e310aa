// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/model.h"

#include <optional>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/exec/compute_type.h"
#include "core/exec/thread_pool.h"
#include "models/uf_gan/discriminator.h"
#include "models/uf_gan/frozen_layers.h"
#include "models/uf_gan/generator.h"
#include "models/uf_gan/objective.h"
#include "models/uf_gan/preparation.h"

namespace uad::models::uf_gan {

namespace {

constexpr const char* kGenerator = "generator.";
constexpr const char* kDiscriminator = "discriminator.";

class MuraModel final : public AnomalyModel {
 public:
  MuraModel(const Settings& settings, const Networks& networks, const Execution& execution)
      : weight_(settings.anomaly_weight),
        size_(settings.size),
        generator_(
            networks.generator, compute_options(execution),
            [&](const Layers& layers) { static_cast<void>(generate(layers, likely_images())); }),
        discriminator_(networks.discriminator, compute_options(execution),
                       [&](const Layers& layers) {
                         static_cast<void>(discriminate(layers, size_, likely_images()));
                       }) {}

  [[nodiscard]] const ModelTraits& traits() const noexcept override {
    static const ModelTraits traits{.merge = MergeMode::kMax, .frame_means = true};
    return traits;
  }

  [[nodiscard]] Prediction predict(const Tiles& tiles) const override {
    require_sides(tiles.images.size(2), tiles.images.size(3));
    const ComputeScope scope;
    const at::Tensor exact = prepared(tiles);
    const at::Tensor images = exact.to(generator_.place());
    const at::Tensor copies = generate(generator_, images);
    const auto features = [&](const at::Tensor& of) {
      return discriminate(discriminator_, size_, of).features;
    };
    // small differences of large values, so in float32 whatever the networks compute in
    const at::Tensor error = (exact - copies.to(at::kFloat)).abs().mean(1, /*keepdim=*/true);
    const at::Tensor keep = tiles.keep.defined() ? tiles.keep.to(exact.device()) : tiles.keep;
    const at::Tensor map = keep.defined() ? error * keep : error;
    return {map.to(at::kCPU),
            anomaly_score(error, features(images), features(copies), keep, weight_).to(at::kCPU)};
  }

  [[nodiscard]] std::optional<Redrawing> redraw(const Tiles& tiles) const override {
    require_sides(tiles.images.size(2), tiles.images.size(3));
    const ComputeScope scope;
    const at::Tensor images = prepared(tiles);
    const at::Tensor copies = generate(generator_, images.to(generator_.place()));
    return Redrawing{images.to(at::kCPU), copies.to(at::kFloat).to(at::kCPU)};
  }

  void keep_for_file(Networks networks) { for_file_ = std::move(networks); }

  void save(CheckpointWriter& out) const override {
    if (!for_file_) throw Error(ErrorCode::kFailed, "A loaded model of UF-GAN cannot be saved.");
    for (const auto& [name, tensor] : for_file_->generator) out.add(kGenerator + name, tensor);
    for (const auto& [name, tensor] : for_file_->discriminator) {
      out.add(kDiscriminator + name, tensor);
    }
  }

 private:
  static void require_sides(std::int64_t height, std::int64_t width) {
    if (height % kSizeUnit == 0 && width % kSizeUnit == 0) return;
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("UF-GAN needs inputs whose sides are multiples of {}, but got {}x{}. "
                            "The frame is smaller than the window; set --resize and --window to "
                            "multiples of {}.",
                            kSizeUnit, width, height, kSizeUnit));
  }

  [[nodiscard]] at::Tensor prepared(const Tiles& tiles) const {
    return enhanced(tiles.images.to(generator_.place().device()), tiles.frame_means)
        .contiguous(at::MemoryFormat::ChannelsLast);
  }

  [[nodiscard]] at::Tensor likely_images() const { return at::zeros({2, 3, size_, size_}); }

  double weight_;
  std::int64_t size_;
  FrozenLayers generator_;
  FrozenLayers discriminator_;
  std::optional<Networks> for_file_;  // as they were trained: 100 MB beside the frozen ones
};

}  // namespace

std::unique_ptr<AnomalyModel> make_model(const Settings& settings, Networks networks,
                                         const Execution& execution) {
  auto model = std::make_unique<MuraModel>(settings, networks, execution);
  model->keep_for_file(std::move(networks));
  return model;
}

std::unique_ptr<AnomalyModel> load_model(const CheckpointReader& in, const Execution& execution) {
  const Settings settings(in.options());
  const Networks networks{
      read_weights(in, generator_layout(settings.size, settings.kernel), kGenerator),
      read_weights(in, discriminator_layout(settings.size), kDiscriminator)};
  return std::make_unique<MuraModel>(settings, networks, execution);
}

}  // namespace uad::models::uf_gan
