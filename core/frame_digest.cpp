// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/frame_digest.h"

#include <filesystem>

#include <fmt/format.h>

#include "core/base/pixels/image.h"
#include "core/files/sha256.h"

namespace uad {
void FrameDigest::add(const std::string& name, const FrameView& frame) {
  const std::string head = fmt::format(
      "{} {}x{}\n", std::filesystem::path(name).filename().string(), frame.width, frame.height);
  const Image rgb = to_rgb(frame, {0, 0, frame.width, frame.height});
  Sha256 sha;
  sha.add(head.data(), head.size());
  sha.add(rgb.pixels.data(), rgb.pixels.size());
  frames_.insert(sha.hex());
}

std::string FrameDigest::finish() const {
  Sha256 sha;
  for (const std::string& frame : frames_) sha.add(frame.data(), frame.size());
  return sha.hex();
}

}  // namespace uad
