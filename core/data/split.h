// SPDX-License-Identifier: LGPL-2.1-or-later
// Which samples of a labelled set are learnt from and which are kept for judging. A stratified
// split gives every kind of sample (good, scratch, dent, …) its proportional share on either side.
//
// The same seed gives the same split on every machine; indices are ascending.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace uad {

struct HoldOut {
  std::vector<std::size_t> fit;
  std::vector<std::size_t> held_out;
};

/// ceil(share · count), exactly: 7 for 0.07 · 100, which as a double is a little above 7.
/// @param share  within 0 … 1.
std::size_t held_out_count(std::size_t count, double share) noexcept;

/// Holds out held_out_count() of the samples, drawn at random within each kind. A kind first gets
/// the whole part of its proportional share; what is left goes one each to the largest fractions,
/// and among equal fractions the seed decides. Source: specification, VGG-CAM, section 3.
/// @param kinds  one a sample; all the same for a plain random split.
/// @throws Error(kBadOption) if the share is not above 0 and below 1, or leaves none to fit.
HoldOut stratified_hold_out(const std::vector<std::string>& kinds, double share,
                            std::uint64_t seed);

/// What each of `count` folds holds out: every sample exactly once. Nothing is shuffled: a kind is
/// cut in file order into runs that differ by at most one sample, and so do whole folds.
/// @throws Error(kBadOption) for fewer than two folds, or more folds than samples.
std::vector<std::vector<std::size_t>> stratified_folds(const std::vector<std::string>& kinds,
                                                       std::size_t count);

}  // namespace uad
