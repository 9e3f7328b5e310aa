// SPDX-License-Identifier: LGPL-2.1-or-later
// Image files in and out. Whole files only: a truncated image is an error, never a half-grey frame.
//
// The orientation tag of cameras is ignored, so that a file and a stream of the same pixels give
// the same score.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/pixels/image.h"

namespace uad {

/// .png .jpg .jpeg .bmp .tif .tiff in any case.
bool has_image_extension(const std::filesystem::path& file);

/// 8-bit RGB; grey is replicated, alpha dropped, 16 bits scaled to 8.
/// @throws Error(kNotFound); Error(kBadFile) naming the file and what is wrong. @note Thread-safe.
Image read_image(const std::filesystem::path& file);

/// One channel; a pixel that is not black stays above 0. JPEG blurs edges, so there values below
/// 128 count as black.
/// @throws Error(kNotFound, kBadFile). @note Thread-safe.
Image read_mask(const std::filesystem::path& file);

/// A JPEG file of an RGB or one-channel image. @param quality  0…100. @throws Error(kFailed).
std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality);

/// RGB or one channel, written atomically. @throws Error(kFailed).
void write_png(const std::filesystem::path& file, const Image& image);

}  // namespace uad
