// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/objective.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "core/distributed/shared_batch.h"

namespace uad::models::iuf {

namespace {

constexpr double kWeak = 0.1;            // of the mean singular value
constexpr std::int64_t kMostRows = 768;  // that are remembered
constexpr std::int64_t kDropped = 48;    // oldest ones, when there are more

}  // namespace

at::Tensor jittered(const at::Tensor& tokens, double scale, at::Generator& random) {
  const double share = scale / static_cast<double>(tokens.size(2));
  const at::Tensor length = at::linalg_vector_norm(tokens, 2, {2}, /*keepdim=*/true);
  const at::Tensor noise = draw_over_batch(tokens.sizes(), /*dim=*/1, [&](at::IntArrayRef sizes) {
                             return at::randn(sizes, random, at::TensorOptions(at::kFloat));
                           }).to(tokens.device());
  return tokens + noise * (length * share);
}

// By the eigenvalues of the smaller Gram matrix in float64: their derivative needs no distinct
// values, and a share of 1e-8 is still told from 0.
at::Tensor weak_share(const at::Tensor& rows) {
  const at::Tensor exact = rows.to(at::kDouble);
  const at::Tensor gram =
      exact.size(0) < exact.size(1) ? at::mm(exact, exact.t()) : at::mm(exact.t(), exact);
  const at::Tensor squares = at::linalg_eigvalsh(gram);
  const double floor = 1e-20 * std::max(squares.detach().max().item<double>(), 1e-200);
  const at::Tensor values = squares.clamp_min(floor).sqrt();
  const at::Tensor shares = values / values.sum();
  const at::Tensor weak = shares.detach() < kWeak / static_cast<double>(rows.size(1));
  return (shares * weak).sum().to(at::kFloat);
}

Compression::Compression(std::int64_t layers, std::int64_t channels, bool gradient,
                         c10::Device device)
    : gradient_(gradient), count_(at::zeros({}, at::kLong)) {
  for (std::int64_t i = 0; i < layers; ++i) {
    rows_.push_back(at::zeros({kMostRows, channels}, at::TensorOptions(device).dtype(at::kFloat)));
  }
}

void Compression::clear() { count_.zero_(); }

at::Tensor Compression::add(const std::vector<at::Tensor>& decoded) {
  const auto known = count_.item<std::int64_t>();
  at::Tensor sum;
  std::int64_t kept = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const at::Tensor fresh = gather_batch(decoded.at(i).to(at::kFloat).mean(0));
    at::Tensor all = at::cat({rows_[i].narrow(0, 0, known), gradient_ ? fresh : fresh.detach()});
    while (all.size(0) > kMostRows) {
      all = all.narrow(0, std::min(kDropped, all.size(0) - 1),
                       all.size(0) - std::min(kDropped, all.size(0) - 1));
    }
    kept = all.size(0);
    const at::Tensor share = weak_share(all);
    sum = sum.defined() ? sum + share : share;
    const c10::NoGradGuard no_gradients;
    rows_[i].narrow(0, 0, kept).copy_(all.detach());
  }
  count_.fill_(kept);
  return sum / static_cast<double>(rows_.size());
}

TensorMap Compression::state() const {
  TensorMap state{{"optimiser.compression.count", count_}};
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    state.emplace(fmt::format("optimiser.compression.{}", i), rows_[i]);
  }
  return state;
}

}  // namespace uad::models::iuf
