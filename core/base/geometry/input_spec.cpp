// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/geometry/input_spec.h"

#include <string>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {

void require_same_preparation(const InputSpec& model, const InputSpec& tiles) {
  if (same_preparation(model, tiles)) return;
  const auto describe = [](const InputSpec& spec) {
    return fmt::format("resize {}{}{}, crop {}, window {}, stride {}", to_string(spec.resize),
                       spec.cover         ? " covered in its aspect ratio"
                       : spec.keep_aspect ? " keeping the aspect ratio"
                                          : "",
                       spec.antialias ? "" : " without antialiasing", to_string(spec.crop),
                       to_string(spec.window), to_string(spec.stride));
  };
  throw Error(
      ErrorCode::kShapeMismatch,
      fmt::format("The model expects frames prepared with {}, but the tiles are cut with {}. Set "
                  "`uadpreproc model` to the same model file and leave its resize, window and "
                  "stride empty, or retrain.",
                  describe(model), describe(tiles)));
}

}  // namespace uad
