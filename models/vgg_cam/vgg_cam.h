// SPDX-License-Identifier: LGPL-2.1-or-later
// VGG-CAM: a classifier trained on good and defective images, and where it looks.
// Source: Simonyan and Zisserman (arXiv 1409.1556) for the network, Zhou et al. (arXiv 1512.04150)
// for the maps; where we differ is in the README beside this file.
#pragma once

#include "core/method.h"

namespace uad::models {

/// The row of the method table.
[[nodiscard]] Method vgg_cam_method();

}  // namespace uad::models
