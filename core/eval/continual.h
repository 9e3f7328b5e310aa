// SPDX-License-Identifier: LGPL-2.1-or-later
// How well a model that learns product by product remembers. Source: specification, evaluation,
// section 8.
//
// After every task each product learnt so far is judged on its test images. Tasks are counted from
// 0. Undefined figures are NaN and left out of every mean.
#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace uad {

/// One product after one task.
struct ProductResult {
  std::string product;
  double image_auroc = std::numeric_limits<double>::quiet_NaN();
  double pixel_auroc = std::numeric_limits<double>::quiet_NaN();
  std::map<std::string, std::string> undefined = {};  ///< the reason by JSON key
  std::string test_sha256 = {};                       ///< of the images judged
};

struct TaskResult {
  std::vector<std::string> learnt;      ///< products of this task
  std::vector<ProductResult> products;  ///< every product learnt so far, in order
};

/// Which figure a matrix is of: a member of ProductResult.
using ProductFigure = double ProductResult::*;

struct TaskMatrix {
  std::vector<std::string> products;        ///< in the order in which they were learnt
  std::vector<std::size_t> learnt_in;       ///< task of each
  std::vector<std::vector<double>> values;  ///< [task][product]; NaN = undefined, not learnt yet
};
TaskMatrix task_matrix(const std::vector<TaskResult>& tasks, ProductFigure figure);

struct ContinualFigures {
  std::vector<double> averages;  ///< A_b: over the products learnt up to task b
  double acc = 0;                ///< ACC: mean of A_b over the tasks
  /// FM: mean over the tasks after the first of the best average before minus that after the task.
  /// NaN of one task alone; below 0 where old products got better.
  double forgetting = 0;
  /// FM_obj: mean over the products learnt before the last task of their best figure before it
  /// minus that after it.
  double product_forgetting = 0;
  double final_average = 0;  ///< A_N
  std::size_t left_out = 0;  ///< undefined entries of the matrix
};
ContinualFigures continual_figures(const TaskMatrix& matrix);

/// What a product lost: its best figure before the last task minus the last; NaN where it was
/// learnt last or undefined.
double forgotten(const TaskMatrix& matrix, std::size_t product);

nlohmann::json to_json(const TaskResult& task);
/// @throws Error(kBadFile) naming `source`.
TaskResult parse_task_result(const nlohmann::json& text, const std::string& source);
/// Undefined figures are null. Keys: averages, acc, fm, fm_obj, final, left_out.
nlohmann::json to_json(const ContinualFigures& figures);

}  // namespace uad
