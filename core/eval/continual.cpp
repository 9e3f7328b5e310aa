// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/continual.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/eval/evaluation_json.h"

namespace uad {
namespace {

using nlohmann::json;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Of what is defined; NaN of nothing.
class Mean {
 public:
  void add(double value) {
    if (std::isnan(value)) return;
    sum_ += value;
    ++count_;
  }
  [[nodiscard]] double value() const { return count_ == 0 ? kNan : sum_ / count_; }

 private:
  double sum_ = 0;
  int count_ = 0;
};

double larger(double a, double b) { return std::isnan(a) || b > a ? b : a; }

bool is_learnt(const TaskMatrix& matrix, std::size_t product, std::size_t task) {
  return matrix.learnt_in[product] <= task;
}

double average_after(const TaskMatrix& matrix, std::size_t task) {
  Mean mean;
  for (const double value : matrix.values[task]) mean.add(value);
  return mean.value();
}

double mean_forgetting(const std::vector<double>& averages) {
  Mean mean;
  double best = kNan;
  for (const double average : averages) {
    mean.add(best - average);  // NaN before the first
    best = larger(best, average);
  }
  return mean.value();
}

double number_of(const json& object, const char* key) {
  const json& value = object.at(key);
  if (value.is_null()) return kNan;
  const auto number = value.get<double>();
  if (!(number >= 0 && number <= 1)) {
    throw Error(ErrorCode::kBadFile, fmt::format("\"{}\" is {}, not within 0 and 1", key, number));
  }
  return number;
}

ProductResult parse_product(const json& text) {
  ProductResult result{text.at("product"), number_of(text, "image_auroc"),
                       number_of(text, "pixel_auroc"), text.at("undefined"),
                       text.at("test_sha256")};
  return result;
}

}  // namespace

TaskMatrix task_matrix(const std::vector<TaskResult>& tasks, ProductFigure figure) {
  TaskMatrix matrix;
  for (std::size_t task = 0; task < tasks.size(); ++task) {
    for (const std::string& product : tasks[task].learnt) {
      matrix.products.push_back(product);
      matrix.learnt_in.push_back(task);
    }
  }
  for (const TaskResult& task : tasks) {
    std::vector<double>& row = matrix.values.emplace_back(matrix.products.size(), kNan);
    for (const ProductResult& result : task.products) {
      const auto place = std::ranges::find(matrix.products, result.product);
      if (place == matrix.products.end()) continue;
      row[static_cast<std::size_t>(place - matrix.products.begin())] = result.*figure;
    }
  }
  return matrix;
}

double forgotten(const TaskMatrix& matrix, std::size_t product) {
  double best = kNan;
  for (std::size_t task = 0; task + 1 < matrix.values.size(); ++task) {
    best = larger(best, matrix.values[task][product]);
  }
  return best - matrix.values.back()[product];
}

ContinualFigures continual_figures(const TaskMatrix& matrix) {
  ContinualFigures figures;
  Mean acc;
  for (std::size_t task = 0; task < matrix.values.size(); ++task) {
    figures.averages.push_back(average_after(matrix, task));
    acc.add(figures.averages.back());
    for (std::size_t product = 0; product < matrix.products.size(); ++product) {
      const bool missing = std::isnan(matrix.values[task][product]);
      figures.left_out += is_learnt(matrix, product, task) && missing ? 1 : 0;
    }
  }
  Mean lost;
  for (std::size_t product = 0; product < matrix.products.size(); ++product) {
    lost.add(forgotten(matrix, product));
  }
  figures.acc = acc.value();
  figures.forgetting = mean_forgetting(figures.averages);
  figures.product_forgetting = lost.value();
  figures.final_average = figures.averages.empty() ? kNan : figures.averages.back();
  return figures;
}

json to_json(const TaskResult& task) {
  json products = json::array();
  for (const ProductResult& result : task.products) {
    products.push_back({{"product", result.product},
                        {"image_auroc", number_or_null(result.image_auroc)},
                        {"pixel_auroc", number_or_null(result.pixel_auroc)},
                        {"undefined", result.undefined},
                        {"test_sha256", result.test_sha256}});
  }
  return {{"learnt", task.learnt}, {"results", products}};
}

TaskResult parse_task_result(const json& text, const std::string& source) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("\"{}\" holds no results of a protocol that can be read: {}. Give a "
                            "protocol.json of uad train --protocol, of this version.",
                            source, why));
  };
  TaskResult task;
  try {
    text.at("learnt").get_to(task.learnt);
    for (const json& result : text.at("results")) task.products.push_back(parse_product(result));
  } catch (const Error& error) {
    refuse(error.what());
  } catch (const json::exception& error) {
    const std::string why = error.what();  // "[json.exception.…] key 'learnt' not found"
    refuse(why.substr(std::min(why.size(), why.find("] ") + 2)));
  }
  return task;
}

json to_json(const ContinualFigures& figures) {
  json averages = json::array();
  for (const double average : figures.averages) averages.push_back(number_or_null(average));
  return {{"averages", averages},
          {"acc", number_or_null(figures.acc)},
          {"fm", number_or_null(figures.forgetting)},
          {"fm_obj", number_or_null(figures.product_forgetting)},
          {"final", number_or_null(figures.final_average)},
          {"left_out", figures.left_out}};
}

}  // namespace uad
