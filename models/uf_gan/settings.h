// SPDX-License-Identifier: LGPL-2.1-or-later
// The options of UF-GAN, read once. Source: specification, UF-GAN, sections 8.1 and 9.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/option_spec.h"

namespace uad::models::uf_gan {

[[nodiscard]] std::vector<OptionSpec> option_specs();

/// See Method::short_names.
[[nodiscard]] std::map<std::string, std::string> short_names();

struct Settings {
  /// @param options  completed by option_specs(). @throws Error(kBadOption).
  explicit Settings(const nlohmann::json& options);

  double anomaly_weight = 0;  ///< of the pixels' error in the score; the rest is the features'
  double learning_rate = 0;
  double meta_step = 0;  ///< of the first outer iteration
  std::size_t batch_size = 0;
  std::int64_t meta_iterations = 0;
  std::int64_t passes = 0;  ///< over a task
  std::int64_t eval_interval = 0;
  std::int64_t size = 0;
  std::int64_t step = 0;    ///< of the sliding window
  std::int64_t window = 0;  ///< that training crops are cut by
  std::size_t shots = 0;
  std::size_t task_size = 0;
  std::int64_t kernel = 0;
  bool first_level_feature = false;
  bool snapshot = false;     ///< of the discriminator for the second level
  bool reestimated = false;  ///< running statistics are averaged anew before they are used
  bool best = false;         ///< the best state is kept, not the last
  bool mixed = false;        ///< convolutions of a step in bfloat16
  bool recompute = false;    ///< parts of the networks are run twice instead of kept
  std::size_t chunk = 0;     ///< which thousand of the images

  [[nodiscard]] std::int64_t steps_per_task() const;
};

}  // namespace uad::models::uf_gan
