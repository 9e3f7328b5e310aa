// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/calibration/origin_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace uad {
namespace {

using nlohmann::json;

/// Facts come from files: what is missing or no number reads as NaN.
double number(const json& facts, const char* key) {
  const auto value = facts.find(key);
  if (value == facts.end() || !value->is_number()) return std::numeric_limits<double>::quiet_NaN();
  return value->get<double>();
}

json object(const json& facts, const char* key) {
  const auto value = facts.find(key);
  return value != facts.end() && value->is_object() ? *value : json::object();
}

/// Three digits, rounded up: a promise must not look better than it is.
std::string at_most(double share) {
  const double percent = 100 * share;
  if (!(percent > 0) || !std::isfinite(percent)) return fmt::format("{:g} %", percent);
  const double digits = std::pow(10, 2 - std::floor(std::log10(percent)));
  return fmt::format("{:g} %", std::ceil(percent * digits - 1e-6) / digits);
}

std::string rank(double order) {
  return order == 1 ? std::string("the largest") : fmt::format("number {:g} from the top", order);
}

std::string plain(const json& fact) {
  if (fact.is_number()) return fmt::format("{:.6g}", fact.get<double>());
  if (fact.is_string()) return fact.get<std::string>();
  if (!fact.is_object()) return fact.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string text;
  for (const auto& [key, value] : fact.items()) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, plain(value));
  }
  return text;
}

std::string spaced(std::string key) {
  std::ranges::replace(key, '_', ' ');
  return key;
}

/// What the promise counts.
std::string unit(const json& facts) {
  const auto rule = facts.find("part_of");
  return rule != facts.end() && *rule == "frame" ? "frames" : "parts";
}

void tell_promise(const json& facts, std::vector<std::string>& lines) {
  const json promise = object(facts, "promise");
  const double samples = number(promise, "samples");
  const double needed = number(promise, "needed");
  const std::string good = unit(facts);
  const std::string target = fmt::format("{:.6g} %", 100 * number(promise, "target_rate"));
  lines.push_back(
      fmt::format("promise: with {:.6g} % confidence at most {} of good {} are "
                  "rejected, whatever law their scores follow",
                  100 * number(promise, "confidence"), at_most(number(promise, "rate")), good));
  if (samples < needed) {
    lines.push_back(
        fmt::format("too few for what was asked: {} needs {:.0f} independent good {}, "
                    "there were {:.0f}; the promise above is what these give",
                    target, needed, good, samples));
  } else {
    lines.push_back(
        fmt::format("asked for: {}, which needs {:.0f} independent good {}; there were "
                    "{:.0f}",
                    target, needed, good, samples));
  }
  lines.push_back(
      fmt::format("reject lies just above {} of their scores", rank(number(promise, "order"))));
  const json warn = object(facts, "warn_promise");
  lines.push_back(
      fmt::format("warn lies just above {}: at most {} of good {} are warned of or "
                  "rejected",
                  rank(number(warn, "order")), at_most(number(warn, "rate")), good));
  if (good == "parts") {
    lines.push_back(
        fmt::format("a part counts once, with the largest score of its frames: {:.0f} "
                    "frames, --part-of {}",
                    number(facts, "frames"), plain(facts.value("part_of", json()))));
  }
}

void tell_beside(const json& facts, std::vector<std::string>& lines) {
  const json estimate = object(facts, "estimate");
  if (!estimate.empty()) {
    lines.push_back(fmt::format(
        "estimate, no promise: a generalised Pareto law fitted to the "
        "{:.0f} highest scores reaches {:.6g} % at {:.6g}",
        number(estimate, "tail"), 100 * number(estimate, "rate"), number(estimate, "threshold")));
  }
  const json naive = object(facts, "naive");
  lines.push_back(
      fmt::format("for comparison, without any promise: the largest score is {:.6g}, "
                  "mean + 3 sd {:.6g}",
                  number(naive, "maximum"), number(naive, "mean_plus_3_sd")));
}

}  // namespace

std::vector<std::string> origin_lines(const ThresholdOrigin& origin) {
  const json& facts = origin.facts;
  std::vector<std::string> lines;
  const bool promised = facts.is_object() && facts.contains("promise");
  if (promised) {
    tell_promise(facts, lines);
    tell_beside(facts, lines);
  }
  constexpr std::array kTold{"promise", "warn_promise", "estimate", "naive", "part_of", "frames"};
  for (const auto& [key, value] : facts.items()) {
    if (promised && std::ranges::find(kTold, key) != kTold.end()) continue;
    lines.push_back(fmt::format("{}: {}", spaced(key), plain(value)));
  }
  return lines;
}

}  // namespace uad
