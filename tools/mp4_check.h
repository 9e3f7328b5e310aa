// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether an MP4 or MOV file is all there, told from its outermost boxes before it is opened.
#pragma once

#include <filesystem>
#include <string>

namespace uad::tools {

/// What is missing, in words, e.g. "it has no index (moov)"; "" if nothing is, or if this is
/// another kind of file. Reads a few bytes a box. Source: ISO/IEC 14496-12, section 4.2.
/// @throws Error(kNotFound, kBadFile) if the file cannot be read.
std::string missing_from_mp4(const std::filesystem::path& file);

}  // namespace uad::tools
