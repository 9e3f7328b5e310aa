// SPDX-License-Identifier: LGPL-2.1-or-later
// From what was measured to the settings that keep up with the cameras.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/tuning/measurement.h"

namespace uad {

/// What the line asks for.
struct Demand {
  double fps = 30;           ///< of each camera, frames a second
  int cameras = 1;           ///< that share one model
  double busy = 0.8;         ///< share of the time that may be spent on analysing, 0…1
  double tolerance = 0.005;  ///< of image AUROC that may be lost against the best
  double shift = 0.02;       ///< that a normalised score may change by, where no AUROC is known
};

/// @throws Error(kBadOption) naming the option that is out of range.
void check(const Demand& demand);

struct Choice {
  std::size_t measurement = 0;       ///< index of the one chosen
  std::int64_t interval = 1;         ///< every how many frames of a camera one is analysed
  double analysed = 0;               ///< frames a second of each camera
  double busy = 0;                   ///< share of the time
  std::vector<std::string> refused;  ///< why the others' quality was not enough, one line each
};

/// Of all whose quality holds, the one that analyses the most frames; where several keep up alike,
/// the one that takes the least processor time. Quality holds if image AUROC is within
/// `tolerance` of the best measured, or, where none is known, if scores shift by `shift` at most.
/// @throws Error(kBadOption) without a measurement.
Choice choose(const std::vector<Measurement>& measurements, const Demand& demand);

nlohmann::json to_json(const Demand& demand);
nlohmann::json to_json(const Choice& choice);

}  // namespace uad
