// SPDX-License-Identifier: LGPL-2.1-or-later
// Generator and discriminator against the golden numbers of the specification, UF-GAN, section 11.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "models/uf_gan/discriminator.h"
#include "models/uf_gan/frozen_layers.h"
#include "models/uf_gan/generator.h"
#include "models/uf_gan/objective.h"
#include "tests/models/uf_gan/fixture.h"

namespace uad::models::uf_gan {
namespace {

using test::uf_gan_fill;
using test::uf_gan_images;

double item(const at::Tensor& tensor) { return tensor.item<double>(); }

at::Tensor drawn(const TensorMap& weights, const at::Tensor& images) {
  return generate(PlainLayers(weights, Pass::kInference), images);
}

Judgement judged(const TensorMap& weights, const at::Tensor& images) {
  return discriminate(PlainLayers(weights, Pass::kInference), 128, images);
}

std::int64_t running_values(const Layout& layout) {
  std::int64_t count = 0;
  for (const Slot& slot : layout.slots()) count += slot.trained() ? 0 : slot.shape[0];
  return count;
}

/// Trained values of the tensors whose names begin so.
std::int64_t trained_of(const Layout& layout, const std::string& prefix) {
  std::int64_t count = 0;
  for (const Slot& slot : layout.slots()) {
    if (!slot.trained() || !slot.name.starts_with(prefix)) continue;
    std::int64_t values = 1;
    for (const std::int64_t side : slot.shape) values *= side;
    count += values;
  }
  return count;
}

TEST(UfGanFixture, NoiseAndImagesAreTheSpecifications) {
  const std::array expected{-1.0, -0.18330184, 0.63339633, -0.34417988, 0.69916902};
  for (std::uint32_t j = 0; j < expected.size(); ++j) {
    EXPECT_NEAR(test::fill_value(j), expected.at(j), 1e-8);
  }
  const at::Tensor images = uf_gan_images(128);
  EXPECT_NEAR(item(images.to(at::kDouble).mean()), 0.026728, 1e-6);
  EXPECT_NEAR(item(images.to(at::kDouble).std(false)), 0.455364, 1e-6);
  EXPECT_NEAR(item(images[1][2][127][127]), 0.316949, 1e-6);
}

TEST(UfGanGenerator, HasTheSpecifiedParameters) {
  const Layout layout = generator_layout(128, 4);
  EXPECT_EQ(layout.trained_count(), 31018150);
  EXPECT_EQ(running_values(layout), 73446);
  EXPECT_EQ(generator_layout(64, 4).trained_count(), 26777046);
  EXPECT_EQ(generator_layout(256, 4).trained_count(), 40843398);
  EXPECT_EQ(trained_of(layout, "bn_data"), 3);
  EXPECT_EQ(trained_of(layout, "conv0") + trained_of(layout, "bn0"), 9536);
  const std::array<std::int64_t, 4> stages{205824, 1197056, 7022592, 14544896};
  for (std::size_t i = 0; i < stages.size(); ++i) {
    EXPECT_EQ(trained_of(layout, "stage" + std::to_string(i + 1)), stages.at(i));
  }
  const std::array<std::int64_t, 5> blocks{6966528, 824960, 206656, 34336, 5736 - (3 * 16 * 8 + 8)};
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(trained_of(layout, "d" + std::to_string(i + 1)), blocks.at(i)) << i;
  }
  EXPECT_EQ(trained_of(layout, "out"), 27);
}

TEST(UfGanDiscriminator, HasTheSpecifiedParameters) {
  EXPECT_EQ(discriminator_layout(128).trained_count(), 717516);
  EXPECT_EQ(running_values(discriminator_layout(128)), 3584);
  EXPECT_EQ(discriminator_layout(64).trained_count(), 186764);
  EXPECT_EQ(discriminator_layout(256).trained_count(), 11265356);
}

TEST(UfGanLayout, FirstValuesAreGlorotsByTheSeed) {
  const Layout layout = discriminator_layout(128);
  const TensorMap weights = initial_weights(layout, 5);
  // depthwise: 25 * C in, 25 out; pointwise: 3 in, 128 out
  EXPECT_NEAR(item(weights.at("block1.depthwise.weight").abs().max()),
              std::sqrt(6.0 / (25 * 128 + 25)), 1e-4);
  EXPECT_NEAR(item(weights.at("block0.pointwise.weight").abs().max()), std::sqrt(6.0 / 131), 2e-2);
  EXPECT_TRUE(weights.at("head.weight").equal(initial_weights(layout, 5).at("head.weight")));
  EXPECT_FALSE(weights.at("head.weight").equal(initial_weights(layout, 6).at("head.weight")));
  const TensorMap generator = initial_weights(generator_layout(64, 4), 5);
  const double grouped = 9.0 * 128 / 32;
  EXPECT_NEAR(item(generator.at("stage1.unit1.conv2.weight").abs().max()),
              std::sqrt(6 / (2 * grouped)), 1e-2);
}

TEST(UfGanGenerator, DrawsWhatTheSpecificationSays) {
  const c10::InferenceMode inference;
  const at::Tensor images = uf_gan_images(128);
  const at::Tensor copies = drawn(uf_gan_fill(generator_layout(128, 4)), images);
  ASSERT_EQ(copies.sizes(), images.sizes());
  EXPECT_NEAR(item(copies.mean()), 0.075056, 1e-4);
  EXPECT_NEAR(item(copies.std(false)), 0.215850, 1e-4);
  const std::array middle{-0.210022, -0.244803, -0.220594};
  for (std::size_t c = 0; c < middle.size(); ++c) {
    EXPECT_NEAR(item(copies[0][static_cast<std::int64_t>(c)][64][64]), middle.at(c), 1e-4);
  }
  EXPECT_NEAR(item(copies[1][2][127][127]), 0.235631, 1e-4);
}

TEST(UfGanDiscriminator, JudgesAsTheSpecificationSays) {
  const c10::InferenceMode inference;
  const Judgement found = judged(uf_gan_fill(discriminator_layout(128)), uf_gan_images(128));
  const std::array means{0.137095, 0.086463, 0.067097, 0.048302};
  const std::array deviations{0.306850, 0.208921, 0.150574, 0.102523};
  ASSERT_EQ(found.features.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto width = static_cast<std::int64_t>(128) << i;
    EXPECT_EQ(found.features[i].sizes(), at::IntArrayRef({2, width, 64 >> i, 64 >> i}));
    EXPECT_NEAR(item(found.features[i].mean()), means.at(i), 1e-4);
    EXPECT_NEAR(item(found.features[i].std(false)), deviations.at(i), 1e-4);
  }
  EXPECT_EQ(found.probability.sizes(), at::IntArrayRef({2, 1, 8, 8}));
  EXPECT_NEAR(item(found.probability.mean()), 0.448928, 1e-4);
  EXPECT_NEAR(item(found.probability[0][0][0][0]), 0.488201, 1e-4);
  EXPECT_NEAR(item(found.probability[1][0][7][7]), 0.480261, 1e-4);
}

TEST(UfGanScore, PartsAndBlendAsSpecified) {
  const c10::InferenceMode inference;
  const at::Tensor images = uf_gan_images(128);
  const TensorMap judge = uf_gan_fill(discriminator_layout(128));
  const at::Tensor copies = drawn(uf_gan_fill(generator_layout(128, 4)), images);
  const auto real = judged(judge, images).features;
  const auto fake = judged(judge, copies).features;
  const auto scores = [&](double weight) {
    return anomaly_score((images - copies).abs().mean(1, true), real, fake, {}, weight);
  };
  const std::array pixel{0.392395, 0.395749};
  const std::array feature{0.207367, 0.177762};
  const std::array blend{0.336886, 0.330353};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto n = static_cast<std::int64_t>(i);
    EXPECT_NEAR(item(scores(1)[n]), pixel.at(i), 2e-4);
    EXPECT_NEAR(item(scores(0)[n]), feature.at(i), 2e-4);
    EXPECT_NEAR(item(scores(0.7)[n]), blend.at(i), 2e-4);
  }
}

