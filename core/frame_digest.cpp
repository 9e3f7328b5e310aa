// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/frame_digest.h"

#include <bit>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "core/base/pixels/image.h"
#include "core/files/sha256.h"

namespace uad {

std::string frame_sha256(const FrameView& frame) {
  const std::string size = fmt::format("{}x{}\n", frame.width, frame.height);
  const Image rgb = to_rgb(frame, {0, 0, frame.width, frame.height});
  Sha256 sha;
  sha.add(size.data(), size.size());
  sha.add(rgb.pixels.data(), rgb.pixels.size());
  return sha.hex();
}

std::int64_t short_hash(const std::string& sha256) {
  std::uint64_t bits = 0;
  std::from_chars(sha256.data(), sha256.data() + 16, bits, 16);
  return std::bit_cast<std::int64_t>(bits);
}

void FrameDigest::add(const std::string& name, const std::string& frame_sha256) {
  // The frame's own hash has a fixed length, so no two frames run into the same text.
  const std::string line = frame_sha256 + std::filesystem::path(name).filename().string();
  frames_.insert(sha256_of(line.data(), line.size()));
}

std::string FrameDigest::finish() const {
  Sha256 sha;
  for (const std::string& frame : frames_) sha.add(frame.data(), frame.size());
  return sha.hex();
}

}  // namespace uad
