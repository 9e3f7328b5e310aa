// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/uf_gan.h"

#include "models/uf_gan/fitter.h"
#include "models/uf_gan/model.h"
#include "models/uf_gan/settings.h"

namespace uad::models {

namespace {

/// Squares at both ends of the frame, of the network's size: specification, sections 3.3 and 3.4.
InputSpec squares(const nlohmann::json& options) {
  const int size = options.value("size", 128);
  return {.resize = {size, size},
          .cover = true,
          .antialias = false,
          .window = {size, size},
          .stride = {size, size},
          .mean = {0.5F, 0.5F, 0.5F},
          .std = {0.5F, 0.5F, 0.5F}};
}

/// Whole frames in their own size: specification, section 3.2.
InputSpec whole_frames(InputSpec input) {
  input.resize = {};
  input.keep_aspect = false;
  input.cover = false;
  input.crop = {};
  input.window = {};
  input.stride = {};
  return input;
}

}  // namespace

Method uf_gan_method() {
  return {
      .name = "uf-gan",
      .options = uf_gan::option_specs(),
      .default_input = squares(nlohmann::json::object()),
      .input_by_options = squares,
      .make_fitter =
          [](const FitContext& context) { return std::make_unique<uf_gan::MuraFitter>(context); },
      .load = uf_gan::load_model,
      .by_gradient = true,
      .training_input = whole_frames,
      .judges_on_the_way = true,
      .short_names = uf_gan::short_names()};
}

}  // namespace uad::models
