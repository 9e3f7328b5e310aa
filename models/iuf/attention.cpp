// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/attention.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <mutex>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "core/distributed/shared_batch.h"
#include "core/exec/parallel.h"
#include "models/iuf/layers.h"
#include "models/iuf/network_shape.h"

namespace uad::models::iuf {

namespace {

constexpr std::int64_t kHeads = 8;
constexpr std::int64_t kHeadWidth = kHidden / kHeads;
constexpr double kKept = 0.9;  // share of values that dropout leaves

/// SplitMix64 of a counter: a word does not depend on the one before, unlike the generator's own,
/// which are drawn one after the other and took a twelfth of a training step.
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014).
std::uint64_t word(std::uint64_t seed, std::uint64_t i) {
  std::uint64_t x = seed + (i + 1) * 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// 1 / kKept with that chance, else 0. float32 on the CPU.
at::Tensor kept(at::IntArrayRef shape, at::Generator& random) {
  constexpr auto kLimit = static_cast<std::uint16_t>(kKept * (1 << 16));
  constexpr std::int64_t kDraws = 4;  // in a word
  constexpr std::int64_t kGrain = 1 << 14;
  const std::uint64_t seed = [&] {
    auto* generator = at::check_generator<at::CPUGeneratorImpl>(random);
    const std::lock_guard<std::mutex> guard(generator->mutex_);
    return generator->random64();
  }();
  at::Tensor mask = at::empty(shape, at::kFloat);
  float* values = mask.data_ptr<float>();
  const std::int64_t count = mask.numel();
  parallel_for(0, (count + kDraws - 1) / kDraws, kGrain, [&](std::int64_t i, std::int64_t end) {
    for (; i < end; ++i) {
      std::uint64_t bits = word(seed, static_cast<std::uint64_t>(i));
      for (std::int64_t at = kDraws * i; at < std::min(count, kDraws * (i + 1)); ++at) {
        values[at] = (bits & 0xFFFF) < kLimit ? static_cast<float>(1 / kKept) : 0.0F;
        bits >>= 16;
      }
    }
  });
  return mask;
}

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
  const at::Tensor mask = draw_over_batch(
      x.sizes(), samples, [&](at::IntArrayRef sizes) { return kept(sizes, *random); });
  return x * mask.to(x.options());
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
