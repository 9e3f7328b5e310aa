// SPDX-License-Identifier: LGPL-2.1-or-later
// Fingerprints of frames, so that a model says what it was trained on, one by one and as a set.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "core/base/pixels/frame_view.h"

namespace uad {

/// SHA-256 over size and RGB pixels as 64 lower-case hexadecimal digits: a copy has the same,
/// whatever its name and file format.
std::string frame_sha256(const FrameView& frame);

/// Its first 64 bits: what a model file keeps of a frame.
std::int64_t short_hash(const std::string& sha256);

/// Fingerprint of a set: SHA-256 over file names (without folders) and frame_sha256(); the order
/// plays no part.
class FrameDigest {
 public:
  void add(const std::string& name, const std::string& frame_sha256);
  /// 64 lower-case hexadecimal digits.
  [[nodiscard]] std::string finish() const;

 private:
  std::multiset<std::string> frames_;  // one digest a frame, sorted
};

}  // namespace uad
