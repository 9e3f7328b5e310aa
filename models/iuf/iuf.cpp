// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/iuf.h"

#include "models/iuf/fitter.h"
#include "models/iuf/model.h"
#include "models/iuf/settings.h"

namespace uad::models {

Method iuf_method() {
  return {.name = "iuf",
          .options = iuf::option_specs(),
          .default_input = {.resize = {224, 224}},
          .make_fitter =
              [](const FitContext& context) { return std::make_unique<iuf::IufFitter>(context); },
          .load = iuf::load_model,
          .incremental = true,
          .grows_by_products = true,
          .by_gradient = true,
          .loads_weights = true};
}

}  // namespace uad::models
