// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/results/part_judge.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

constexpr int kLongestWindow = 10'000;

std::uint64_t nanoseconds(std::chrono::milliseconds time) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
}

bool is_before(const Capture& one, const Capture& other) {
  return time_between(other, one) == kNoTime;
}

/// Normalised scores compare across models, but end at 1.
bool worse(const Analysis& one, const Analysis& other) {
  return std::tie(one.normalised_score, one.score) > std::tie(other.normalised_score, other.score);
}

/// The pixels of the map that `box` touches, as half-open ranges.
Rect map_pixels(const Analysis& analysis, const Rect& box) {
  const RectF& at = analysis.placement;
  const double across = analysis.map.width / at.width;
  const double down = analysis.map.height / at.height;
  const auto from = [](double edge) { return std::max(0, static_cast<int>(std::floor(edge))); };
  const auto to = [](double edge, int size) {
    return std::min(size, static_cast<int>(std::ceil(edge)));
  };
  const int left = from((box.x - at.x) * across);
  const int top = from((box.y - at.y) * down);
  return {left, top, to((box.x + box.width - at.x) * across, analysis.map.width) - left,
          to((box.y + box.height - at.y) * down, analysis.map.height) - top};
}

}  // namespace

KOfN parse_k_of_n(std::string_view text, std::string_view option) {
  KOfN rule;
  const std::size_t slash = text.find('/');
  const auto number = [](std::string_view digits, int& to) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), to);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  const bool read = slash != std::string_view::npos && number(text.substr(0, slash), rule.bad) &&
                    number(text.substr(slash + 1), rule.window);
  if (!read || rule.bad < 1 || rule.bad > rule.window || rule.window > kLongestWindow) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("{} \"{}\" is no rule; write K/N with 1 <= K <= N <= {}, for instance "
                            "3/5: bad is a part with 3 bad frames among 5 in a row.",
                            option, text, kLongestWindow));
  }
  return rule;
}

std::optional<WorstPlace> worst_place(const Analysis& analysis) {
  const ScoreMap& map = analysis.map;
  const RectF& at = analysis.placement;
  if (map.empty()) return std::nullopt;
  const bool region = !analysis.regions.empty();
  const Rect part = region ? map_pixels(analysis, analysis.regions.front().box)
                           : Rect{0, 0, map.width, map.height};
  std::optional<Point> peak;
  for (int y = part.y; y < part.y + part.height; ++y) {
    for (int x = part.x; x < part.x + part.width; ++x) {
      if (std::isnan(map.at(y, x))) continue;
      if (!peak || map.at(y, x) > map.at(peak->y, peak->x)) peak = Point{x, y};
    }
  }
  if (!peak) return std::nullopt;
  const double width = at.width / map.width;
  const double height = at.height / map.height;
  const double left = at.x + peak->x * width;
  const double top = at.y + peak->y * height;
  WorstPlace place{{}, left + width / 2, top + height / 2};
  if (region) {
    place.box = analysis.regions.front().box;
  } else {
    const int x = static_cast<int>(std::floor(left));
    const int y = static_cast<int>(std::floor(top));
    place.box = {x, y, static_cast<int>(std::ceil(left + width)) - x,
                 static_cast<int>(std::ceil(top + height)) - y};
  }
  return place;
}

void PartJudge::begin(std::string id, const std::optional<Capture>& at, std::uint64_t skipped) {
  end();
  next_part_ += skipped;
  Part part;
  part.verdict.part = next_part_++;
  part.verdict.id = std::move(id);
  part.begun = at;
  parts_.push_back(std::move(part));
}

void PartJudge::end(const std::optional<Capture>& at) {
  if (!open()) return;
  Part& part = parts_.back();
  part.ended = true;
  // a frame may have come in since the time was taken
  if (at && part.verdict.frames > 0 && !is_before(*at, part.last)) part.end = *at;
}

void PartJudge::frame(const Capture& capture, bool awaited) {
  if (!open()) return;
  Part& part = parts_.back();
  if (part.verdict.frames++ == 0) {
    part.first = capture;
    part.seen = part.begun && !is_before(capture, *part.begun) ? *part.begun : capture;
    part.verdict.first_pts = capture.pts;
  }
  part.last = part.end = capture;
  part.verdict.last_pts = capture.pts;
  if (awaited) awaited_.push_back(capture.frame);
}

