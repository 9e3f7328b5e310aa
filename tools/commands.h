// SPDX-License-Identifier: LGPL-2.1-or-later
// The sub-commands of `uad`. Each parses its own arguments and returns the exit code: 0 done,
// 3 something was rejected (`predict --fail-on-reject`). Failures are thrown: UsageError is exit
// code 2, anything else 1.
#pragma once

#include <string>
#include <vector>

#include "core/base/option_spec.h"

namespace uad::tools {

using Args = std::vector<std::string>;

int run_train(const Args& args);
int run_calibrate(const Args& args);
int run_eval(const Args& args);
int run_predict(const Args& args);
int run_report(const Args& args);
int run_replay(const Args& args);
int run_info(const Args& args);
int run_bench(const Args& args);
int run_tune(const Args& args);
int run_demo(const Args& args);
int run_draw_mura(const Args& args);
int run_make_lists(const Args& args);

/// What only `uad calibrate` knows: rule, recall.
std::vector<OptionSpec> calibrate_specs();

/// Every key of every sub-command and method: what one YAML file may hold for all of them.
std::vector<std::string> all_keys();

}  // namespace uad::tools
