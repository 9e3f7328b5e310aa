// SPDX-License-Identifier: LGPL-2.1-or-later
// A fingerprint of a set of frames, so that a model says what it was trained on.
#pragma once

#include <set>
#include <string>

#include "core/base/pixels/frame_view.h"

namespace uad {

/// SHA-256 over file names (without folders), sizes and RGB pixels; the order plays no part.
class FrameDigest {
 public:
  void add(const std::string& name, const FrameView& frame);
  /// 64 lower-case hexadecimal digits.
  [[nodiscard]] std::string finish() const;

 private:
  std::multiset<std::string> frames_;  // one digest a frame, sorted
};

}  // namespace uad
