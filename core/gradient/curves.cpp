// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/curves.h"

#include <set>
#include <string>

#include <fmt/format.h>

#include "core/files/atomic_file.h"

namespace uad {
namespace {

std::set<std::string> names_of(const std::vector<TrainingRound>& points,
                               Figures TrainingRound::*which) {
  std::set<std::string> names;
  for (const TrainingRound& point : points) {
    for (const auto& [name, value] : point.*which) names.insert(name);
  }
  return names;
}

void append(std::string& line, const Figures& figures, const std::set<std::string>& names) {
  for (const std::string& name : names) {
    const auto figure = figures.find(name);
    line += figure == figures.end() ? "," : fmt::format(",{}", figure->second);
  }
}

}  // namespace

void to_json(nlohmann::json& json, const TrainingRound& point) {
  json = {{"step", point.step},         {"epoch", point.epoch},
          {"seconds", point.seconds},   {"learning_rate", point.learning_rate},
          {"training", point.training}, {"validation", point.validation}};
}

void from_json(const nlohmann::json& json, TrainingRound& point) {
  json.at("step").get_to(point.step);
  json.at("epoch").get_to(point.epoch);
  json.at("seconds").get_to(point.seconds);
  json.at("learning_rate").get_to(point.learning_rate);
  json.at("training").get_to(point.training);
  json.at("validation").get_to(point.validation);
}

bool is_curve_file(const std::string& name) {
  return name == "curves.csv" || name.starts_with("events.out.tfevents.");
}

TrainingCurves::TrainingCurves(const std::filesystem::path& folder,
                               std::vector<TrainingRound> points)
    : folder_(folder), points_(std::move(points)) {
  if (!folder.empty()) events_ = std::make_unique<EventFile>(folder);
}

void TrainingCurves::add(const TrainingRound& point) {
  points_.push_back(point);
  if (!events_) return;
  Figures scalars{{"learning_rate", point.learning_rate}};
  for (const auto& [name, value] : point.training) scalars["train/" + name] = value;
  for (const auto& [name, value] : point.validation) scalars["val/" + name] = value;
  events_->add(point.step, scalars);
  write_csv();
}

void TrainingCurves::write_csv() const {
  const std::set<std::string> training = names_of(points_, &TrainingRound::training);
  const std::set<std::string> validation = names_of(points_, &TrainingRound::validation);
  std::string text = "step,epoch,seconds,learning_rate";
  for (const std::string& name : training) text += ",train_" + name;
  for (const std::string& name : validation) text += ",val_" + name;
  text += '\n';
  for (const TrainingRound& point : points_) {
    text += fmt::format("{},{:.4f},{:.1f},{}", point.step, point.epoch, point.seconds,
                        point.learning_rate);
    append(text, point.training, training);
    append(text, point.validation, validation);
    text += '\n';
  }
  write_file(folder_ / "curves.csv", text.data(), text.size());
}

}  // namespace uad
