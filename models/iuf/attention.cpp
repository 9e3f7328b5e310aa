// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/attention.h"

#include <cmath>

#include <ATen/ATen.h>

#include "core/distributed/shared_batch.h"
#include "models/iuf/layers.h"
#include "models/iuf/network_shape.h"

namespace uad::models::iuf {

namespace {

constexpr std::int64_t kHeads = 8;
constexpr std::int64_t kHeadWidth = kHidden / kHeads;
constexpr double kKept = 0.9;  // share of values that dropout leaves

// Softmax by hand: the fused operator would draw its dropout from the global generator.
// All are [B, heads, T, width].
at::Tensor attend_with_dropout(const at::Tensor& query, const at::Tensor& key,
                               const at::Tensor& value, const at::Tensor& mask,
                               at::Generator* random) {
  at::Tensor scores =
      at::matmul(query / std::sqrt(static_cast<double>(kHeadWidth)), key.transpose(2, 3));
  if (mask.defined()) scores = scores + mask;
  return at::matmul(dropout(scores.softmax(3), /*samples=*/0, random), value);
}

}  // namespace

at::Tensor dropout(const at::Tensor& x, std::int64_t samples, at::Generator* random) {
  if (random == nullptr) return x;
  const at::Tensor kept = draw_over_batch(x.sizes(), samples, [&](at::IntArrayRef sizes) {
    return at::empty(sizes, x.options().device(random->device()))
        .bernoulli_(kKept, *random)
        .div_(kKept);
  });
  return x * kept.to(x.device());
}

void add_attention(Layout& layout, const std::string& name) {
  layout.tensor(name + ".in_proj_weight", {3 * kHidden, kHidden}, Slot::Kind::kGlorot);
  layout.tensor(name + ".in_proj_bias", {3 * kHidden}, Slot::Kind::kZero);
  layout.linear(name + ".out_proj", kHidden, kHidden);
}

at::Tensor Attention::operator()(const at::Tensor& query, const at::Tensor& key,
                                 const at::Tensor& value) const {
  const std::vector<at::Tensor> weight = weights.at(name + ".in_proj_weight").chunk(3);
  const std::vector<at::Tensor> bias = weights.at(name + ".in_proj_bias").chunk(3);
  const auto heads = [&](std::size_t part, const at::Tensor& x) {
    return at::linear(x, weight[part], bias[part])
        .view({x.size(0), x.size(1), kHeads, kHeadWidth})
        .permute({1, 2, 0, 3});
  };
  const std::int64_t batch = key.size(1);
  const at::Tensor q = heads(0, query).expand({batch, -1, -1, -1});
  const at::Tensor k = heads(1, key);
  const at::Tensor v = heads(2, value);
  const at::Tensor attended =
      random == nullptr
          ? at::scaled_dot_product_attention(
                q, k, v, mask.defined() ? std::optional<at::Tensor>(mask) : std::nullopt)
          : attend_with_dropout(q, k, v, mask, random);
  return linear(weights, name + ".out_proj",
                attended.permute({2, 0, 1, 3}).reshape({query.size(0), batch, kHidden}));
}

}  // namespace uad::models::iuf
