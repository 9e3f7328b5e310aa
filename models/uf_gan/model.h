// SPDX-License-Identifier: LGPL-2.1-or-later
// The fitted networks behind the interface of all methods.
#pragma once

#include <memory>

#include "core/method.h"
#include "models/uf_gan/learner.h"

namespace uad::models::uf_gan {

/// Map: mean absolute difference of an image and its copy; score: see anomaly_score(). Source:
/// specification, UF-GAN, section 8.
/// @param networks  float32, on the CPU; kept to be saved. @throws Error(kBadOption) on an unknown
/// precision.
[[nodiscard]] std::unique_ptr<AnomalyModel> make_model(const Settings& settings, Networks networks,
                                                       const Execution& execution);

/// For use alone: it cannot be saved. @throws as read_weights().
[[nodiscard]] std::unique_ptr<AnomalyModel> load_model(const CheckpointReader& in,
                                                       const Execution& execution);

}  // namespace uad::models::uf_gan
