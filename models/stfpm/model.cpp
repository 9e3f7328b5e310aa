// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/stfpm/model.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/exec/compute_type.h"
#include "core/exec/thread_pool.h"
#include "core/stored_weights.h"
#include "models/stfpm/objective.h"
#include "models/stfpm/scoring.h"

namespace uad::models::stfpm {

namespace {

constexpr const char* kStudent = "student.";  // of its tensors in a model file

class StfpmModel final : public AnomalyModel {
 public:
  StfpmModel(ModelTraits traits, std::shared_ptr<const Backbone> teacher,
             std::unique_ptr<const Backbone> student)
      : traits_(std::move(traits)), teacher_(std::move(teacher)), student_(std::move(student)) {}

  [[nodiscard]] const ModelTraits& traits() const noexcept override { return traits_; }

  [[nodiscard]] Prediction predict(const Tiles& tiles) const override {
    const ComputeScope scope;
    const std::vector<at::Tensor> taught = teacher_->features(tiles.images);
    const std::vector<at::Tensor> learnt = student_->features(tiles.images);
    std::vector<at::Tensor> layers;
    for (std::size_t i = 0; i < taught.size(); ++i) {
      layers.push_back(distances(taught[i], learnt[i]));
    }
    at::Tensor map = anomaly_map(layers, tiles.images.size(2), tiles.images.size(3)).to(at::kCPU);
    if (tiles.keep.defined()) map = map * tiles.keep;
    return {map, map.flatten(1).amax(1)};
  }

  void save(CheckpointWriter& out) const override {
    save_backbone(*teacher_, out);
    for (const auto& [name, tensor] : student_->weights()) out.add(kStudent + name, tensor);
  }

 private:
  ModelTraits traits_;
  std::shared_ptr<const Backbone> teacher_;  // shared with the learner that made it
  std::unique_ptr<const Backbone> student_;
};

}  // namespace

const ResNetShape& shape_of(const nlohmann::json& options) {
  const auto name = options.at("backbone").get<std::string>();
  const auto& shapes = resnet_shapes();
  const auto found = std::ranges::find(shapes, name, &ResNetShape::name);
  if (found != shapes.end()) return *found;
  throw Error(ErrorCode::kBadOption,
              fmt::format("STFPM trains a ResNet, but backbone is \"{}\".", name));
}

int depth_of(const std::vector<LayerInfo>& layers) {
  const std::int64_t stride = std::ranges::max(layers, {}, &LayerInfo::stride).stride;
  return stride >= 16 ? 3 : stride >= 8 ? 2 : 1;
}

std::unique_ptr<AnomalyModel> make_model(const nlohmann::json& options,
                                         const FittedBackbone& teacher, const TensorMap& student,
                                         const std::string& origin, const Execution& execution) {
  ModelTraits traits{.score_is_map_maximum = true,
                     .backbone = options.at("backbone").get<std::string>(),
                     .backbone_sha256 = teacher.sha256};
  return std::make_unique<StfpmModel>(
      std::move(traits), teacher.backbone,
      std::make_unique<ResNet>(shape_of(options), student, origin, teacher.backbone->layers(),
                               compute_options(execution)));
}

std::unique_ptr<AnomalyModel> load_model(const CheckpointReader& in, const Execution& execution) {
  const TensorMap student = in.with_prefix(kStudent);
  require_numbers(student, in, kStudent);
  return make_model(in.options(), {load_backbone(in, execution), ""}, student, in.file_name(),
                    execution);
}

}  // namespace uad::models::stfpm
