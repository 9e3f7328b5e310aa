// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/statistics.h"

#include <utility>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "models/uf_gan/discriminator.h"
#include "models/uf_gan/generator.h"

namespace uad::models::uf_gan {

// A cumulative average: the n-th batch counts 1 / n, so the first one replaces what was there.
void reestimate(const TensorMap& generator, const TensorMap& discriminator, std::int64_t size,
                const at::Tensor& images) {
  constexpr int kPasses = 4;
  const c10::NoGradGuard no_gradients;
  for (int pass = 0; pass < kPasses; ++pass) {
    const at::Tensor copies =
        generate(PlainLayers(generator, Pass::kTraining, 1.0 / (pass + 1)), images);
    for (const auto& [batch, seen] : {std::pair{images, 2 * pass}, {copies, 2 * pass + 1}}) {
      const PlainLayers layers(discriminator, Pass::kTraining, 1.0 / (seen + 1));
      static_cast<void>(discriminate(layers, size, batch));
    }
  }
}

}  // namespace uad::models::uf_gan
