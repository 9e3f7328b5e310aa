// SPDX-License-Identifier: LGPL-2.1-or-later
// What uad train --protocol says on stderr.
#pragma once

#include <cstddef>
#include <vector>

#include "core/eval/continual.h"

namespace uad::tools {

/// One line, as soon as a product is judged.
void print_result(const ProductResult& result);
/// The means after the last of `tasks`.
void print_averages(std::size_t task, const std::vector<TaskResult>& tasks);
/// At the end: products down, tasks across, and the figures of the whole.
void print_matrices(const std::vector<TaskResult>& tasks);

}  // namespace uad::tools
