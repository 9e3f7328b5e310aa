// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/training_options.h"

namespace uad {

OptionSpec epochs_option(std::int64_t default_value) {
  return {.name = "epochs",
          .type = OptionType::kInt,
          .default_value = default_value,
          .help = "passes over the training images",
          .minimum = 1,
          .maximum = 1e6,
          .of_fit = true};
}

OptionSpec batch_size_option(std::int64_t default_value) {
  return {.name = "batch_size",
          .type = OptionType::kInt,
          .default_value = default_value,
          .help = "images of a training step",
          .minimum = 1,
          .maximum = 4096,
          .of_fit = true};
}

OptionSpec learning_rate_option(double default_value) {
  return {.name = "lr",
          .type = OptionType::kFloat,
          .default_value = default_value,
          .help = "learning rate",
          .minimum = 0,
          .maximum = 100,
          .aliases = {"learning_rate"},
          .of_fit = true};
}

OptionSpec weight_decay_option(double default_value) {
  return {.name = "weight_decay",
          .type = OptionType::kFloat,
          .default_value = default_value,
          .help = "pull of the weights towards 0",
          .minimum = 0,
          .maximum = 1,
          .of_fit = true};
}

OptionSpec patience_option() {
  return {.name = "patience",
          .type = OptionType::kInt,
          .default_value = 0,
          .help = "epochs without a better one after which training ends; 0 = never",
          .minimum = 0,
          .maximum = 1e6,
          .of_fit = true};
}

OptionSpec amp_option() {
  return {.name = "amp",
          .type = OptionType::kBool,
          .default_value = false,
          .help =
              "train in mixed precision: convolutions in bfloat16, weights in float32; faster "
              "on CPUs with AVX-512 BF16 or AMX",
          .of_fit = true};
}

}  // namespace uad
