// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/tiny_unet.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/gradient/gradient_fitter.h"
#include "models/tiny_unet/learner.h"
#include "models/tiny_unet/model.h"

namespace uad::models {

namespace {

// Of the images that the network will see; {0, 0} where that depends on the frames.
Size input_size(const InputSpec& input) {
  if (input.window != Size{}) return input.window;
  if (input.crop != Size{}) return input.crop;
  const bool fixed = !input.keep_aspect && input.resize.width > 0 && input.resize.height > 0;
  return fixed ? input.resize : Size{};
}

// Parts that are learnt from may have other sides, so training alone would find out last.
void require_input(const InputSpec& input) {
  const Size size = input_size(input);
  if (size.width % tiny_unet::kSideUnit == 0 && size.height % tiny_unet::kSideUnit == 0) return;
  throw Error(ErrorCode::kBadOption,
              fmt::format("TinyUNet needs an input whose sides are multiples of {}, but it is set "
                          "to {}x{}. Change --resize, --crop_size or --window.",
                          tiny_unet::kSideUnit, size.width, size.height));
}

std::unique_ptr<Fitter> make_fitter(const FitContext& context) {
  require_input(context.input);
  return std::make_unique<GradientFitter>(context, LearnsFrom::kDefective,
                                          tiny_unet::loop_options(context.options),
                                          std::make_unique<tiny_unet::UnetLearner>(context));
}

}  // namespace

Method tiny_unet_method() {
  return {.name = "tiny-unet",
          .options = tiny_unet::option_specs(),
          .default_input = {.resize = {512, 512},
                            .mean = {0.5F, 0.5F, 0.5F},
                            .std = {0.5F, 0.5F, 0.5F}},
          .make_fitter = make_fitter,
          .load = tiny_unet::load_model,
          .needs = Needs::kMasks,
          .by_gradient = true};
}

}  // namespace uad::models
