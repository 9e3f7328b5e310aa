// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/learner.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/exec/compute_type.h"
#include "core/gradient/training_options.h"
#include "models/tiny_unet/initial_weights.h"
#include "models/tiny_unet/model.h"
#include "models/tiny_unet/objective.h"

namespace uad::models::tiny_unet {

namespace {

using nlohmann::json;

OptionSpec share_option(const char* name, double default_value, const char* help) {
  return {.name = name,
          .type = OptionType::kFloat,
          .default_value = default_value,
          .help = help,
          .minimum = 0,
          .maximum = 1,
          .of_fit = true};
}

OptionSpec switch_option(const char* name, bool default_value, const char* help) {
  return {.name = name,
          .type = OptionType::kBool,
          .default_value = default_value,
          .help = help,
          .of_fit = true};
}

OptionSpec count_option(const char* name, std::int64_t default_value, const char* help,
                        double minimum) {
  return {.name = name,
          .type = OptionType::kInt,
          .default_value = default_value,
          .help = help,
          .minimum = minimum,
          .maximum = 1e7,
          .of_fit = true};
}

OptionSpec name_option(const char* name, const char* default_value, const char* help,
                       const std::vector<std::string>& choices) {
  return {.name = name,
          .default_value = default_value,
          .help = help,
          .choices = choices,
          .of_fit = true};
}

Network first_network(const FitContext& context) {
  const std::string variant = context.options.at("unet_variant").get<std::string>();
  TensorMap weights = initial_weights(
      variant, context.options.at("weight_init_method").get<std::string>(), context.seed);
  for (auto& [name, tensor] : weights) {
    tensor = tensor.to(c10::Device(context.execution.device)).requires_grad_(true);
  }
  return {variant, std::move(weights)};
}

RmsProp::Options rmsprop_options(const json& options) {
  return {.decay = options.at("rmsprop_decay").get<double>(),
          .momentum = options.at("rmsprop_momentum").get<double>(),
          .weight_decay = options.at("weight_decay").get<double>()};
}

// The pixels that count. @param keep  undefined = all of them.
at::Tensor kept(const at::Tensor& all, const at::Tensor& keep) {
  return keep.defined() ? all.masked_select(keep) : all;
}

double intersection_over_union(const at::Tensor& z, const at::Tensor& t, const at::Tensor& keep) {
  at::Tensor found = z > 0;  // probability above 0.5
  at::Tensor there = t > 0.5;
  if (keep.defined()) {
    found = found & keep;
    there = there & keep;
  }
  const at::Tensor both = (found & there).flatten(1).sum(1).to(at::kDouble);
  const at::Tensor either = (found | there).flatten(1).sum(1).to(at::kDouble);
  return at::where(either > 0, both / either, 1.0).mean().item<double>();
}

}  // namespace

std::vector<OptionSpec> option_specs() {
  OptionSpec steps = count_option("steps", 2500, "training steps", 1);
  steps.aliases = {"num_iter"};
  OptionSpec variant =
      name_option("unet_variant", "tinyUNet",
                  "tinyUNet (1.9 million weights) or original (29 million)", variant_names());
  variant.of_fit = false;
  return {
      std::move(variant),
      std::move(steps),
      batch_size_option(16),
      count_option("training_crop", 0,
                   "side of the random part of each image that a step sees, pixels; a multiple of "
                   "16, 0 = the whole image",
                   0),
      switch_option("augment_data", true,
                    "images are mirrored at random and turned by 0, 90 or 180 degrees"),
      switch_option("rot270", false, "they are turned by 270 degrees as well"),
      name_option("loss_fn_name", "adaptive_loss",
                  "adaptive_loss is cross-entropy until the overlap is fair, then Dice",
                  loss_names()),
      learning_rate_option(1e-4),
      share_option("learning_rate_decay_factor", 0.8, "the learning rate is multiplied by it …"),
      count_option("learning_rate_decay_steps", 500, "… after so many steps, again and again", 1),
      share_option("rmsprop_decay", 0.9, "memory of the averages of the gradients"),
      share_option("rmsprop_momentum", 0.8, "share of the last step in the next"),
      weight_decay_option(1e-5),
      name_option("weight_init_method", "he_uniform", "distribution of the weights at first",
                  init_names()),
      amp_option(),
  };
}

LoopOptions loop_options(const json& options) {
  const int crop = options.at("training_crop").get<int>();
  if (crop % kSideUnit != 0) {
    throw Error(
        ErrorCode::kBadOption,
        fmt::format("Option training_crop must be a multiple of {}, but is {}. {} is nearest.",
                    kSideUnit, crop, nearest_side(crop)));
  }
  const bool augmented = options.at("augment_data").get<bool>();
  const int turns = options.at("rot270").get<bool>() ? 3 : 2;
  return {.steps = options.at("steps").get<std::int64_t>(),
          .batch_size = options.at("batch_size").get<std::size_t>(),
          .schedule = {.kind = Schedule::Kind::kStep,
                       .rate = options.at("lr").get<double>(),
                       .factor = options.at("learning_rate_decay_factor").get<double>(),
                       .every = options.at("learning_rate_decay_steps").get<std::int64_t>()},
          .augmentation = {.crop = {crop, crop},
                           .flip_horizontal = augmented,
                           .quarter_turns = augmented ? turns : 0}};
}

UnetLearner::UnetLearner(const FitContext& context)
    : options_(context.options),
      execution_(context.execution),
      network_(first_network(context)),
      optimiser_(tensors_of(network_.parameters()), rmsprop_options(context.options)) {}

UnetLearner::Answer UnetLearner::answer(const Batch& batch) const {
  const c10::Device device(execution_.device);
  const bool mixed = options_.at("amp").get<bool>();
  const at::Tensor image = grey(batch.images.to(device)).to(mixed ? at::kBFloat16 : at::kFloat);
  const at::Tensor t = batch.masks.to(device);
  const at::Tensor keep = batch.keep.defined() ? batch.keep.to(device, at::kBool) : at::Tensor();
  const at::Tensor z = network_.logits(image);
  Answer answer;
  answer.loss = loss(options_.at("loss_fn_name").get<std::string>(), kept(z, keep), kept(t, keep));
  const c10::NoGradGuard no_gradients;
  answer.figures["loss"] = answer.loss.item<double>();
  answer.figures["dice"] = dice(kept(z, keep).sigmoid(), kept(t, keep)).item<double>();
  answer.figures["iou"] = intersection_over_union(z, t, keep);
  return answer;
}

Figures UnetLearner::step(const Batch& batch, double learning_rate) {
  Answer found = answer(batch);
  {
    const c10::NoGradGuard no_gradients;  // the optimiser adds the gradient of this term
    found.figures["loss"] += options_.at("weight_decay").get<double>() *
                             decay_term(network_.parameters()).item<double>();
  }
  descend(found.loss, optimiser_, learning_rate);
  return found.figures;
}

Figures UnetLearner::validate(const Batch& batch) { return answer(batch).figures; }

TensorMap UnetLearner::state() {
  TensorMap state = optimiser_.state();
  for (const auto& [name, tensor] : network_.parameters()) state.emplace(name, tensor.detach());
  return state;
}

std::unique_ptr<AnomalyModel> UnetLearner::model() {
  TensorMap weights;
  for (const auto& [name, tensor] : network_.parameters()) weights[name] = tensor.detach().clone();
  return make_model(network_.variant(), std::move(weights), execution_);
}

// Estimated, generously: what the layers of full size keep for the backward pass in float32.
std::int64_t UnetLearner::step_bytes(std::int64_t images, std::int64_t height,
                                     std::int64_t width) const {
  constexpr std::int64_t kBytesPerPixel = 2000;
  const std::int64_t widths = network_.variant() == "original" ? 3 : 1;
  return images * height * width * kBytesPerPixel * widths;
}

}  // namespace uad::models::tiny_unet
