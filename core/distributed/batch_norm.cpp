// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/distributed/batch_norm.h"

#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/distributed/exchange.h"
#include "core/distributed/shared_batch.h"

namespace uad {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// All dimensions but that of the channels.
std::vector<std::int64_t> places(const at::Tensor& x) {
  std::vector<std::int64_t> dims{0};
  for (std::int64_t dim = 2; dim < x.dim(); ++dim) dims.push_back(dim);
  return dims;
}

/// Numbers of the channels in the shape of one sample.
at::Tensor beside(const at::Tensor& channels, const at::Tensor& x) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[1] = channels.numel();
  return channels.view(shape);
}

struct Statistics {
  at::Tensor mean;      // float32 [C]
  at::Tensor variance;  // the same, biased
  double count = 0;     // values of a channel
};

/// Σ n, Σ n m and Σ n (v + m²) of the parts, in float64, where the difference loses nothing.
Statistics statistics_of_all(const at::Tensor& x, Communicator& processes) {
  const auto [variance, mean] = at::var_mean(x.to(at::kFloat), places(x), /*unbiased=*/false);
  const at::Tensor m = mean.to(at::kDouble);
  const auto count = static_cast<double>(x.numel() / x.size(1));
  const at::Tensor parts =
      at::cat({m, variance.to(at::kDouble) + m.square(), at::ones({1}, m.options())}) * count;
  const at::Tensor sums = sum_of_processes(parts, processes);
  const double all = sums[-1].item<double>();
  const std::vector<at::Tensor> two = (sums.narrow(0, 0, 2 * x.size(1)) / all).chunk(2);
  return {two[0].to(at::kFloat), (two[1] - two[0].square()).clamp_min(0).to(at::kFloat), all};
}

class SharedNorm final : public torch::autograd::Function<SharedNorm> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const Statistics& of_all, double epsilon) {
    const at::Tensor scale = (of_all.variance + epsilon).rsqrt();
    context->save_for_backward({x, weight, of_all.mean, scale});
    context->saved_data["count"] = of_all.count;
    context->saved_data["processes"] = reinterpret_cast<std::int64_t>(current_batch().processes);
    return at::batch_norm(x, weight, bias, of_all.mean, of_all.variance, /*training=*/false, 0,
                          epsilon, /*cudnn_enabled=*/false);
  }

  // Ioffe and Szegedy, arXiv 1502.03167, section 3, with both sums over all processes.
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    auto* processes = reinterpret_cast<Communicator*>(context->saved_data["processes"].toInt());
    const double count = context->saved_data["count"].toDouble();
    const at::Tensor normal = (x.to(at::kFloat) - beside(saved[2], x)) * beside(saved[3], x);
    const at::Tensor gradient = gradients[0].to(at::kFloat);
    const at::Tensor of_bias = gradient.sum(places(x));
    const at::Tensor of_weight = (gradient * normal).sum(places(x));
    const std::vector<at::Tensor> means =
        (sum_of_processes(at::cat({of_bias, of_weight}), *processes) / count).chunk(2);
    const at::Tensor centred = gradient - beside(means[0], x) - normal * beside(means[1], x);
    return {
        (centred * beside(saved[3] * weight, x)).to(x.scalar_type()), of_weight, of_bias, {}, {}};
  }
};

}  // namespace

at::Tensor batch_norm(const at::Tensor& x, const NormTensors& norm, bool training, double momentum,
                      double epsilon, bool cudnn) {
  if (!training || !batch_is_shared()) {
    return at::batch_norm(x, norm.weight, norm.bias, norm.mean, norm.variance, training, momentum,
                          epsilon, cudnn);
  }
  Statistics of_all;
  {
    const c10::NoGradGuard no_gradients;
    of_all = statistics_of_all(x, *current_batch().processes);
    if (norm.mean.defined()) norm.mean.lerp_(of_all.mean, momentum);
    if (norm.variance.defined()) {
      const double unbiased = of_all.count / (of_all.count - 1);
      norm.variance.lerp_(of_all.variance * unbiased, momentum);
    }
  }
  const at::TensorOptions plain = x.options().dtype(at::kFloat);
  return SharedNorm::apply(x, norm.weight.defined() ? norm.weight : at::ones({x.size(1)}, plain),
                           norm.bias.defined() ? norm.bias : at::zeros({x.size(1)}, plain), of_all,
                           epsilon);
}

}  // namespace uad
