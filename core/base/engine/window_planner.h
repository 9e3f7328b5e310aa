// SPDX-License-Identifier: LGPL-2.1-or-later
// Which windows of a frame are looked at when the time is not enough for all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace uad {

/// What one frame allows and asks for.
struct WindowBudget {
  std::size_t room = 0;  ///< windows that the time is enough for
  /// A window that showed as much, or more, when it was looked at last is looked at again.
  double suspicious = std::numeric_limits<double>::infinity();
  /// Each window is looked at once in so many frames, or more often; 0 = as many as there are
  /// windows.
  std::size_t within = 0;
};

/// Chosen are, in this order: the windows that were not looked at for longest, as many as the
/// guarantee takes and one at least; then the suspicious ones, the worst first; then the others,
/// again from the oldest on. The first and the worst of the second are looked at even if there is
/// no room. Nothing is left out before each window was looked at once.
///
/// Why the guarantee holds: with `k` of the oldest in every frame, the windows older than a given
/// one become `k` fewer with each frame, and there are windows − 1 of them at most. So it is looked
/// at within ⌈windows / k⌉ frames, whatever else is chosen.
/// @note Not thread-safe. The same calls lead to the same choices.
class WindowPlanner {
 public:
  /// @param windows  of each frame, at least one.
  explicit WindowPlanner(std::size_t windows) : seen_(windows, kNever), scores_(windows, 0.0) {}

  /// @return indexes of windows, rising; at least one.
  [[nodiscard]] std::vector<std::size_t> choose(const WindowBudget& budget) const;
  /// A frame has passed. @param chosen  the windows that were looked at in it.
  /// @param scores  what each window of the frame has shown last.
  void looked_at(const std::vector<std::size_t>& chosen, const std::vector<double>& scores);

  [[nodiscard]] std::size_t windows() const noexcept { return seen_.size(); }
  /// Frames since the window was looked at that was not for longest; 0 = all were in the last.
  [[nodiscard]] std::uint64_t oldest() const;
  /// Frames within which each window is looked at; see WindowBudget::within.
  [[nodiscard]] std::uint64_t guaranteed(std::size_t within) const;

 private:
  static constexpr std::int64_t kNever = -1;

  [[nodiscard]] std::size_t oldest_per_frame(std::size_t within) const;
  [[nodiscard]] std::vector<std::size_t> by_age() const;

  std::vector<std::int64_t> seen_;  // the frame in which each was looked at last
  std::vector<double> scores_;
  std::int64_t frames_ = 0;
};

}  // namespace uad
