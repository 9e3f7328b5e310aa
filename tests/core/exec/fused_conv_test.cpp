// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/exec/fused_conv.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace {

constexpr auto kLast = at::MemoryFormat::ChannelsLast;

struct Layer {
  at::Tensor weight = at::randn({24, 16, 3, 3}) / 12;
  uad::BatchNorm norm{at::rand({24}) + 0.5, at::randn({24}), at::randn({24}), at::rand({24}) + 0.5};
  at::Tensor x = at::randn({2, 16, 19, 23}).contiguous(kLast);

  [[nodiscard]] at::Tensor reference(std::int64_t stride) const {
    const at::Tensor y = at::conv2d(x, weight, {}, {stride, stride}, {1, 1});
    return at::batch_norm(y, norm.weight, norm.bias, norm.running_mean, norm.running_var, false, 0,
                          norm.eps, false);
  }
  [[nodiscard]] uad::FusedConv fused(const uad::ConvOptions& options,
                                     at::ScalarType type = at::kFloat) const {
    return {uad::fold_batch_norm(weight, norm), options, at::TensorOptions().dtype(type)};
  }
};

TEST(FusedConv, EqualsConvolutionBatchNormAndRelu) {
  const Layer layer;
  for (const std::int64_t stride : {1, 2}) {
    const at::Tensor y = layer.fused({.stride = stride, .padding = 1})(layer.x);
    EXPECT_TRUE(at::allclose(y, layer.reference(stride).relu(), 1e-4, 1e-4));
    EXPECT_TRUE(y.is_contiguous(kLast));
  }
}

TEST(FusedConv, WithoutReluKeepsNegativeValues) {
  const Layer layer;
  const at::Tensor y = layer.fused({.padding = 1, .activation = uad::Activation::kNone})(layer.x);
  EXPECT_TRUE(at::allclose(y, layer.reference(1), 1e-4, 1e-4));
  EXPECT_LT(y.min().item<float>(), -0.1F);
}

TEST(FusedConv, AddsToTheResidualInPlaceBeforeRelu) {
  const Layer layer;
  const at::Tensor residual = at::randn({2, 24, 19, 23}).contiguous(kLast);
  at::Tensor sum = residual.clone();
  const void* memory = sum.const_data_ptr();
  layer.fused({.padding = 1}).add_into(sum, layer.x);
  EXPECT_TRUE(at::allclose(sum, (residual + layer.reference(1)).relu(), 1e-4, 1e-4));
  EXPECT_EQ(sum.const_data_ptr(), memory);
}

TEST(FusedConv, WideLayersEqualConvolutionToo) {
  const at::Tensor weight = at::randn({64, 32, 3, 3}) / 17;
  const at::Tensor bias = at::randn({64});
  const at::Tensor x = at::randn({2, 32, 15, 12}).contiguous(kLast);
  const uad::FusedConv conv({weight, bias}, {.padding = 1}, {});
  const at::Tensor plain = at::conv2d(x, weight, bias, {1, 1}, {1, 1});
  EXPECT_TRUE(at::allclose(conv(x), plain.relu(), 1e-5, 1e-5));
  at::Tensor sum = at::ones_like(plain);
  conv.add_into(sum, x);
  EXPECT_TRUE(at::allclose(sum, (plain + 1).relu(), 1e-5, 1e-5));
}

TEST(FusedConv, RefusesOtherChannelsThanItsWeights) {
  const Layer layer;
  const uad::FusedConv conv = layer.fused({.padding = 1});
  EXPECT_ANY_THROW(static_cast<void>(conv(at::randn({1, 15, 8, 8}).contiguous(kLast))));
}

TEST(FusedConv, Relu6ClampsAtBothEnds) {
  const Layer layer;
  const at::Tensor y =
      layer.fused({.padding = 1, .activation = uad::Activation::kRelu6})(layer.x * 20);
  EXPECT_EQ(y.min().item<float>(), 0);
  EXPECT_EQ(y.max().item<float>(), 6);
  const at::Tensor small =
      layer.fused({.padding = 1, .activation = uad::Activation::kRelu6})(layer.x);
  EXPECT_TRUE(at::allclose(small, layer.reference(1).clamp(0, 6), 1e-4, 1e-4));
}

TEST(FusedConv, LeakyReluKeepsAShareOfNegativeValues) {
  const Layer layer;
  const at::Tensor y =
      layer.fused({.padding = 1, .activation = uad::Activation::kLeakyRelu, .slope = 0.3})(layer.x);
  EXPECT_TRUE(at::allclose(y, at::leaky_relu(layer.reference(1), 0.3), 1e-4, 1e-4));
}

TEST(FusedConv, SwishGatesEachValueByItsOwnSigmoid) {
  const Layer layer;
  const at::Tensor y = layer.fused({.padding = 1, .activation = uad::Activation::kSwish})(layer.x);
  const at::Tensor linear = layer.reference(1);
  EXPECT_TRUE(at::allclose(y, linear * linear.sigmoid(), 1e-4, 1e-4));
}

TEST(FusedConv, GroupsSeeOnlyTheirOwnChannels) {
  const at::Tensor weight = at::randn({16, 1, 3, 3});
  const at::Tensor bias = at::randn({16});
  const Layer layer;
  const uad::FusedConv conv({weight, bias}, {.stride = 2, .padding = 1, .groups = 16}, {});
  const at::Tensor expected = at::conv2d(layer.x, weight, bias, {2, 2}, {1, 1}, {1, 1}, 16).relu();
  EXPECT_TRUE(at::allclose(conv(layer.x), expected, 1e-4, 1e-4));
}

TEST(FusedConv, ComputesInBfloat16) {
  const Layer layer;
  const at::Tensor y = layer.fused({.padding = 1}, at::kBFloat16)(layer.x.to(at::kBFloat16));
  ASSERT_EQ(y.scalar_type(), at::kBFloat16);
  const at::Tensor expected = layer.reference(1).relu();
  EXPECT_LT(((y.to(at::kFloat) - expected).norm() / expected.norm()).item<double>(), 0.01);
}

TEST(FusedConv, TakesImagesOfAnySizeInTurn) {
  Layer layer;
  const uad::FusedConv conv = layer.fused({.stride = 2, .padding = 1});
  for (const std::int64_t side : {64, 7, 65}) {
    layer.x = at::randn({1, 16, side, side + 1}).contiguous(kLast);
    EXPECT_TRUE(at::allclose(conv(layer.x), layer.reference(2).relu(), 1e-4, 1e-4));
  }
}

}  // namespace
