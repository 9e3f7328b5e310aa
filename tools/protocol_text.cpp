// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/protocol_text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include <fmt/format.h>

namespace uad::tools {
namespace {

std::string figure_text(double value) {
  return std::isfinite(value) ? fmt::format("{:.4f}", value) : "undefined";
}

void print_matrix(const char* name, const TaskMatrix& matrix) {
  constexpr int kCell = 10;
  std::size_t width = std::string(name).size();
  for (const std::string& product : matrix.products) width = std::max(width, product.size() + 2);
  std::string text = fmt::format("{:<{}}", name, width);
  for (std::size_t task = 0; task < matrix.values.size(); ++task) {
    text += fmt::format("{:>{}}", fmt::format("task {}", task), kCell);
  }
  text += '\n';
  for (std::size_t product = 0; product < matrix.products.size(); ++product) {
    text += fmt::format("{:<{}}", "  " + matrix.products[product], width);
    for (std::size_t task = 0; task < matrix.values.size(); ++task) {
      const bool learnt = matrix.learnt_in[product] <= task;
      text += fmt::format("{:>{}}", learnt ? figure_text(matrix.values[task][product]) : "", kCell);
    }
    text += '\n';
  }
  const ContinualFigures figures = continual_figures(matrix);
  text += fmt::format("{:<{}}", "  mean", width);
  for (const double mean : figures.averages)
    text += fmt::format("{:>{}}", figure_text(mean), kCell);
  fmt::print(stderr, "{}\n  ACC {}  FM {}  FM by product {}  final mean {}{}\n", text,
             figure_text(figures.acc), figure_text(figures.forgetting),
             figure_text(figures.product_forgetting), figure_text(figures.final_average),
             figures.left_out == 0
                 ? std::string()
                 : fmt::format("  ({} undefined figures left out)", figures.left_out));
}

}  // namespace

void print_result(const ProductResult& result) {
  fmt::print(stderr, "  {:<16} image AUROC {}  pixel AUROC {}\n", result.product,
             figure_text(result.image_auroc), figure_text(result.pixel_auroc));
  for (const auto& [key, reason] : result.undefined) {
    fmt::print(stderr, "    {} is undefined: {}\n", key, reason);
  }
}

void print_averages(std::size_t task, const std::vector<TaskResult>& tasks) {
  const auto mean = [&](ProductFigure figure) {
    return figure_text(continual_figures(task_matrix(tasks, figure)).final_average);
  };
  fmt::print(stderr, "task {}: mean image AUROC {}, pixel AUROC {}\n", task,
             mean(&ProductResult::image_auroc), mean(&ProductResult::pixel_auroc));
}

void print_matrices(const std::vector<TaskResult>& tasks) {
  print_matrix("image AUROC", task_matrix(tasks, &ProductResult::image_auroc));
  print_matrix("pixel AUROC", task_matrix(tasks, &ProductResult::pixel_auroc));
}

}  // namespace uad::tools
