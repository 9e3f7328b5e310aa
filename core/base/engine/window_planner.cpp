// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/window_planner.h"

#include <algorithm>
#include <numeric>

namespace uad {
namespace {

std::size_t divided_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

}  // namespace

std::vector<std::size_t> WindowPlanner::by_age() const {
  std::vector<std::size_t> order(windows());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [this](std::size_t window) { return seen_[window]; });
  return order;
}

std::size_t WindowPlanner::oldest_per_frame(std::size_t within) const {
  return within == 0 ? 1 : divided_up(windows(), std::min(within, windows()));
}

std::vector<std::size_t> WindowPlanner::choose(const WindowBudget& budget) const {
  std::vector<std::size_t> order = by_age();
  const auto unseen = static_cast<std::size_t>(std::ranges::count(seen_, kNever));
  const std::size_t owed = std::max(unseen, oldest_per_frame(budget.within));
  const auto rest = order.begin() + static_cast<std::ptrdiff_t>(owed);
  const auto unsuspicious = std::stable_partition(
      rest, order.end(), [&](std::size_t window) { return scores_[window] >= budget.suspicious; });
  std::stable_sort(rest, unsuspicious,
                   [this](std::size_t a, std::size_t b) { return scores_[a] > scores_[b]; });
  const std::size_t least = owed + (unsuspicious != rest ? 1 : 0);
  order.resize(std::min(windows(), std::max(least, budget.room)));
  std::ranges::sort(order);
  return order;
}

void WindowPlanner::looked_at(const std::vector<std::size_t>& chosen,
                              const std::vector<double>& scores) {
  for (const std::size_t window : chosen) seen_.at(window) = frames_;
  scores_ = scores;
  ++frames_;
}

std::uint64_t WindowPlanner::oldest() const {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, frames_ - 1 - std::ranges::min(seen_)));
}

std::uint64_t WindowPlanner::guaranteed(std::size_t within) const {
  return divided_up(windows(), oldest_per_frame(within));
}

}  // namespace uad
