// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/oasa.h"

#include <algorithm>
#include <string>

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/distributed/batch_norm.h"
#include "core/distributed/shared_batch.h"
#include "core/gradient/mixed_precision.h"
#include "core/gradient/recompute.h"
#include "models/iuf/layers.h"

namespace uad::models::iuf {

namespace {

constexpr std::int64_t kHeads = 4;
constexpr std::int64_t kInner = 128;  // of the block's perceptron
constexpr double kMomentum = 0.1;     // weight of the batch in the running statistics
constexpr const char* kConv = "vitclassifiy.conv1.weight";
constexpr const char* kBlocks = "vitclassifiy.vit_blocks.";

std::string block_name(std::int64_t i) { return fmt::format("{}{}.", kBlocks, i); }

at::Tensor norm_value(const TensorMap& weights, const char* name) {
  return weights.at(std::string("vitclassifiy.bn1.") + name);
}

void check(const NetworkShape& shape, const at::Tensor& images) {
  const std::int64_t height = shape.height * kCellSide;
  const std::int64_t width = shape.width * kCellSide;
  if (images.dim() == 4 && images.size(1) == 3 && images.size(2) == height &&
      images.size(3) == width) {
    return;
  }
  throw Error(ErrorCode::kShapeMismatch,
              fmt::format("Images are [{}], expected [B, 3, {}, {}].",
                          fmt::join(images.sizes(), ", "), height, width));
}

// Tokens a cell of the reconstruction's grid is high and wide.
std::int64_t cell_tokens(const NetworkShape& shape) { return kCellSide / shape.patch; }

// @param x  [rows, W, kHidden].
at::Tensor attend_within_rows(const TensorMap& weights, const std::string& name,
                              const at::Tensor& x) {
  const auto heads = [&](const char* part) {
    return linear(weights, name + part, x)
        .view({x.size(0), x.size(1), kHeads, kHidden / kHeads})
        .transpose(1, 2);
  };
  const at::Tensor y =
      at::scaled_dot_product_attention(heads("query"), heads("key"), heads("value"));
  return linear(weights, name + "out", y.transpose(1, 2).reshape(x.sizes()));
}

// What is kept of rows of cells: all that the scores and conditions need.
struct Seen {
  std::vector<at::Tensor> means;                // of the last block, [rows, kHidden]
  std::vector<std::vector<at::Tensor>> cells =  // of each block, [rows, w, kHidden]
      std::vector<std::vector<at::Tensor>>(kLayers);
};

// @param rows  [n, r, W, kHidden].
void run_blocks(const TensorMap& weights, const at::Tensor& rows, Seen& seen) {
  const std::int64_t count = rows.size(0);
  const std::int64_t side = rows.size(1);
  at::Tensor x = rows.flatten(0, 1);
  for (std::int64_t i = 0; i < kLayers; ++i) {
    x = run_block(weights, i, x);
    seen.cells[static_cast<std::size_t>(i)].push_back(
        x.detach().view({count, side, -1, side, kHidden}).mean({1, 3}));
  }
  seen.means.push_back(x.view({count, -1, kHidden}).mean(1));
}

// How many of something are taken at once when `tokens` of it should fit.
std::int64_t at_once(std::int64_t tokens, std::int64_t each) {
  return std::max(tokens / each, std::int64_t{1});
}

// The images cut into rows of cells, [B * height, 3, kCellSide, W].
at::Tensor strips_of(const NetworkShape& shape, const at::Tensor& images) {
  return images.unflatten(2, {shape.height, kCellSide}).transpose(1, 2).flatten(0, 1);
}

// Convolution and batch norm in one.
struct Stem {
  at::Tensor kernel;
  at::Tensor bias;
};

// By the batch: mean and variance of what the convolution makes of it follow from those of its
// patches, so nothing of the size of its output is needed. The running statistics follow.
Stem stem_of_batch(const TensorMap& weights, const NetworkShape& shape, const at::Tensor& images) {
  const std::int64_t patch = shape.patch;
  const at::Tensor patches = images.to(at::kDouble)
                                 .unflatten(3, {-1, patch})
                                 .unflatten(2, {-1, patch})
                                 .permute({1, 3, 5, 0, 2, 4})
                                 .flatten(3)
                                 .flatten(0, 2);  // [3 * patch * patch, count]
  const at::Tensor own_count = at::full({1}, patches.size(1), patches.options());
  const double count = sum_over_batch(own_count).item<double>();
  const at::Tensor centre = sum_over_batch(patches.sum(1)) / count;
  const at::Tensor centred = patches - centre.unsqueeze(1);
  const at::Tensor covariance = sum_over_batch(at::mm(centred, centred.t())) / count;
  const at::Tensor kernel = weights.at(kConv);
  const at::Tensor rows = kernel.flatten(1).to(at::kDouble);
  const at::Tensor mean = at::mv(rows, centre);
  const at::Tensor variance = (at::mm(rows, covariance) * rows).sum(1);
  {
    const c10::NoGradGuard no_gradients;
    norm_value(weights, "running_mean").lerp_(mean.to(at::kFloat), kMomentum);
    norm_value(weights, "running_var")
        .lerp_((variance * (count / (count - 1))).to(at::kFloat), kMomentum);
  }
  const at::Tensor scale =
      norm_value(weights, "weight") * (variance + kNormEpsilon).rsqrt().to(at::kFloat);
  return {kernel * scale.view({-1, 1, 1, 1}),
          norm_value(weights, "bias") - mean.to(at::kFloat) * scale};
}

at::Tensor embed_strips(const Stem& stem, const NetworkShape& shape, const at::Tensor& strips) {
  const at::Tensor active = at::relu(at::conv2d(strips.contiguous(at::MemoryFormat::ChannelsLast),
                                                stem.kernel, stem.bias, shape.patch));
  return active.permute({0, 2, 3, 1});
}

// A chunk of a training pass. Its activations, 50 kB a token, are made a second time for the
// gradients and not kept until then.
void run_blocks_again(const TensorMap& weights, const NetworkShape& shape, const Stem& stem,
                      const at::Tensor& strips, Seen& seen) {
  std::vector<std::string> names;
  std::vector<at::Tensor> inputs{strips, stem.kernel, stem.bias};
  for (const auto& [name, tensor] : weights) {
    if (!name.starts_with(kBlocks)) continue;
    names.push_back(name);
    inputs.push_back(tensor);
  }
  const c10::DeviceType device = strips.device().type();
  const bool mixed = at::autocast::is_autocast_enabled(device);
  const NetworkPart part = [names, shape, device, mixed](const std::vector<at::Tensor>& given,
                                                         bool /*again*/) {
    const MixedPrecision precision(mixed, device);
    TensorMap own;
    for (std::size_t i = 0; i < names.size(); ++i) own[names[i]] = given[i + 3];
    Seen some;
    run_blocks(own, embed_strips({given[1], given[2]}, shape, given[0]), some);
    std::vector<at::Tensor> found{some.means.front()};
    for (const auto& cells : some.cells) found.push_back(cells.front());
    return found;
  };
  const std::vector<at::Tensor> found = recomputed(inputs, part);
  seen.means.push_back(found.front());
  for (std::size_t i = 0; i < seen.cells.size(); ++i) {
    seen.cells[i].push_back(found[i + 1].detach());
  }
}

Seen look(const TensorMap& weights, const NetworkShape& shape, const at::Tensor& images,
          Pass pass) {
  Seen seen;
  if (pass == Pass::kTraining && shape.patch == kCellSide) {  // few tokens: all at once
    run_blocks(weights, embed(weights, shape, images, pass), seen);
    return seen;
  }
  // A chunk's activations stay in the processor's cache; a GPU needs larger ones to be busy.
  const std::int64_t most = pass == Pass::kTraining ? 1 << 16 : 1 << 18;
  const std::int64_t tokens = images.is_cpu() ? 1 << 12 : most;
  const std::int64_t row = cell_tokens(shape) * cell_tokens(shape) * shape.width;
  if (pass == Pass::kTraining) {  // batch norm sees the whole batch
    const Stem stem = stem_of_batch(weights, shape, images);
    for (const at::Tensor& strips : strips_of(shape, images).split(at_once(tokens, row))) {
      run_blocks_again(weights, shape, stem, strips, seen);
    }
    return seen;
  }
  for (const at::Tensor& some : images.split(at_once(tokens, row * shape.height))) {
    const at::Tensor rows = embed(weights, shape, some, pass);
    for (const at::Tensor& chunk : rows.split(at_once(tokens, row))) {
      run_blocks(weights, chunk, seen);
    }
  }
  return seen;
}

}  // namespace

void add_oasa(Layout& layout, const NetworkShape& shape) {
  layout.tensor(kConv, {kHidden, 3, shape.patch, shape.patch}, Slot::Kind::kGlorot);
  layout.batch_norm("vitclassifiy.bn1", kHidden);
  for (std::int64_t i = 0; i < kLayers; ++i) {
    const std::string name = block_name(i);
    layout.layer_norm(name + "norm1", kHidden);
    for (const char* part : {"query", "key", "value", "out"}) {
      layout.linear(name + "self_attention." + part, kHidden, kHidden);
    }
    layout.layer_norm(name + "norm2", kHidden);
    layout.linear(name + "mlp.mlp.0", kHidden, kInner);
    layout.linear(name + "mlp.mlp.2", kInner, kHidden);
  }
  layout.linear("vitclassifiy.fc.0", kHidden, kHidden);
  layout.linear("vitclassifiy.fc.2", kHidden, shape.classes);
}

at::Tensor embed(const TensorMap& weights, const NetworkShape& shape, const at::Tensor& images,
                 Pass pass) {
  const auto norm = [&](const char* name) { return norm_value(weights, name); };
  const at::Tensor convolved = at::conv2d(images.contiguous(at::MemoryFormat::ChannelsLast),
                                          weights.at(kConv), {}, shape.patch);
  const at::Tensor active = at::relu(batch_norm(
      convolved, {norm("weight"), norm("bias"), norm("running_mean"), norm("running_var")},
      pass == Pass::kTraining, kMomentum, kNormEpsilon));
  const std::int64_t side = cell_tokens(shape);
  return active.permute({0, 2, 3, 1}).reshape({-1, side, shape.width * side, kHidden});
}

at::Tensor run_block(const TensorMap& weights, std::int64_t i, const at::Tensor& x) {
  const std::string name = block_name(i);
  const at::Tensor seen = x + attend_within_rows(weights, name + "self_attention.",
                                                 layer_norm(weights, name + "norm1", x));
  const at::Tensor inner =
      at::gelu(linear(weights, name + "mlp.mlp.0", layer_norm(weights, name + "norm2", seen)));
  return seen + linear(weights, name + "mlp.mlp.2", inner);
}

Recognition recognise(const TensorMap& weights, const NetworkShape& shape, const at::Tensor& images,
                      Pass pass) {
  check(shape, images);
  const Seen seen = look(weights, shape, images, pass);
  const std::int64_t batch = images.size(0);
  Recognition result;
  for (const std::vector<at::Tensor>& cells : seen.cells) {
    result.conditions.push_back(
        at::cat(cells).view({batch, shape.tokens(), kHidden}).transpose(0, 1).contiguous());
  }
  const at::Tensor pooled = at::cat(seen.means).view({batch, shape.height, kHidden}).mean(1);
  const at::Tensor hidden = at::relu(linear(weights, "vitclassifiy.fc.0", pooled));
  result.scores = linear(weights, "vitclassifiy.fc.2", hidden);
  return result;
}

}  // namespace uad::models::iuf
