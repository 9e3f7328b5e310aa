// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernels of core/exec/conv against LibTorch's convolution in double precision.
#include <array>
#include <limits>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/exec/conv/direct_conv.h"
#include "core/exec/conv/winograd_conv.h"

namespace {

using uad::conv::DirectConv;
using uad::conv::Finish;
using uad::conv::Geometry;
using uad::conv::WinogradConv;

constexpr auto kLast = at::MemoryFormat::ChannelsLast;

struct Case {
  Geometry geometry;
  at::Tensor x;
  at::Tensor weight;
  at::Tensor bias;

  explicit Case(const Geometry& g)
      : geometry(g),
        x(at::randn({g.batch, g.channels, g.height, g.width}).contiguous(kLast)),
        weight(at::randn({g.out_channels, g.channels, g.kernel, g.kernel}) /
               static_cast<double>(g.kernel)),
        bias(at::randn({g.out_channels})) {}

  [[nodiscard]] at::Tensor expected() const {
    const auto& g = geometry;
    return at::conv2d(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble),
                      {g.stride, g.stride}, {g.padding, g.padding})
        .to(at::kFloat);
  }
  /// @param y  what stands in the output before.
  template <class Kernel>
  at::Tensor run(const Kernel& kernel, Finish finish = {}, at::Tensor y = {}) const {
    const auto& g = geometry;
    if (!y.defined()) {
      y = at::full({g.batch, g.out_channels, g.out_height(), g.out_width()},
                   std::numeric_limits<float>::quiet_NaN())
              .contiguous(kLast);
    }
    finish.bias = bias.const_data_ptr<float>();
    kernel.run(g, x.const_data_ptr<float>(), y.mutable_data_ptr<float>(), finish);
    return y;
  }
  [[nodiscard]] DirectConv direct() const {
    return {weight.const_data_ptr<float>(), geometry.out_channels, geometry.channels,
            geometry.kernel};
  }
  [[nodiscard]] WinogradConv winograd() const {
    return {weight.const_data_ptr<float>(), geometry.out_channels, geometry.channels};
  }
};

/// As a share of the largest value.
double error(const at::Tensor& y, const at::Tensor& expected) {
  return ((y - expected).abs().max() / expected.abs().max()).item<double>();
}

class ConvKernels : public testing::Test {
 protected:
  void SetUp() override {
    if (!uad::conv::have_tiles()) GTEST_SKIP() << "This CPU has no AVX2.";
    at::manual_seed(3);
  }
};

TEST_F(ConvKernels, DirectEqualsConvolutionForKernelsStridesAndEdges) {
  for (const auto& [kernel, stride, padding] :
       {std::array{1, 1, 0}, {1, 2, 0}, {3, 1, 1}, {3, 2, 1}, {3, 1, 0}, {5, 2, 2}, {7, 2, 3}}) {
    for (const std::int64_t channels : {1, 3, 5, 16}) {
      const Case c({.batch = 2,
                    .height = 13,
                    .width = 11,
                    .channels = channels,
                    .out_channels = 37,
                    .kernel = kernel,
                    .stride = stride,
                    .padding = padding});
      EXPECT_LT(error(c.run(c.direct()), c.expected()), 2e-6)
          << kernel << "x" << kernel << ", stride " << stride << ", " << channels << " channels";
    }
  }
}

TEST_F(ConvKernels, WinogradEqualsConvolutionForOddSizesAndAnyPadding) {
  for (const std::int64_t height : {3, 4, 9, 14}) {
    for (const std::int64_t padding : {0, 1, 2}) {
      const Case c({.batch = 2,
                    .height = height,
                    .width = height + 1,
                    .channels = 40,
                    .out_channels = 48,
                    .padding = padding});
      EXPECT_LT(error(c.run(c.winograd()), c.expected()), 2e-6)
          << height << " rows, padding " << padding;
    }
  }
}

TEST_F(ConvKernels, LargeImagesInManyPiecesEqualConvolution) {
  const Case c(
      {.batch = 3, .height = 57, .width = 56, .channels = 32, .out_channels = 32, .padding = 1});
  EXPECT_LT(error(c.run(c.winograd()), c.expected()), 2e-6);
  EXPECT_LT(error(c.run(c.direct()), c.expected()), 2e-6);
}

TEST_F(ConvKernels, AddToTheOutputBeforeTheActivation) {
  const Case c({.height = 9, .width = 8, .channels = 32, .out_channels = 32, .padding = 1});
  const at::Tensor before = at::randn_like(c.expected()).contiguous(kLast);
  const at::Tensor expected = (before + c.expected()).clamp(0, 6);
  const Finish finish{.add = true, .low = 0, .high = 6};
  EXPECT_LT(error(c.run(c.direct(), finish, before.clone()), expected), 2e-6);
  EXPECT_LT(error(c.run(c.winograd(), finish, before.clone()), expected), 2e-6);
}

TEST_F(ConvKernels, SlopeIsOfNegativeValuesOnly) {
  const Case c({.height = 9, .width = 8, .channels = 32, .out_channels = 32, .padding = 1});
  const at::Tensor expected = at::leaky_relu(c.expected(), 0.2);
  EXPECT_LT(error(c.run(c.direct(), {.slope = 0.2F}), expected), 2e-6);
  EXPECT_LT(error(c.run(c.winograd(), {.slope = 0.2F}), expected), 2e-6);
}

TEST_F(ConvKernels, NotANumberIsNotHiddenByTheActivation) {
  Case c({.height = 9, .width = 8, .channels = 32, .out_channels = 32, .padding = 1});
  c.x.fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(c.run(c.direct(), {.low = 0}).isnan().all().item<bool>());
  EXPECT_TRUE(c.run(c.winograd(), {.low = 0}).isnan().all().item<bool>());
}

TEST_F(ConvKernels, NothingIsComputedForNoImages) {
  const Case c({.batch = 0, .height = 9, .width = 8, .channels = 32, .out_channels = 32});
  EXPECT_EQ(c.run(c.direct()).numel(), 0);
  EXPECT_EQ(c.run(c.winograd()).numel(), 0);
}

}  // namespace
