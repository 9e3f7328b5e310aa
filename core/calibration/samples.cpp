// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/calibration/samples.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

constexpr std::string_view kRunPrefix = "frames:";

bool counts_frames(const PartRule& rule) {
  return rule.kind == PartRule::Kind::kRun && rule.frames > 1;
}

}  // namespace

PartRule parse_part_rule(std::string_view text, std::string_view option) {
  if (text == "frame") return {};
  if (text == "folder") return {PartRule::Kind::kFolder, 1};
  if (text.starts_with(kRunPrefix)) {
    const std::string_view digits = text.substr(kRunPrefix.size());
    std::size_t frames = 0;
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), frames);
    if (failure == std::errc() && end == digits.data() + digits.size() && frames > 0) {
      return {PartRule::Kind::kRun, frames};
    }
  }
  throw Error(ErrorCode::kBadOption,
              fmt::format("Option \"{}\" must be frame, folder or frames:N with N from 1, but is "
                          "\"{}\".",
                          option, text));
}

std::string to_string(const PartRule& rule) {
  switch (rule.kind) {
    case PartRule::Kind::kFolder:
      return "folder";
    case PartRule::Kind::kRun:
      return fmt::format("{}{}", kRunPrefix, rule.frames);
    case PartRule::Kind::kFrame:
      break;
  }
  return "frame";
}

std::size_t PartNumbers::next(const std::string& frame_name) {
  if (rule_.kind != PartRule::Kind::kFolder) return frames_++ / rule_.frames;
  const std::string folder = std::filesystem::path(frame_name).parent_path().string();
  return folders_.emplace(folder, folders_.size()).first->second;
}

void require_whole_parts(const PartRule& rule, const std::vector<SkippedFrame>& skipped) {
  if (!counts_frames(rule) || skipped.empty()) return;
  throw Error(ErrorCode::kBadOption,
              fmt::format("Parts of {} frames cannot be counted off where frames are missing: {} "
                          "could not be read, the first is \"{}\". Repair or replace it, or put "
                          "each part into a folder of its own (--part-of folder).",
                          rule.frames, skipped.size(), skipped.front().name));
}

GoodSamples group_by_part(const std::vector<ScoredFrame>& frames, const PartRule& rule,
                          const std::vector<SkippedFrame>& skipped) {
  require_whole_parts(rule, skipped);
  GoodSamples samples{.rule = rule};
  // The largest score of a part that lacks frames would be too small.
  samples.left_out = counts_frames(rule) ? frames.size() % rule.frames : 0;
  samples.frames = frames.size() - samples.left_out;
  PartNumbers numbers(rule);
  for (std::size_t i = 0; i < samples.frames; ++i) {
    const ScoredFrame& frame = frames[i];
    const std::size_t part = numbers.next(frame.name);
    if (part == samples.scores.size()) {
      samples.scores.push_back(frame.score);
      samples.map_maxima.push_back(frame.map_maximum);
    } else {
      samples.scores[part] = std::max(samples.scores[part], frame.score);
      samples.map_maxima[part] = std::max(samples.map_maxima[part], frame.map_maximum);
    }
  }
  if (samples.scores.empty()) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("There is not one whole part: --part-of {} found {} frames. Give more "
                            "good frames.",
                            to_string(rule), frames.size()));
  }
  return samples;
}

}  // namespace uad
