// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/split.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

/// The samples of one kind, in file order.
using Stratum = std::vector<std::size_t>;

/// In the order in which the kinds are first met.
std::vector<Stratum> strata_of(const std::vector<std::string>& kinds) {
  std::vector<Stratum> strata;
  std::vector<std::string> met;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto known = std::ranges::find(met, kinds[i]);
    const auto index = static_cast<std::size_t>(known - met.begin());
    if (known == met.end()) {
      met.push_back(kinds[i]);
      strata.emplace_back();
    }
    strata[index].push_back(i);
  }
  return strata;
}

/// The first `chosen` places of `list` become a random choice of it. Drawn by modulo, because
/// distributions of the standard library differ between libraries.
template <class T>
void draw(std::vector<T>& list, std::size_t chosen, std::mt19937_64& random) {
  for (std::size_t i = 0; i < chosen; ++i) {
    std::swap(list[i], list[i + random() % (list.size() - i)]);
  }
}

}  // namespace

std::size_t held_out_count(std::size_t count, double share) noexcept {
  const double exact = share * static_cast<double>(count);
  return static_cast<std::size_t>(std::ceil(exact - 1e-12 * exact));
}

HoldOut stratified_hold_out(const std::vector<std::string>& kinds, double share,
                            std::uint64_t seed) {
  if (!(share > 0 && share < 1)) {
    throw Error(
        ErrorCode::kBadOption,
        fmt::format("The share that is held out must be above 0 and below 1, but is {}.", share));
  }
  const std::size_t wanted = held_out_count(kinds.size(), share);
  if (wanted >= kinds.size()) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Holding out {} of {} samples leaves none to learn from. Give more "
                            "samples or a smaller share.",
                            wanted, kinds.size()));
  }
  std::mt19937_64 random(seed);
  std::vector<Stratum> strata = strata_of(kinds);
  // In integers, so that equal fractions are seen to be equal.
  const auto whole = [&](const Stratum& s) { return wanted * s.size() / kinds.size(); };
  const auto fraction = [&](const Stratum& s) { return wanted * s.size() % kinds.size(); };
  draw(strata, strata.size(), random);
  std::ranges::stable_sort(strata, std::ranges::greater(), fraction);
  std::size_t left = wanted;
  for (const Stratum& stratum : strata) left -= whole(stratum);
  HoldOut result;
  for (Stratum& stratum : strata) {
    const std::size_t chosen = whole(stratum) + (left > 0 ? 1 : 0);
    if (left > 0) --left;
    draw(stratum, chosen, random);
    const auto middle = stratum.begin() + static_cast<std::ptrdiff_t>(chosen);
    result.held_out.insert(result.held_out.end(), stratum.begin(), middle);
    result.fit.insert(result.fit.end(), middle, stratum.end());
  }
  std::ranges::sort(result.held_out);
  std::ranges::sort(result.fit);
  return result;
}

std::vector<std::vector<std::size_t>> stratified_folds(const std::vector<std::string>& kinds,
                                                       std::size_t count) {
  if (count < 2 || count > kinds.size()) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("{} samples cannot be cut into {} folds; 2 to as many folds as samples "
                            "are possible.",
                            kinds.size(), count));
  }
  std::vector<std::vector<std::size_t>> folds(count);
  std::size_t next_larger = 0;  // goes round, so that no fold gets the odd sample of every kind
  for (const Stratum& stratum : strata_of(kinds)) {
    const std::size_t odd = stratum.size() % count;
    auto from = stratum.begin();
    for (std::size_t fold = 0; fold < count; ++fold) {
      const bool larger = (fold + count - next_larger) % count < odd;
      const auto to = from + static_cast<std::ptrdiff_t>(stratum.size() / count + (larger ? 1 : 0));
      folds[fold].insert(folds[fold].end(), from, to);
      from = to;
    }
    next_larger = (next_larger + odd) % count;
  }
  for (std::vector<std::size_t>& fold : folds) std::ranges::sort(fold);
  return folds;
}

}  // namespace uad
