// SPDX-License-Identifier: LGPL-2.1-or-later
// A model whose answers are written into the pictures.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/eval/evaluation.h"
#include "core/preprocessor.h"
#include "tests/core/frame_list.h"

namespace uad::test {

/// The map is the red channel as it is; the score is its maximum.
class RedModel final : public Model {
 public:
  explicit RedModel(const std::string& method = "red") {
    manifest_.method = method;
    manifest_.backbone.name = "none";
    manifest_.thresholds.image = {0, 0.5, 1};
    manifest_.thresholds.map = {0, 0.5, 1};
    manifest_.thresholds.warn = 0.4;
    manifest_.threshold_origin = {
        "mean + 3 sd of good images", 7, {{"image_score", {{"mean", 0.25}}}}};
  }
  [[nodiscard]] const Manifest& manifest() const noexcept override { return manifest_; }
  [[nodiscard]] const std::string& sha256() const noexcept override { return text_; }
  [[nodiscard]] const std::string& device() const noexcept override { return text_; }
  [[nodiscard]] const std::string& precision() const noexcept override { return text_; }
  [[nodiscard]] double warm_up_ms() const noexcept override { return 0; }
  [[nodiscard]] const Image& mask() const noexcept override { return mask_; }
  [[nodiscard]] const std::vector<std::int64_t>& training_frames() const noexcept override {
    return training_frames_;
  }
  [[nodiscard]] ModelOutput analyse(const TileBatch& tiles,
                                    const std::string& /*product*/) const override {
    const auto& batch = dynamic_cast<const TensorTiles&>(tiles);
    const at::Tensor red = batch.images()[0][0].contiguous();
    ModelOutput output;
    output.map = {batch.plan().tile.width,
                  batch.plan().tile.height,
                  {red.data_ptr<float>(), red.data_ptr<float>() + red.numel()}};
    output.score = red.max().item<double>();
    output.placement = batch.plan().placement;
    return output;
  }
  [[nodiscard]] LearntGood learn_good(const TileBatch&, const LearnGoodOptions&,
                                      std::stop_token) const override {
    throw Error(ErrorCode::kBadOption, "Red is red.");
  }
  Image mask_;
  std::vector<std::int64_t> training_frames_;

 private:
  Manifest manifest_;
  std::string text_ = "cpu";
};

/// A picture whose red channel holds the given hundredths, so that the model's map is known.
inline Image picture(int width, const std::vector<int>& hundredths) {
  Image image = flat_image(width, static_cast<int>(hundredths.size()) / width, 0);
  for (std::size_t i = 0; i < hundredths.size(); ++i) {
    image.pixels[3 * i] = static_cast<std::uint8_t>(std::lround(hundredths[i] * 2.55));
  }
  return image;
}

inline Image mask_of(int width, const std::vector<int>& set) {
  Image mask = flat_image(width, static_cast<int>(set.size()) / width, 0, 1);
  for (std::size_t i = 0; i < set.size(); ++i) {
    mask.pixels[i] = static_cast<std::uint8_t>(set[i] * 255);
  }
  return mask;
}

/// At the pictures' own size, without normalisation: the map is what was drawn.
inline Evaluation evaluate_red(const RedModel& model, FrameSource& source,
                               const EvaluationOptions& options = {}) {
  InputSpec spec;
  spec.resize = {};
  spec.mean = {0, 0, 0};
  spec.std = {1, 1, 1};
  const TilePreprocessor preprocessor({spec, model.mask_});
  return evaluate(model, preprocessor, source, options);
}

}  // namespace uad::test
