// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/shots.h"

#include <algorithm>
#include <numeric>

namespace uad::models::uf_gan {

namespace {

std::size_t tenths(std::size_t count, std::size_t share) { return (share * count + 9) / 10; }

std::size_t half_to_even(std::size_t count) {
  const std::size_t half = count / 2;
  return half + (count % 2 == 1 && half % 2 == 1 ? 1 : 0);
}

/// Indices from the flattest image to the liveliest, of equals the brighter first.
std::vector<std::size_t> ranks_of(const std::vector<Levels>& images) {
  std::vector<std::size_t> ranks(images.size());
  std::iota(ranks.begin(), ranks.end(), std::size_t{0});
  std::ranges::stable_sort(ranks, [&](std::size_t a, std::size_t b) {
    const auto& [mean_a, deviation_a] = images[a];
    const auto& [mean_b, deviation_b] = images[b];
    return deviation_a != deviation_b ? deviation_a < deviation_b : mean_a > mean_b;
  });
  return ranks;
}

}  // namespace

// The groups of the published code may overlap, and of one in the middle it takes none; here every
// place goes to an image of its own.
std::vector<std::size_t> choose_shots(const std::vector<Levels>& images, std::size_t shots) {
  const std::vector<std::size_t> ranks = ranks_of(images);
  const std::size_t count = ranks.size();
  const std::size_t wanted = std::min(shots, count);
  const std::size_t flat = std::min(wanted, tenths(wanted, 7));
  const std::size_t middle = std::min(wanted - flat, tenths(wanted, 2));
  const std::size_t lively = std::min(wanted - flat - middle, tenths(wanted, 1));
  std::vector<bool> taken(count, false);
  std::vector<std::size_t> chosen;
  const auto take = [&](std::size_t rank) {
    if (rank >= count || taken[rank] || chosen.size() == wanted) return;
    taken[rank] = true;
    chosen.push_back(ranks[rank]);
  };
  for (std::size_t i = 0; i < flat; ++i) take(i);
  const std::size_t centre = half_to_even(count);
  const std::size_t half = half_to_even(middle);
  const std::size_t first = middle == 1 ? centre : centre - std::min(centre, half);
  for (std::size_t i = 0; i < std::min(middle, std::max<std::size_t>(1, 2 * half)); ++i) {
    if (middle > 0) take(first + i);
  }
  for (std::size_t i = 0; i < lively; ++i) take(count - lively + i);
  for (std::size_t rank = 0; chosen.size() < wanted; ++rank) take(rank);
  return chosen;
}

}  // namespace uad::models::uf_gan
