// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/model.h"

#include "core/exec/compute_type.h"
#include "core/exec/thread_pool.h"
#include "models/tiny_unet/frozen_network.h"
#include "models/tiny_unet/network.h"
#include "models/tiny_unet/scoring.h"

namespace uad::models::tiny_unet {

namespace {

class UnetModel final : public AnomalyModel {
 public:
  UnetModel(const std::string& variant, TensorMap parameters, const Execution& execution)
      : network_(variant, parameters, compute_options(execution)),
        parameters_(std::move(parameters)) {}

  [[nodiscard]] const ModelTraits& traits() const noexcept override {
    static const ModelTraits traits{.score_is_map_maximum = true, .probability = true};
    return traits;
  }

  [[nodiscard]] Prediction predict(const Tiles& tiles) const override {
    const ComputeScope scope;
    return score(network_.logits(tiles.images), tiles.keep);
  }

  void save(CheckpointWriter& out) const override {
    for (const auto& [name, tensor] : parameters_) out.add(name, tensor);
  }

 private:
  FrozenNetwork network_;
  TensorMap parameters_;  // float32, whatever the network computes in
};

}  // namespace

std::unique_ptr<AnomalyModel> make_model(const std::string& variant, TensorMap parameters,
                                         const Execution& execution) {
  return std::make_unique<UnetModel>(variant, std::move(parameters), execution);
}

std::unique_ptr<AnomalyModel> load_model(const CheckpointReader& in, const Execution& execution) {
  const std::string variant = in.options().at("unet_variant").get<std::string>();
  return make_model(variant, read_parameters(in, variant), execution);
}

}  // namespace uad::models::tiny_unet
