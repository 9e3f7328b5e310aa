// SPDX-License-Identifier: LGPL-2.1-or-later
// The charts of a report, as HTML figures.
#pragma once

#include <string>
#include <vector>

#include "core/eval/report/run.h"

namespace uad::report {

/// ROC and precision-recall, image and pixel, all runs in each chart. What is undefined for every
/// run is a sentence instead.
std::string curve_charts(const std::vector<Run>& runs);

/// Scores of good images upwards, of defective ones downwards, with both thresholds.
std::string score_histogram(const Run& run);

/// Classes of the line that stands for the n-th run. Colours repeat after seven, dashes after four:
/// 28 lines that differ.
std::string line_style(std::size_t run);

/// A sample of that line.
std::string line_sample(std::size_t run);

/// Once a page: the hatching that score_histogram() refers to.
std::string chart_patterns();

}  // namespace uad::report
