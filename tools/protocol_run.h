// SPDX-License-Identifier: LGPL-2.1-or-later
// uad train --protocol: one model that learns products task by task, judged after every task.
#pragma once

#include "core/method.h"
#include "tools/arguments.h"

namespace uad::tools {

/// Leaves in the folder --output: task-N.uad and, of methods that learn by gradient, task-N.run;
/// final.uad; protocol.json, rewritten after everything that is done; protocol.html. With --resume
/// what is done already is not done again; without it, files of an earlier run go into "earlier".
/// Images of a task are read for learning in that task alone.
/// @return what protocol.json holds.
/// @throws UsageError for options that do not go with --protocol; Error(kCancelled) at Ctrl-C,
/// after which --resume goes on; what training and evaluation throw.
nlohmann::json run_protocol(const Arguments& args, const Method& method);

}  // namespace uad::tools
