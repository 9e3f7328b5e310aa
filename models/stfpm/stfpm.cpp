// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/stfpm/stfpm.h"

#include "core/gradient/gradient_fitter.h"
#include "core/gradient/training_options.h"
#include "models/stfpm/learner.h"
#include "models/stfpm/model.h"

namespace uad::models {

namespace {

std::vector<OptionSpec> stfpm_options() {
  OptionSpec backbone = backbone_option();
  backbone.help = "network of teacher and student";
  backbone.choices = {"resnet18", "resnet34", "resnet50", "resnet101"};
  return {
      std::move(backbone),
      layers_option("layer1,layer2,layer3"),
      epochs_option(100),
      batch_size_option(32),
      learning_rate_option(0.4),
      {.name = "momentum",
       .type = OptionType::kFloat,
       .default_value = 0.9,
       .help = "of stochastic gradient descent",
       .minimum = 0,
       .maximum = 1},
      weight_decay_option(1e-4),
      patience_option(),
      amp_option(),
  };
}

LoopOptions loop_options(const nlohmann::json& options) {
  return {.epochs = options.at("epochs").get<std::int64_t>(),
          .batch_size = options.at("batch_size").get<std::size_t>(),
          .schedule = {.rate = options.at("lr").get<double>()},
          .best_by = "error",
          .patience = options.at("patience").get<std::int64_t>(),
          .hopeless_rounds = 5};
}

}  // namespace

Method stfpm_method() {
  return {.name = "stfpm",
          .options = stfpm_options(),
          .default_input = {},
          .make_fitter =
              [](const FitContext& context) {
                return std::make_unique<GradientFitter>(
                    context, LearnsFrom::kGood, loop_options(context.options),
                    std::make_unique<stfpm::StudentLearner>(context));
              },
          .load = stfpm::load_model,
          .by_gradient = true};
}

}  // namespace uad::models
