// SPDX-License-Identifier: LGPL-2.1-or-later
// UF-GAN: a generator that redraws normal texture and a discriminator whose features say how well,
// trained in small steps from a handful of good images. See README.md.
#pragma once

#include "core/method.h"

namespace uad::models {

[[nodiscard]] Method uf_gan_method();

}  // namespace uad::models
