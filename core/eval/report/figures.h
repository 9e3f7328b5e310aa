// SPDX-License-Identifier: LGPL-2.1-or-later
// The figures of a report: cards, tables, and the words that explain them. All return HTML.
#pragma once

#include <string>
#include <vector>

#include "core/eval/report/run.h"

namespace uad::report {

/// The figures of one run as cards, each undefined one with its reason.
std::string headline_cards(const Run& run);

/// The figures of several runs, one column each; the best is marked where all saw the same images.
std::string comparison_table(const std::vector<Run>& runs);
/// Defects found by kind, one column a run.
std::string kinds_by_run(const std::vector<Run>& runs);
/// What keeps the runs from being compared; "" where nothing does.
std::string comparison_warning(const std::vector<Run>& runs);

/// Rejected, warned and passed images of both classes.
std::string decision_table(const Run& run);
/// One row a kind of defect: images, found, missed, AUROC.
std::string kind_table(const Run& run);
/// Where warn and reject come from, in words and numbers.
std::string threshold_origin(const Run& run);
/// Model, input, test set; what could not be read or used.
std::string measurement_facts(const Run& run);
/// What the words of the page mean.
std::string glossary();

}  // namespace uad::report
