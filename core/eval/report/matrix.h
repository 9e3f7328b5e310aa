// SPDX-License-Identifier: LGPL-2.1-or-later
// Several methods on several categories: one table a figure, categories down and methods across.
#pragma once

#include <string>
#include <vector>

#include "core/eval/report/run.h"

namespace uad::report {

/// Runs of one category, by their index in the report. In the order in which they come.
struct Category {
  std::string name;
  std::vector<std::size_t> runs;
};
std::vector<Category> categories_of(const std::vector<Run>& runs);

/// What tells the models of a category apart, for every run: the method, and the file it comes from
/// where a method has several models of one category.
std::vector<std::string> method_names(const std::vector<Run>& runs);

/// Image and pixel AUROC, PRO, defects found, good parts rejected, time, model size; the best of a
/// row is marked where its runs saw the same images, and the last row is the mean.
std::string matrix_tables(const std::vector<Run>& runs);

}  // namespace uad::report
