// SPDX-License-Identifier: LGPL-2.1-or-later
// The report of models that learn product by product: task matrix, forgetting, several runs side
// by side.
#pragma once

#include <string>
#include <vector>

#include "core/eval/report/page.h"
#include "core/eval/report/protocol_run.h"

namespace uad::report {

/// @throws Error(kBadOption) without a run.
std::string protocol_page(std::vector<ProtocolRun> runs, const PageOptions& options);

}  // namespace uad::report
