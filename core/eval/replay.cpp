// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/replay.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

namespace fs = std::filesystem;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Without the model's scales: verdicts only.
Thresholds bare_thresholds(const StoredRun& run, const ThresholdWish& wish) {
  if (std::isnan(wish.reject)) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("\"{}\" holds no thresholds: give --reject-threshold, or the model "
                            "with --model.",
                            run.name));
  }
  const ScoreScale unknown{kNaN, kNaN, kNaN};
  return apply({{-kInfinity, wish.reject, kNaN}, unknown, wish.reject, 0}, {.warn = wish.warn});
}

void count(Confusion& counts, bool defective, Verdict verdict) {
  if (verdict == Verdict::kUnscored) return;
  const bool rejected = verdict == Verdict::kReject;
  ++(rejected ? (defective ? counts.tp : counts.fp) : (defective ? counts.fn : counts.tn));
}

std::vector<KindVerdicts> by_kind(const StoredRun& run, const std::vector<Verdict>& now) {
  // Good ones first, what has no label last.
  std::map<std::tuple<bool, bool, std::string>, KindVerdicts> kinds;
  for (std::size_t i = 0; i < run.frames.size(); ++i) {
    const StoredFrame& frame = run.frames[i];
    KindVerdicts& kind = kinds[{!frame.labelled(), frame.defective, frame.kind}];
    kind.kind = frame.kind;
    kind.defective = frame.defective;
    kind.before.add(frame.verdict);
    kind.after.add(now[i]);
  }
  std::vector<KindVerdicts> result;
  for (auto& [order, kind] : kinds) result.push_back(std::move(kind));
  return result;
}

VerdictCounts sum(const std::vector<KindVerdicts>& kinds, VerdictCounts KindVerdicts::*side) {
  VerdictCounts total;
  for (const KindVerdicts& kind : kinds) {
    const VerdictCounts& one = kind.*side;
    total.pass += one.pass;
    total.warn += one.warn;
    total.reject += one.reject;
    total.unscored += one.unscored;
  }
  return total;
}

/// The last `count` names of a path, which tell images apart wherever the set lies.
std::string tail_of(const fs::path& path, int count) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  fs::path tail = whole.filename();
  for (fs::path up = whole.parent_path(); --count > 0 && up.has_filename(); up = up.parent_path()) {
    tail = up.filename() / tail;
  }
  return tail.string();
}

}  // namespace

void VerdictCounts::add(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      ++pass;
      break;
    case Verdict::kWarn:
      ++warn;
      break;
    case Verdict::kReject:
      ++reject;
      break;
    case Verdict::kUnscored:
      ++unscored;
  }
}

VerdictCounts Replay::all_before() const { return sum(kinds, &KindVerdicts::before); }
VerdictCounts Replay::all_after() const { return sum(kinds, &KindVerdicts::after); }

Replay replay(const StoredRun& run, const ThresholdWish& wish) {
  Replay result;
  result.thresholds = run.thresholds ? run.thresholds->with(wish) : bare_thresholds(run, wish);
  const std::optional<Thresholds> stored =
      run.thresholds ? std::optional(run.thresholds->with({})) : std::nullopt;
  for (std::size_t i = 0; i < run.frames.size(); ++i) {
    const StoredFrame& frame = run.frames[i];
    const Verdict now = judge(frame.score, result.thresholds);
    result.verdicts.push_back(now);
    if (now != frame.verdict) result.changed.push_back(i);
    if (stored && judge(frame.score, *stored) != frame.verdict) result.contradictions.push_back(i);
    if (!frame.labelled()) continue;
    count(result.before, frame.defective, frame.verdict);
    count(result.after, frame.defective, now);
  }
  result.kinds = by_kind(run, result.verdicts);
  return result;
}

std::vector<const ImageItem*> label_frames(StoredRun& run, const Dataset& data,
                                           const fs::path& root) {
  const bool labelled = is_labelled_set(root);
  const int names = labelled ? 3 : 2;  // test/KIND/FILE, else FOLDER/FILE
  std::map<std::string, const ImageItem*> known;
  for (const ImageItem& item : labelled ? data.test : data.train) {
    known[tail_of(item.image, names)] = &item;
  }
  std::vector<const ImageItem*> items;
  for (StoredFrame& frame : run.frames) {
    const auto found = known.find(tail_of(frame.name, names));
    items.push_back(found == known.end() ? nullptr : found->second);
    if (items.back() == nullptr || frame.labelled()) continue;
    frame.kind = items.back()->kind;
    frame.defective = items.back()->defective;
  }
  if (std::ranges::all_of(items, [](const ImageItem* item) { return item == nullptr; })) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("Not one image of \"{}\" (the first is \"{}\") is in \"{}\". Give the "
                            "data set whose images were scored with --data.",
                            run.name, run.frames.front().name, root.string()));
  }
  return items;
}

std::optional<CostComparison> compare_costs(const StoredRun& run, const Replay& replayed,
                                            Costs costs) {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  for (const StoredFrame& frame : run.frames) {
    if (!frame.labelled() || std::isnan(frame.score)) continue;
    scores.push_back(frame.score);
    labels.push_back(frame.defective ? 1 : 0);
  }
  const auto defective = std::ranges::count(labels, 1);
  if (defective == 0 || defective == std::ssize(labels)) return std::nullopt;
  CostComparison result;
  result.rate_of_the_set = std::isnan(costs.defect_rate);
  if (result.rate_of_the_set) {
    costs.defect_rate = static_cast<double>(defective) / static_cast<double>(labels.size());
  }
  check(costs);
  result.costs = costs;
  result.before = cost_per_1000(replayed.before, costs);
  result.after = cost_per_1000(replayed.after, costs);
  result.cheapest = cheapest_threshold(scores, labels, costs);
  return result;
}

}  // namespace uad
