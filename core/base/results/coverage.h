// SPDX-License-Identifier: LGPL-2.1-or-later
// How much of a frame was looked at in the frame itself.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uad {

/// Frames that are not analysed at all do not count.
struct Coverage {
  std::size_t windows = 1;   ///< of the frame
  std::size_t analysed = 1;  ///< of these, in this frame; the others keep what they said last
  std::uint64_t oldest = 0;  ///< frames since the oldest of the kept results; 0 = all are new
  /// Every window is analysed at least once in so many frames, whatever happens.
  std::uint64_t within = 1;
  std::uint64_t oldest_ns = 0;  ///< as `oldest`, in time; the largest number = unknown
  bool stale = false;           ///< that is more than a result may live
  bool operator==(const Coverage&) const = default;

  /// Of a frame that is analysed as one.
  static Coverage of_all(std::size_t windows) { return {.windows = windows, .analysed = windows}; }
  [[nodiscard]] bool whole() const noexcept { return analysed == windows; }
};

}  // namespace uad