void PartJudge::result(const AnalysisPtr& analysis) {
  const std::uint64_t frame = analysis->capture.frame;
  // an older one was replaced while it waited for its turn
  while (!awaited_.empty() && awaited_.front() < frame) awaited_.pop_front();
  if (awaited_.empty() || awaited_.front() != frame) return;
  awaited_.pop_front();
  const auto part = std::find_if(parts_.begin(), parts_.end(), [frame](const Part& p) {
    return p.verdict.frames > 0 && frame <= p.last.frame;
  });
  if (part != parts_.end()) count(*part, analysis);
}

void PartJudge::count(Part& part, const AnalysisPtr& analysis) {
  if (analysis->verdict == Verdict::kUnscored) return;
  PartVerdict& verdict = part.verdict;
  const Capture& now = analysis->capture;
  part.longest_gap = std::max(part.longest_gap, time_between(part.seen, now));
  part.seen = now;
  if (!verdict.worst || worse(*analysis, *verdict.worst)) verdict.worst = analysis;

  std::erase_if(window_, [&](const Recent& recent) {
    return recent.part != verdict.part &&
           time_between(recent.capture, now) >= nanoseconds(rule_.hold);
  });
  const bool warned = analysis->verdict != Verdict::kPass;
  const bool stays_bad = rule_.hysteresis && warned && !window_.empty() && window_.back().bad;
  const bool bad = analysis->verdict == Verdict::kReject || stays_bad;
  window_.push_back({verdict.part, now, bad, warned});
  while (std::ssize(window_) > rule_.k_of_n.window) window_.pop_front();

  ++verdict.analysed;
  if (bad) ++verdict.bad;
  // a good frame decides nothing, however many bad ones of the part before still count
  const auto enough = [this](bool Recent::*what) {
    return std::ranges::count_if(window_, what) >= rule_.k_of_n.bad;
  };
  if (bad && enough(&Recent::bad)) part.fired = now;
  if (warned && enough(&Recent::warned)) part.warned = true;
}

void PartJudge::abandon(bool torn) {
  awaited_.clear();
  if (open() && parts_.back().verdict.frames > 0) {
    parts_.back().torn = torn;
    end();
  }
  judge_complete();  // while it is known what was rejected before them
  window_.clear();
  fired_.reset();
}

bool PartJudge::complete(const Part& part) const {
  return part.ended &&
         (part.verdict.frames == 0 || awaited_.empty() || awaited_.front() > part.last.frame);
}

void PartJudge::judge_complete() {
  while (!parts_.empty() && complete(parts_.front())) {
    done_.push_back(judge(std::move(parts_.front())));
    parts_.pop_front();
  }
}

std::vector<PartVerdict> PartJudge::take() {
  judge_complete();
  return std::exchange(done_, {});
}

PartVerdict PartJudge::judge(Part part) {
  PartVerdict& verdict = part.verdict;
  const auto frames_were = [this](const char* what) {
    return fmt::format("{} of {} frames were {}", rule_.k_of_n.bad, rule_.k_of_n.window, what);
  };
  const bool held = fired_ && verdict.frames > 0 &&
                    time_between(fired_->at, part.first) < nanoseconds(rule_.hold);
  if (part.fired) {
    fired_ = Fired{verdict.part, *part.fired};
    verdict.verdict = Verdict::kReject;
    verdict.why = frames_were("bad");
  } else if (held) {
    verdict.verdict = Verdict::kReject;
    verdict.why = fmt::format("held over from part {}", fired_->part);
  } else if (verdict.why = missing(part); !verdict.why.empty()) {
    verdict.verdict = Verdict::kUnscored;
  } else if (part.warned) {
    verdict.verdict = Verdict::kWarn;
    verdict.why = frames_were("in doubt");
  } else {
    verdict.verdict = Verdict::kPass;
  }
  return std::move(verdict);
}

std::string PartJudge::missing(const Part& part) const {
  const PartVerdict& verdict = part.verdict;
  if (verdict.frames == 0) return "no frame of it was seen";
  if (verdict.analysed == 0) return "no frame of it was analysed";
  if (verdict.analysed < static_cast<std::uint64_t>(rule_.k_of_n.bad)) {
    return fmt::format("only {} frames of it were analysed, but the rule needs {}",
                       verdict.analysed, rule_.k_of_n.bad);
  }
  if (part.torn) return "the stream was interrupted";
  const std::uint64_t gap = std::max(part.longest_gap, time_between(part.seen, part.end));
  if (gap == kNoTime) return "its time jumped back";
  if (gap > nanoseconds(rule_.max_gap)) {
    return fmt::format("no result for {} ms", gap / 1'000'000);
  }
  return "";
}

void PartJudge::reset() { *this = PartJudge(rule_); }

}  // namespace uad
