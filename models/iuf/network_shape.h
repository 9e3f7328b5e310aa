// SPDX-License-Identifier: LGPL-2.1-or-later
// What an IUF network is built for, and the numbers that are the same in all of them.
//
// Conventions: images are float32 [B, 3, H, W], normalised, H = 16 height, W = 16 width. Feature
// maps are [B, C, h, w]; tokens [T, B, C] are their cells row by row, T = height * width.
// Source: specification, IUF, sections 3 to 5.
#pragma once

#include <array>
#include <cstdint>

namespace uad::models::iuf {

inline constexpr std::int64_t kCellSide = 16;  ///< pixels a token is high and wide
inline constexpr std::int64_t kHidden = 256;   ///< channels inside both networks
inline constexpr std::int64_t kLayers = 4;     ///< of encoder, decoder and classifier each

struct NetworkShape {
  std::int64_t classes = 12;
  std::int64_t channels = 272;  ///< of the features that are rebuilt
  std::int64_t height = 14;     ///< rows of tokens
  std::int64_t width = 14;
  /// Side of what the classifier takes for one token: 1 as published, kCellSide = the extension,
  /// which costs a 256th. Other divisors of kCellSide work, too.
  std::int64_t patch = 1;
  bool sine = false;             ///< position code: of sines; else a learned one
  std::array<bool, 3> masked{};  ///< neighbours in the encoder's, the decoder's first and second
                                 ///< attention
  std::int64_t mask_size = 7;    ///< side of the window of neighbours, odd

  [[nodiscard]] std::int64_t tokens() const { return height * width; }
};

/// How batch norm works in a pass.
enum class Pass {
  kTraining,  ///< by the batch, and the running statistics follow it
  kInference  ///< by the running statistics
};

}  // namespace uad::models::iuf
