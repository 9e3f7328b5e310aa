// SPDX-License-Identifier: LGPL-2.1-or-later
// Charts and tables of what a model learnt and lost, task by task. All return HTML.
#pragma once

#include <string>
#include <vector>

#include "core/eval/report/protocol_run.h"

namespace uad::report {

/// Step averages over the tasks, image and pixel, all runs in each chart. A run of one task
/// (joint training) is a level to compare with.
std::string average_charts(const std::vector<ProtocolRun>& runs);

/// The figure of every product over the tasks, image and pixel.
std::string product_charts(const ProtocolRun& run);

/// Products down, tasks across, image and pixel; what is undefined, with its reason.
std::string matrix_tables(const ProtocolRun& run);

}  // namespace uad::report
