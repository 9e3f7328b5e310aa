// SPDX-License-Identifier: LGPL-2.1-or-later
// From the options of `uad train` to what core/training.h takes.
#pragma once

#include "core/training.h"
#include "tools/arguments.h"
#include "tools/commands.h"

namespace uad::tools {

/// The method decides which options there are, so it is looked for before anything is parsed.
/// @throws UsageError for an unknown one.
const Method& requested_method(const Args& args);

Syntax train_syntax(const Method& method);

/// --add FOLDER as what it stands for: --data FOLDER, and --continue-from the file of --output.
/// @throws UsageError if there is no such file, or for options that say otherwise.
Arguments with_added_product(Arguments args);

/// All but what differs from category to category (control, run, consecutive).
/// @throws UsageError for options that contradict each other or the model to go on from; Error for
/// a model or device that cannot be used.
TrainRequest make_request(const Arguments& args, const Method& method);

}  // namespace uad::tools
