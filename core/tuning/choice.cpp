// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/tuning/choice.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

std::string name_of(const Measurement& one) {
  return fmt::format("{} in {}", one.file.filename().string(), one.precision);
}

/// Why its quality is not enough; "" if it is. @param best  AUROC of all; NaN = none is known.
std::string fault_of(const Measurement& one, const Demand& demand, double best) {
  if (!std::isnan(best)) {
    if (one.image_auroc >= best - demand.tolerance) return "";
    return fmt::format("{}: image AUROC {:.4f}, the best is {:.4f}", name_of(one), one.image_auroc,
                       best);
  }
  if (one.shift <= demand.shift) return "";
  return fmt::format("{}: normalised scores change by {:.3f}, at most {} is allowed", name_of(one),
                     one.shift, demand.shift);
}

std::int64_t interval_for(double frame_ms, const Demand& demand) {
  const double wanted = demand.fps * demand.cameras;
  const double possible = demand.busy * 1000.0 / frame_ms;
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(wanted / possible)));
}

void require(bool holds, const char* option, double found, const char* expected) {
  if (holds) return;
  throw Error(ErrorCode::kBadOption,
              fmt::format("--{} is {}, expected {}.", option, found, expected));
}

}  // namespace

void check(const Demand& demand) {
  require(demand.fps > 0, "fps", demand.fps, "frames a second above 0");
  require(demand.cameras > 0, "cameras", demand.cameras, "1 or more");
  require(demand.busy > 0 && demand.busy <= 1, "busy", demand.busy, "a share above 0, at most 1");
  require(demand.tolerance >= 0, "tolerance", demand.tolerance, "0 or more");
  require(demand.shift >= 0, "shift", demand.shift, "0 or more");
}

Choice choose(const std::vector<Measurement>& measurements, const Demand& demand) {
  check(demand);
  double best = std::nan("");
  for (const Measurement& one : measurements) best = std::fmax(best, one.image_auroc);
  Choice choice;
  std::optional<std::tuple<std::int64_t, double>> least;
  for (std::size_t i = 0; i < measurements.size(); ++i) {
    const Measurement& one = measurements[i];
    if (std::string fault = fault_of(one, demand, best); !fault.empty()) {
      if (std::ranges::find(choice.refused, fault) == choice.refused.end()) {
        choice.refused.push_back(std::move(fault));
      }
      continue;
    }
    const std::int64_t interval = interval_for(one.frame_ms(), demand);
    const std::tuple cost{interval, one.frame_ms() * one.threads};
    if (least && *least <= cost) continue;
    least = cost;
    choice.measurement = i;
    choice.interval = interval;
  }
  if (!least) throw Error(ErrorCode::kBadOption, "There is nothing measured to choose from.");
  choice.analysed = demand.fps / static_cast<double>(choice.interval);
  choice.busy =
      choice.analysed * demand.cameras * measurements[choice.measurement].frame_ms() / 1000.0;
  return choice;
}

nlohmann::json to_json(const Demand& demand) {
  return {{"fps", demand.fps},
          {"cameras", demand.cameras},
          {"busy", demand.busy},
          {"tolerance", demand.tolerance},
          {"shift", demand.shift}};
}

nlohmann::json to_json(const Choice& choice) {
  return {{"measurement", choice.measurement},
          {"interval", choice.interval},
          {"analysed_per_second", choice.analysed},
          {"busy", choice.busy},
          {"refused", choice.refused}};
}

}  // namespace uad
