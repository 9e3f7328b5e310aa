// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/registry.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/methods.h"
#include "models/iuf/iuf.h"
#include "models/padim/padim.h"
#include "models/patchcore/patchcore.h"
#include "models/stfpm/stfpm.h"
#include "models/tiny_unet/tiny_unet.h"
#include "models/uf_gan/uf_gan.h"
#include "models/vgg_cam/vgg_cam.h"

namespace uad::models {

const MethodTable& method_table() {
  static const MethodTable methods{
      iuf_method(),       padim_method(),  patchcore_method(), stfpm_method(),
      tiny_unet_method(), uf_gan_method(), vgg_cam_method(),
  };
  return methods;
}

const Method& find_method(const std::string& name) {
  for (const Method& method : method_table()) {
    if (method.name == name) return method;
  }
  uad::find_method(name);  // throws, with the known names
  throw Error(ErrorCode::kFailed,
              fmt::format("Method \"{}\" is announced in core/base/methods.cpp, but has no row in "
                          "models/registry.cpp.",
                          name));
}

}  // namespace uad::models
