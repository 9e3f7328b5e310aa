// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/batch_order.h"

#include <algorithm>
#include <numeric>
#include <random>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

/// One well-mixed number out of three (the finaliser of SplitMix64, applied to each).
std::uint64_t mix(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  std::uint64_t mixed = 0;
  for (const std::uint64_t value : {a, b, c}) {
    mixed += value + 0x9E3779B97F4A7C15U;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
    mixed ^= mixed >> 31;
  }
  return mixed;
}

/// Modulo, because std distributions differ between libraries.
void shuffle(std::vector<std::size_t>& order, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
}

}  // namespace

BatchOrder::BatchOrder(const Options& options) : options_(options) {
  if (options.samples == 0) {
    throw Error(ErrorCode::kBadOption, "There is no image to learn from. Add images to --data.");
  }
  if (options.drop_last && options.samples < options.batch_size) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("{} images do not fill a batch of {}. Set batch_size to {} or less, or "
                            "add images.",
                            options.samples, options.batch_size, options.samples));
  }
  if (options.task_size > 0) {
    const std::size_t batches = (options.task_size + options.batch_size - 1) / options.batch_size;
    steps_per_epoch_ = options.task_passes * static_cast<std::int64_t>(batches);
    return;
  }
  const std::size_t full = options.samples / options.batch_size;
  const bool rest = options.samples % options.batch_size != 0 && !options.drop_last;
  steps_per_epoch_ = static_cast<std::int64_t>(full + (rest ? 1 : 0));
}

std::vector<std::size_t> BatchOrder::permutation(std::uint64_t epoch) const {
  std::vector<std::size_t> order(options_.samples);
  std::iota(order.begin(), order.end(), std::size_t{0});
  shuffle(order, mix(options_.seed, epoch, 0));
  return order;
}

std::vector<Draw> BatchOrder::batch_of_task(std::uint64_t step) const {
  const std::size_t batches = (options_.task_size + options_.batch_size - 1) / options_.batch_size;
  const std::uint64_t task = step / static_cast<std::uint64_t>(steps_per_epoch_);
  std::mt19937_64 random(mix(options_.seed, task, 0));
  std::vector<std::size_t> order(options_.task_size);
  for (std::size_t& sample : order) sample = random() % options_.samples;
  shuffle(order, mix(options_.seed, step / batches, 1));  // by the pass
  const std::size_t first = step % batches * options_.batch_size;
  const std::size_t end = std::min(first + options_.batch_size, options_.task_size);
  std::vector<Draw> draws;
  for (std::size_t i = first; i < end; ++i) {
    draws.push_back({order[i], mix(options_.seed, step, 2 + i)});
  }
  return draws;
}

Draw BatchOrder::draw(std::uint64_t epoch, std::size_t position,
                      const std::vector<std::size_t>& order) const {
  return {order[position], mix(options_.seed, epoch, 1 + order[position])};
}

std::vector<Draw> BatchOrder::batch(std::int64_t step) const {
  const auto number = static_cast<std::uint64_t>(step);
  if (options_.task_size > 0) return batch_of_task(number);
  std::vector<Draw> draws;
  if (options_.endless) {
    std::uint64_t at = number * options_.batch_size;
    std::uint64_t epoch = at / options_.samples;
    std::vector<std::size_t> order = permutation(epoch);
    for (; draws.size() < options_.batch_size; ++at) {
      if (at / options_.samples != epoch) order = permutation(epoch = at / options_.samples);
      draws.push_back(draw(epoch, at % options_.samples, order));
    }
    return draws;
  }
  const auto per_epoch = static_cast<std::uint64_t>(steps_per_epoch_);
  const std::uint64_t epoch = number / per_epoch;
  const std::size_t first = (number % per_epoch) * options_.batch_size;
  const std::size_t end = std::min(first + options_.batch_size, options_.samples);
  const std::vector<std::size_t> order = permutation(epoch);
  for (std::size_t i = first; i < end; ++i) draws.push_back(draw(epoch, i, order));
  return draws;
}

}  // namespace uad
