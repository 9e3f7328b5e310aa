// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/distributed/shared_batch.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/distributed/exchange.h"

namespace uad {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

thread_local BatchPart current;

/// Every process has the same output, so each sends back its part of what the loss makes of it.
class SumOverBatch final : public torch::autograd::Function<SumOverBatch> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x) {
    context->saved_data["processes"] = reinterpret_cast<std::int64_t>(current.processes);
    return sum_of_processes(x, *current.processes);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    auto* processes = reinterpret_cast<Communicator*>(context->saved_data["processes"].toInt());
    return {sum_of_processes(gradients[0], *processes)};
  }
};

double weight() {
  const Share& share = current.share;
  if (!batch_is_shared()) return 1.0 / current.processes->size();
  return static_cast<double>(share.count) / static_cast<double>(share.total);
}

}  // namespace

Share share_of(std::int64_t total, const Communicator* processes) {
  const std::int64_t size = processes == nullptr ? 1 : processes->size();
  if (size == 1 || total < size) return {0, total, total};
  const std::int64_t first = total * processes->rank() / size;
  return {first, total * (processes->rank() + 1) / size - first, total};
}

BatchPart current_batch() noexcept { return current; }

BatchScope::BatchScope(const BatchPart& part) noexcept : before_(current) { current = part; }

BatchScope::~BatchScope() { current = before_; }

bool batch_is_shared() noexcept {
  return current.processes != nullptr && current.share.count < current.share.total;
}

at::Tensor sum_over_batch(const at::Tensor& x) {
  return batch_is_shared() ? SumOverBatch::apply(x) : x;
}

at::Tensor mean_over_batch(const at::Tensor& x) {
  if (!batch_is_shared()) return x.numel() == 0 ? x.sum() : x.mean();
  const at::Tensor sums =
      sum_over_batch(at::stack({x.sum(), at::full({}, x.numel(), x.options())}));
  return sums[0] / sums[1].clamp_min(1);
}

at::Tensor gather_batch(const at::Tensor& x) {
  if (!batch_is_shared()) return x;
  const auto& [first, count, total] = current.share;
  std::vector<std::int64_t> sizes = x.sizes().vec();
  const auto nothing = [&](std::int64_t samples) {
    sizes[0] = samples;
    return at::zeros(sizes, x.options());
  };
  return sum_over_batch(at::cat({nothing(first), x, nothing(total - first - count)}));
}

at::Tensor draw_over_batch(at::IntArrayRef sizes, std::int64_t dim,
                           const std::function<at::Tensor(at::IntArrayRef sizes)>& draw) {
  if (!batch_is_shared()) return draw(sizes);
  std::vector<std::int64_t> whole = sizes.vec();
  whole.at(static_cast<std::size_t>(dim)) = current.share.total;
  return draw(whole).narrow(dim, current.share.first, current.share.count);
}

at::Tensor weighted_by_share(const at::Tensor& loss) {
  return current.processes == nullptr ? loss : loss * weight();
}

void sum_gradients_over_batch(const std::vector<at::Tensor>& parameters) {
  if (current.processes == nullptr) return;
  const c10::NoGradGuard no_gradients;
  std::vector<at::Tensor> flat;
  for (const at::Tensor& one : parameters) {
    if (one.grad().defined()) flat.push_back(one.grad().reshape(-1));
  }
  if (flat.empty()) return;
  const at::Tensor sum = sum_of_processes(at::cat(flat), *current.processes);
  std::int64_t begin = 0;
  for (const at::Tensor& one : parameters) {
    const at::Tensor& gradient = one.grad();
    if (!gradient.defined()) continue;
    gradient.copy_(sum.narrow(0, begin, gradient.numel()).view(gradient.sizes()));
    begin += gradient.numel();
  }
}

void average_over_batch(std::map<std::string, double>& means) {
  if (current.processes == nullptr) return;
  std::vector<double> values;
  for (const auto& [name, mean] : means) values.push_back(mean * weight());
  current.processes->sum(std::span(values));
  auto value = values.begin();
  for (auto& [name, mean] : means) mean = *value++;
}

}  // namespace uad
