// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/training_data.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <random>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/data/split.h"
#include "core/frame_digest.h"

namespace uad {
namespace {

constexpr std::size_t kFewFrames = 10;  // below, every frame is held out once
constexpr std::size_t kFewestHeldOut = 5;
constexpr std::size_t kFewestHeldOutOfFew = 2;  // where many passes forbid to leave out each once

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::kBadOption, why); }

void check_count(const TrainingData& data, const TrainRequest& request) {
  require_whole_parts(request.parts, data.skipped);
  if (data.frames == 0 && !data.skipped.empty()) {
    refuse(
        fmt::format("Not one of the {} training images could be read; the first, \"{}\", "
                    "failed with: {}",
                    data.skipped.size(), data.skipped.front().name, data.skipped.front().reason));
  }
  const bool held_out_once = request.method->by_gradient && request.method->needs == Needs::kGood;
  const std::size_t least = held_out_once ? 2 * kFewestHeldOutOfFew : 2;
  if (data.parts < least) {
    refuse(
        fmt::format("Training needs at least {} good {}, {} to fit and {} to derive the "
                    "thresholds from, but found {}. Add good images to --data.",
                    least, unit_of(request), least == 2 ? "one" : "two", least == 2 ? "one" : "two",
                    data.parts));
  }
}

void check_classes(const TrainingData& data, const TrainRequest& request) {
  const auto defective = static_cast<std::size_t>(std::ranges::count(data.defective, true));
  if (defective > 0 && defective < data.frames) return;
  refuse(
      fmt::format("Method {} learns from good and from defective images, but all {} that could "
                  "be read are {}. Give --data with both, e.g. an MVTec-layout folder whose "
                  "test/<kind> hold defects, or choose a method that needs good images only.",
                  request.method->name, data.frames, defective == 0 ? "good" : "defective"));
}

void check_promise(const TrainingData& data, const TrainRequest& request) {
  if (!request.promise) return;
  (void)samples_needed(*request.promise);  // refuses before the work what it would refuse after
  if (!data.held_out.empty()) return;
  if (request.holdout == 0) {
    refuse("A promised false-reject rate comes from held-out good images, but holdout is 0.");
  }
  refuse(
      fmt::format("A promised false-reject rate needs at least {} good {} in training, of which "
                  "some are held out, but found {}. Add good images, or leave out "
                  "false-reject-rate and use uad calibrate.",
                  kFewFrames, unit_of(request), data.parts));
}

void check_start(const TrainingData& data, const TrainRequest& request) {
  if (!request.start || request.start->manifest.training.data_sha256 != data.sha256) return;
  const char* const same =
      "The model that goes on learning was trained on these very images, so the thresholds would "
      "come from images that it knows. Give others.";
  if (request.promise) refuse(same);
  log(LogLevel::kWarning, same);
}

void check_sensitivity(const TrainingData& data, const TrainRequest& request) {
  if (!request.learn_sensitivity) return;
  if (request.method->needs != Needs::kGood) {
    refuse(
        fmt::format("sensitivity=learned evens out the maps of good images, but the maps of {} "
                    "are probabilities. Set sensitivity=uniform.",
                    request.method->name));
  }
  if (data.held_out.size() >= 2 * kFewestHeldOut) return;
  refuse(
      fmt::format("A learned sensitivity needs at least {} held-out {}, half of them for the "
                  "thresholds, but {} are held out of {}. Give more, raise holdout, or set "
                  "sensitivity=uniform.",
                  2 * kFewestHeldOut, unit_of(request), data.held_out.size(), data.parts));
}

void check_share(double share) {
  if (share > 0 && share < 1) return;
  refuse(fmt::format("Option \"holdout\" must be above 0 and below 1, but is {}.", share));
}

/// @param wanted  cut down so that one is left.
std::vector<std::size_t> draw(std::size_t count, std::size_t wanted, bool consecutive,
                              std::uint64_t seed) {
  const std::size_t held_out = std::min(wanted, count - 1);
  std::vector<std::size_t> indices(count);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  std::mt19937_64 random(seed);  // taken modulo, because std distributions differ between libraries
  if (consecutive) {
    std::ranges::rotate(
        indices, indices.begin() + static_cast<std::ptrdiff_t>(random() % (count - held_out + 1)));
  } else {
    for (std::size_t i = 0; i < held_out; ++i) {
      std::swap(indices[i], indices[i + random() % (count - i)]);
    }
  }
  indices.resize(held_out);
  std::ranges::sort(indices);
  return indices;
}