TEST(UfGanGenerator, ZerosAroundTheFirstPoolCount) {
  // bn_data makes -1 / slope of everything, conv0 hands one channel on, so its ReLU gives -1
  TensorMap weights = initial_weights(generator_layout(64, 4), 1);
  weights.at("conv0.weight").zero_().slice(1, 0, 1).slice(2, 3, 4).slice(3, 3, 4).fill_(1);
  class Probe final : public Layers {
   public:
    explicit Probe(const TensorMap& weights) : plain_(weights, Pass::kInference) {}
    at::Tensor conv(const at::Tensor& x, const Conv& conv) const override {
      if (conv.name == "stage1.unit1.conv1") seen = x.clone();
      return plain_.conv(x, conv);
    }
    at::Tensor conv_added(at::Tensor sum, const at::Tensor& x, const Conv& conv) const override {
      return plain_.conv_added(std::move(sum), x, conv);
    }
    at::Tensor up(const at::Tensor& x, const Conv& conv) const override {
      return plain_.up(x, conv);
    }
    at::Tensor norm(const at::Tensor& x, const std::string& name, double epsilon,
                    double slope) const override {
      return plain_.norm(x, name, epsilon, slope);
    }
    mutable at::Tensor seen;

   private:
    PlainLayers plain_;
  };
  const Probe probe(weights);
  (void)generate(probe, at::full({1, 3, 64, 64}, -1 / 0.3));
  ASSERT_EQ(probe.seen.sizes(), at::IntArrayRef({1, 64, 16, 16}));
  const at::Tensor map = probe.seen[0][0];
  EXPECT_NEAR(item(map[0].abs().max()), 0, 1e-6);
  EXPECT_NEAR(item(map.select(1, 0).abs().max()), 0, 1e-6);
  EXPECT_NEAR(item((map.slice(0, 1).slice(1, 1) + 1).abs().max()), 0, 1e-4);
}

TEST(UfGanFrozen, DrawsAndJudgesAsTheTrainedNetworksDo) {
  const c10::InferenceMode inference;
  const at::Tensor images = uf_gan_images(64).contiguous(at::MemoryFormat::ChannelsLast);
  TensorMap weights = initial_weights(generator_layout(64, 4), 1);
  for (auto& [name, tensor] : weights) {  // statistics that folding must not lose
    if (name.ends_with("running_mean")) tensor = at::randn_like(tensor) * 0.1;
    if (name.ends_with("running_var")) tensor = at::rand_like(tensor) + 0.5;
  }
  const FrozenLayers frozen(weights, at::kFloat, [](const Layers& layers) {
    (void)generate(layers, at::zeros({1, 3, 32, 32}));
  });
  const at::Tensor copies = generate(PlainLayers(weights, Pass::kInference), images);
  EXPECT_TRUE(generate(frozen, images).allclose(copies, 1e-4, 1e-4));

  const TensorMap judge = uf_gan_fill(discriminator_layout(64));
  const FrozenLayers frozen_judge(judge, at::kFloat, [](const Layers& layers) {
    (void)discriminate(layers, 64, at::zeros({1, 3, 32, 32}));
  });
  const auto expected = discriminate(PlainLayers(judge, Pass::kInference), 64, images).features;
  const auto found = discriminate(frozen_judge, 64, images).features;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(found[i].allclose(expected[i], 1e-4, 1e-4)) << i;
  }
}

}  // namespace
}  // namespace uad::models::uf_gan
