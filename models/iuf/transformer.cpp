// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/transformer.h"

#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "models/iuf/attention.h"
#include "models/iuf/layers.h"
#include "models/iuf/position.h"

namespace uad::models::iuf {

namespace {

constexpr std::int64_t kFeedForward = 1024;
constexpr const char* kFinalNorm = "transformer.decoder.norm";

std::string layer_name(const char* of, std::int64_t i) {
  return fmt::format("transformer.{}.layers.{}.", of, i);
}

void check(const NetworkShape& shape, const at::Tensor& tokens,
           const std::vector<at::Tensor>& conditions) {
  const bool tokens_fit =
      tokens.dim() == 3 && tokens.size(0) == shape.tokens() && tokens.size(2) == shape.channels;
  if (!tokens_fit) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("Tokens are [{}], expected [{}, B, {}].",
                            fmt::join(tokens.sizes(), ", "), shape.tokens(), shape.channels));
  }
  if (conditions.size() != kLayers) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("There are {} conditions, expected {}.", conditions.size(), kLayers));
  }
  for (const at::Tensor& condition : conditions) {
    const std::array<std::int64_t, 3> expected{shape.tokens(), tokens.size(1), kHidden};
    if (condition.sizes() == at::IntArrayRef(expected)) continue;
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("A condition is [{}], expected [{}].",
                            fmt::join(condition.sizes(), ", "), fmt::join(expected, ", ")));
  }
}

// One pass. Tokens in it are [T, B, kHidden], queries that are the same for all images [T, 1, …].
class Run {
 public:
  /// @param outputs  see Reconstruction; null = not wanted.
  Run(const TensorMap& weights, const NetworkShape& shape, c10::Device device,
      at::Generator* random, std::vector<at::Tensor>* outputs)
      : weights_(weights),
        random_(random),
        outputs_(outputs),
        position_(position_code(weights, shape).to(device).unsqueeze(1)) {
    at::Tensor mask;
    for (std::size_t i = 0; i < masks_.size(); ++i) {
      if (!shape.masked.at(i)) continue;
      if (!mask.defined()) mask = neighbour_mask(shape).to(device);
      masks_.at(i) = mask;
    }
  }

  [[nodiscard]] at::Tensor encode(std::int64_t i, const at::Tensor& x,
                                  const at::Tensor& condition) const {
    const std::string name = layer_name("encoder", i);
    const at::Tensor placed = x + position_;
    const at::Tensor seen = attention(name + "self_attn", 0)(placed * condition, placed, x);
    return feed_forward(name, norm(name + "norm1", x + dropout(seen, /*samples=*/1, random_)),
                        "norm2");
  }

  /// @param memory  of the encoder. @param last  the layer before, at first the memory.
  [[nodiscard]] at::Tensor decode(std::int64_t i, const at::Tensor& memory,
                                  const at::Tensor& last) const {
    const std::string name = layer_name("decoder", i);
    const at::Tensor query = weights_.at(name + "learned_embed.weight").unsqueeze(1);
    const at::Tensor first =
        attention(name + "self_attn", 1)(query + position_, memory + position_, memory);
    const at::Tensor y = norm(name + "norm1", query + dropout(first, /*samples=*/1, random_));
    const at::Tensor second =
        attention(name + "multihead_attn", 2)(y + position_, last + position_, last);
    return feed_forward(name, norm(name + "norm2", y + dropout(second, /*samples=*/1, random_)),
                        "norm3");
  }

 private:
  [[nodiscard]] Attention attention(std::string name, std::size_t mask) const {
    return {weights_, std::move(name), masks_.at(mask), random_};
  }
  [[nodiscard]] at::Tensor norm(const std::string& name, const at::Tensor& x) const {
    return layer_norm(weights_, name, x);
  }
  [[nodiscard]] at::Tensor feed_forward(const std::string& name, const at::Tensor& x,
                                        const char* behind) const {
    const at::Tensor inner =
        dropout(at::relu(linear(weights_, name + "linear1", x)), /*samples=*/1, random_);
    const at::Tensor y = linear(weights_, name + "linear2", inner);
    if (outputs_ != nullptr) outputs_->push_back(y.mean(0));
    return norm(name + behind, x + dropout(y, /*samples=*/1, random_));
  }

  const TensorMap& weights_;
  at::Generator* random_;
  std::vector<at::Tensor>* outputs_;
  at::Tensor position_;
  std::array<at::Tensor, 3> masks_;  // undefined = none
};

}  // namespace

void add_transformer(Layout& layout, const NetworkShape& shape) {
  const auto feed_forward = [&](const std::string& name) {
    layout.linear(name + "linear1", kHidden, kFeedForward);
    layout.linear(name + "linear2", kFeedForward, kHidden);
  };
  layout.linear("input_proj", shape.channels, kHidden);
  for (std::int64_t i = 0; i < kLayers; ++i) {
    const std::string name = layer_name("encoder", i);
    add_attention(layout, name + "self_attn");
    feed_forward(name);
    for (const char* norm : {"norm1", "norm2"}) layout.layer_norm(name + norm, kHidden);
  }
  for (std::int64_t i = 0; i < kLayers; ++i) {
    const std::string name = layer_name("decoder", i);
    layout.tensor(name + "learned_embed.weight", {shape.tokens(), kHidden}, Slot::Kind::kNormal);
    add_attention(layout, name + "self_attn");
    add_attention(layout, name + "multihead_attn");
    feed_forward(name);
    for (const char* norm : {"norm1", "norm2", "norm3"}) layout.layer_norm(name + norm, kHidden);
  }
  layout.layer_norm(kFinalNorm, kHidden);
  layout.linear("output_proj", kHidden, shape.channels);
}

const std::vector<std::string>& constrained_layers() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const char* of : {"encoder", "decoder"}) {
      for (std::int64_t i = 0; i < kLayers; ++i) all.push_back(layer_name(of, i) + "linear2");
    }
    return all;
  }();
  return names;
}

Reconstruction reconstruct(const TensorMap& weights, const NetworkShape& shape,
                           const at::Tensor& tokens, const std::vector<at::Tensor>& conditions,
                           at::Generator* random, bool with_outputs) {
  check(shape, tokens, conditions);
  Reconstruction result;
  const Run run(weights, shape, tokens.device(), random, with_outputs ? &result.outputs : nullptr);
  at::Tensor memory = linear(weights, "input_proj", tokens);
  for (std::int64_t i = 0; i < kLayers; ++i) {
    memory = run.encode(i, memory, conditions[static_cast<std::size_t>(i)]);
  }
  at::Tensor x = memory;
  for (std::int64_t i = 0; i < kLayers; ++i) {
    x = run.decode(i, memory, x);
    result.decoded.push_back(layer_norm(weights, kFinalNorm, x));
  }
  result.features = linear(weights, "output_proj", result.decoded.back())
                        .permute({1, 2, 0})
                        .unflatten(2, {shape.height, shape.width});
  return result;
}

}  // namespace uad::models::iuf