/// A share of the parts of every product, so that none is judged unseen or learnt unjudged: the
/// least is one of each, and the most all but one.
/// @param least  of all products together, as far as there are so many.
std::vector<std::size_t> draw_of_every_product(const std::vector<std::string>& products,
                                               std::size_t least, const TrainRequest& request) {
  std::map<std::string, std::vector<std::size_t>> parts;
  for (std::size_t i = 0; i < products.size(); ++i) parts[products[i]].push_back(i);
  const double share =
      std::max(request.holdout, static_cast<double>(least) / static_cast<double>(products.size()));
  std::vector<std::size_t> held_out;
  std::uint64_t seed = request.seed;
  for (const auto& [product, own] : parts) {
    const std::size_t wanted = std::max<std::size_t>(1, held_out_count(own.size(), share));
    for (const std::size_t i : draw(own.size(), wanted, request.consecutive, seed++)) {
      held_out.push_back(own[i]);
    }
  }
  std::ranges::sort(held_out);
  return held_out;
}

bool several(const std::vector<std::string>& products) {
  return std::ranges::adjacent_find(products, std::ranges::not_equal_to()) != products.end();
}

std::vector<std::size_t> hold_out(const TrainingData& data, const TrainRequest& request) {
  if (request.method->needs != Needs::kGood) {
    if (request.parts.kind != PartRule::Kind::kFrame) {
      refuse(fmt::format("Method {} judges single images, so --part-of must be frame.",
                         request.method->name));
    }
    if (request.holdout == 0) return {};
    return stratified_hold_out(data.kinds, request.holdout, request.seed).held_out;
  }
  if (!request.method->by_gradient) {
    return held_out_indices(data.parts, request.holdout, request.consecutive, request.seed);
  }
  check_share(request.holdout);
  const std::size_t least = data.parts < kFewFrames ? kFewestHeldOutOfFew : kFewestHeldOut;
  if (several(data.products)) {
    std::vector<std::size_t> of_each = draw_of_every_product(data.products, least, request);
    if (!of_each.empty()) return of_each;  // else there is but one of each
  }
  return draw(data.parts, std::max(held_out_count(data.parts, request.holdout), least),
              request.consecutive, request.seed);
}

}  // namespace

const char* unit_of(const TrainRequest& request) {
  return request.parts.kind == PartRule::Kind::kFrame ? "images" : "parts";
}

bool leaves_one_out(const TrainingData& data, const TrainRequest& request) {
  return data.held_out.empty() && request.method->needs == Needs::kGood;
}

TrainingData survey(const FrameSource& source, const VisitAll& visit_all,
                    const TrainRequest& request, const TilePreprocessor& preprocessor) {
  TrainingData data(request.seed);
  FrameDigest digest;
  PartNumbers numbers(request.parts);
  visit_all([&](std::size_t, const LabelledFrame& frame) {
    const std::string hash = frame_sha256(frame.view);
    digest.add(frame.name, hash);
    data.hashes.push_back(short_hash(hash));
    data.self_test.consider([&] { return preprocessor.network_image(frame.view); });
    ++data.frames;
    data.part_of.push_back(numbers.next(frame.name));
    if (data.part_of.back() == data.products.size()) data.products.push_back(frame.product);
    data.kinds.push_back(frame.kind);
    data.defective.push_back(frame.defective);
  });
  data.parts = data.part_of.empty() ? 0 : std::ranges::max(data.part_of) + 1;
  data.sha256 = digest.finish();
  data.skipped = source.skipped();
  check_count(data, request);
  if (request.method->needs != Needs::kGood) check_classes(data, request);
  data.held_out = hold_out(data, request);
  check_promise(data, request);
  check_start(data, request);
  check_sensitivity(data, request);
  return data;
}

std::vector<std::size_t> held_out_indices(std::size_t count, double share, bool consecutive,
                                          std::uint64_t seed) {
  check_share(share);
  if (count < kFewFrames) return {};
  const auto wanted = static_cast<std::size_t>(share * static_cast<double>(count) + 0.5);
  return draw(count, std::max(wanted, kFewestHeldOut), consecutive, seed);
}

}  // namespace uad
