// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/vgg_cam/vgg_cam.h"

#include "core/gradient/gradient_fitter.h"
#include "models/vgg_cam/learner.h"
#include "models/vgg_cam/model.h"
#include "models/vgg_cam/settings.h"

namespace uad::models {

namespace {

std::unique_ptr<Fitter> make_fitter(const FitContext& context) {
  const vgg_cam::Settings settings(context.options);
  return std::make_unique<GradientFitter>(context, LearnsFrom::kAll, loop_options(settings),
                                          std::make_unique<vgg_cam::CamLearner>(settings, context));
}

}  // namespace

Method vgg_cam_method() {
  return {.name = "vgg-cam",
          .options = vgg_cam::option_specs(),
          // the 0…1 scale: the option `normalize` says what the network makes of it
          .default_input = {.resize = {224, 224}, .mean = {0, 0, 0}, .std = {1, 1, 1}},
          .make_fitter = make_fitter,
          .load = vgg_cam::Classifier::load,
          .needs = Needs::kLabels,
          .by_gradient = true};
}

}  // namespace uad::models
