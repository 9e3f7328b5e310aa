// SPDX-License-Identifier: LGPL-2.1-or-later
// Options that methods which learn by gradient share, so that they have the same names everywhere.
#pragma once

#include <cstdint>

#include "core/base/option_spec.h"

namespace uad {

OptionSpec epochs_option(std::int64_t default_value);
OptionSpec batch_size_option(std::int64_t default_value);
OptionSpec learning_rate_option(double default_value);  ///< "lr"
OptionSpec weight_decay_option(double default_value);
OptionSpec patience_option();
OptionSpec amp_option();

}  // namespace uad
