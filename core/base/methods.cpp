// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/methods.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/base/option_spec.h"

namespace uad {

const std::vector<MethodInfo>& known_methods() {
  static const std::vector<MethodInfo> methods{
      {.name = "iuf",
       .title = "IUF: what one model of many products, learnt one after the other, cannot rebuild"},
      {.name = "padim",
       .title = "PaDiM: distance from the Gaussian of good parts at each position"},
      {.name = "patchcore", .title = "PatchCore: distance to a memory bank of good patches"},
      {.name = "stfpm",
       .title = "STFPM: where a student trained on good parts fails to follow its teacher"},
      {.name = "tiny-unet",
       .title = "TinyUNet: probability of each pixel to be a defect, learnt from masks",
       .needs_labels = true,
       .needs_masks = true},
      {.name = "uf-gan",
       .title = "UF-GAN: how badly a generator trained on a few good parts redraws a part"},
      {.name = "vgg-cam",
       .title = "VGG-CAM: classifier of good and defective parts that shows where it looks",
       .needs_labels = true},
  };
  return methods;
}

const MethodInfo& find_method(std::string_view name) {
  std::vector<std::string> names;
  for (const MethodInfo& method : known_methods()) {
    if (method.name == name) return method;
    names.emplace_back(method.name);
  }
  const std::string nearest = nearest_name(name, names);
  throw Error(ErrorCode::kBadOption,
              fmt::format("Method \"{}\" is unknown{} This build has: {}.", name,
                          nearest.empty() ? "." : fmt::format(", did you mean \"{}\"?", nearest),
                          fmt::join(names, ", ")));
}

}  // namespace uad
