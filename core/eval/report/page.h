// SPDX-License-Identifier: LGPL-2.1-or-later
// The report that a quality manager reads: one HTML file that needs no other and no network.
#pragma once

#include <string>
#include <vector>

#include "core/eval/report/run.h"

namespace uad::report {

struct PageOptions {
  std::string title;    ///< "" = the name of the run, or how many there are
  std::string made_by;  ///< program and time, shown at the end
};

/// @throws Error(kBadOption) without a run.
std::string report_page(const std::vector<Run>& runs, const PageOptions& options);

}  // namespace uad::report
