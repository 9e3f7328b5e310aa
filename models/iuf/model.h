// SPDX-License-Identifier: LGPL-2.1-or-later
// A trained network for use: recognises the product, reconstructs its features, and judges what
// could not be reconstructed by what is usual for that product.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/anomaly_model.h"
#include "core/method.h"
#include "models/iuf/features.h"
#include "models/iuf/knowledge.h"
#include "models/iuf/settings.h"

namespace uad::models::iuf {

/// The score of the mean good image: so far from 0 that a relative tolerance means something.
inline constexpr double kUsualScore = 10;

class IufModel final : public AnomalyModel {
 public:
  IufModel(const Settings& settings, Features features, Knowledge knowledge, ModelTraits traits,
           const Execution& execution);

  [[nodiscard]] const ModelTraits& traits() const noexcept override { return traits_; }
  /// Scores are kUsualScore for what is usual of the product's good images, and one more for each
  /// of their standard deviations above; maps likewise, by the largest 16x16 mean of a map. The
  /// product is the one that `tiles.products` names, else the one the network recognises.
  /// @throws Error(kBadOption) if a named product is not known; Error(kShapeMismatch) for tiles of
  /// another size than the network was made for.
  [[nodiscard]] Prediction predict(const Tiles& tiles) const override;
  void save(CheckpointWriter& out) const override;

  struct Raw {
    at::Tensor map;      ///< float32 [N, 1, H, W], in units of the features; 0 where ignored
    at::Tensor score;    ///< float32 [N]
    at::Tensor peak;     ///< float32 [N], largest 16x16 mean of the map
    at::Tensor classes;  ///< float32 [N, K], scores of the products
  };
  /// Before it is compared with what is usual.
  [[nodiscard]] Raw look(const at::Tensor& images, const at::Tensor& keep) const;

  [[nodiscard]] const Knowledge& knowledge() const noexcept { return knowledge_; }
  [[nodiscard]] const Features& features() const noexcept { return features_; }

 private:
  void require_size(const at::Tensor& images) const;
  [[nodiscard]] std::size_t product_of(const Tiles& tiles, const at::Tensor& classes,
                                       std::int64_t tile) const;

  ScoreRule rule_;
  Features features_;
  Knowledge knowledge_;
  ModelTraits traits_;
  TensorMap weights_;  // of the knowledge, where they are computed with
  at::TensorOptions place_;
};

/// As Method::load.
[[nodiscard]] std::unique_ptr<AnomalyModel> load_model(const CheckpointReader& in,
                                                       const Execution& execution);

}  // namespace uad::models::iuf
