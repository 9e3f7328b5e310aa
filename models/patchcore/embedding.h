// SPDX-License-Identifier: LGPL-2.1-or-later
// Feature maps in, one vector per patch out.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace uad::models::patchcore {

/// Vectors of a batch and the grid they came from.
struct Embedding {
  at::Tensor patches;  ///< float32 [N * height * width, D], images one after the other, row-major
  std::int64_t height = 0;
  std::int64_t width = 0;
};

enum class Upsampling { kNearest, kBilinear };

/// Mean over 3x3 neighbours (zeros outside, divisor always 9), every map enlarged to the first
/// one's grid whatever its size, channels concatenated.
/// @param features  maps [N, C_i, h_i, w_i], finest first.
/// @param upsampling  nearest (QualityInspector) or bilinear with half-pixel centres (anomalib).
/// Source: specification, PatchCore, section 3.
[[nodiscard]] Embedding embed_means(const std::vector<at::Tensor>& features, Upsampling upsampling);

inline constexpr std::int64_t kAmazonDimension = 1024;

/// The whole 3x3 neighbourhood of every layer averaged down to 1024 numbers, these enlarged to the
/// first one's grid, and all layers' averaged down to 1024 again.
/// Source: as above, section 2, flavour of the paper's authors.
[[nodiscard]] Embedding embed_neighbourhoods(const std::vector<at::Tensor>& features,
                                             Upsampling upsampling);

}  // namespace uad::models::patchcore
