// SPDX-License-Identifier: LGPL-2.1-or-later
// The HTML report as a file, with program and time on it.
#pragma once

#include <string>
#include <vector>

#include "core/eval/report/protocol_run.h"
#include "core/eval/report/run.h"

namespace uad::tools {

/// @param title  "" = made from the runs. @throws Error(kFailed) with the system's reason.
void write_report(const std::string& file, const std::vector<report::Run>& runs,
                  const std::string& title);
/// The same of models that learnt product by product.
void write_report(const std::string& file, const std::vector<report::ProtocolRun>& runs,
                  const std::string& title);

}  // namespace uad::tools
