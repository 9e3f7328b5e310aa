// SPDX-License-Identifier: LGPL-2.1-or-later
// Is an encoded image whole? Decoders fill what is missing with grey and complain on stderr; this
// looks first.
#pragma once

#include <string>

namespace uad {

bool is_png(const std::string& bytes);
bool is_jpeg(const std::string& bytes);

/// Checks order, length and checksum of every chunk and leaves out what does not decide pixels
/// (colour profiles, texts), about which decoders print warnings.
/// @return the PNG without those. @throws Error(kBadFile) naming the file.
std::string checked_png(const std::string& bytes, const std::string& file_name);

/// Walks the segments up to the end marker. @throws Error(kBadFile) naming the file.
void check_jpeg(const std::string& bytes, const std::string& file_name);

}  // namespace uad
