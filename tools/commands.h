// SPDX-License-Identifier: LGPL-2.1-or-later
// The sub-commands of `uad`. Each parses its own arguments and returns the exit code: 0 done,
// 3 something was rejected (`predict --fail-on-reject`). Failures are thrown: UsageError is exit
// code 2, anything else 1.
#pragma once

#include <string>
#include <vector>

namespace uad::tools {

using Args = std::vector<std::string>;

int run_train(const Args& args);
int run_eval(const Args& args);
int run_predict(const Args& args);
int run_report(const Args& args);
int run_info(const Args& args);
int run_demo(const Args& args);

/// Every key of every sub-command and method: what one YAML file may hold for all of them.
std::vector<std::string> all_keys();

}  // namespace uad::tools
