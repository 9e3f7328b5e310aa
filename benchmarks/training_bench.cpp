// SPDX-License-Identifier: LGPL-2.1-or-later
// Training images per second: our loop against a plain LibTorch loop of the same networks, and how
// long the loop waits for its batches.
//
// Run: build/benchmarks/training-bench --weights-dir DIR [--batch 8] [--rounds 5] [--threads 2]
// One line a round, the contestants in turns: STFPM with resnet18, 256x256.
//   plain   torch::nn modules, NCHW, torch::optim::SGD, as the papers' code does it
//   fp32    ours: channels-last, frozen teacher fused, batches made ahead
//   bf16    the same with mixed precision
// Then the batches that the loader alone makes in a second, with every augmentation switched on.
#include <algorithm>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <torch/nn/functional/normalization.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/optim/sgd.h>

#include "benchmarks/measuring.h"
#include "core/exec/thread_pool.h"
#include "core/gradient/batch_loader.h"
#include "models/registry.h"
#include "models/stfpm/learner.h"

namespace {

namespace nn = torch::nn;
using uad::benchmarks::median;
using uad::benchmarks::seconds;

struct Settings {
  std::string weights_dir;
  std::size_t batch = 8;
  int rounds = 5;
  int threads = 2;
};

nn::Conv2d conv(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride) {
  return nn::Conv2d(
      nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

struct PlainBlock : nn::Module {
  PlainBlock(std::int64_t in, std::int64_t out, std::int64_t stride)
      : conv1(register_module("conv1", conv(in, out, 3, stride))),
        bn1(register_module("bn1", nn::BatchNorm2d(out))),
        conv2(register_module("conv2", conv(out, out, 3, 1))),
        bn2(register_module("bn2", nn::BatchNorm2d(out))) {
    if (in == out) return;
    shortcut = register_module("shortcut", conv(in, out, 1, stride));
    shortcut_bn = register_module("shortcut_bn", nn::BatchNorm2d(out));
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = bn2(conv2(at::relu(bn1(conv1(x)))));
    return at::relu(y + (shortcut ? shortcut_bn(shortcut(x)) : x));
  }
  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  nn::Conv2d conv2;
  nn::BatchNorm2d bn2;
  nn::Conv2d shortcut{nullptr};
  nn::BatchNorm2d shortcut_bn{nullptr};
};

struct PlainResNet : nn::Module {
  PlainResNet()
      : stem(register_module("stem", conv(3, 64, 7, 2))),
        stem_bn(register_module("stem_bn", nn::BatchNorm2d(64))) {
    std::int64_t in = 64;
    for (const std::int64_t out : {64, 128, 256}) {
      for (int i = 0; i < 2; ++i) {
        blocks.push_back(register_module(fmt::format("block{}", blocks.size()),
                                         std::make_shared<PlainBlock>(in, out, in == out ? 1 : 2)));
        in = out;
      }
    }
  }
  std::vector<at::Tensor> forward(at::Tensor x) {
    x = at::max_pool2d(at::relu(stem_bn(stem(x))), {3, 3}, {2, 2}, {1, 1});
    std::vector<at::Tensor> features;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      x = blocks[i]->forward(x);
      if (i % 2 == 1) features.push_back(x);
    }
    return features;
  }
  nn::Conv2d stem;
  nn::BatchNorm2d stem_bn;
  std::vector<std::shared_ptr<PlainBlock>> blocks;
};

/// The published recipe, written down as one would.
class Plain {
 public:
  Plain() { teacher_.eval(); }
  void step(const at::Tensor& images) {
    std::vector<at::Tensor> taught;
    {
      const c10::NoGradGuard frozen;
      taught = teacher_.forward(images);
    }
    const auto learnt = student_.forward(images);
    at::Tensor loss = at::zeros({});
    for (std::size_t i = 0; i < taught.size(); ++i) {
      const auto options = nn::functional::NormalizeFuncOptions().dim(1);
      const at::Tensor t = nn::functional::normalize(taught[i], options);
      const at::Tensor s = nn::functional::normalize(learnt[i], options);
      loss = loss + (t - s).pow(2).sum(1).mean();
    }
    optimiser_.zero_grad();
    loss.backward();
    optimiser_.step();
  }

 private:
  PlainResNet teacher_;
  PlainResNet student_;
  torch::optim::SGD optimiser_{student_.parameters(),
                               torch::optim::SGDOptions(0.4).momentum(0.9).weight_decay(1e-4)};
};

uad::models::stfpm::StudentLearner learner(const Settings& settings, bool amp) {
  uad::FitContext context;
  context.method = "stfpm";
  context.options =
      uad::complete_options(uad::models::find_method("stfpm").options, {{"amp", amp}});
  context.weights_dir = settings.weights_dir;
  context.execution.precision = amp ? "bf16" : "fp32";
  return uad::models::stfpm::StudentLearner(context);
}

uad::SampleStore noise_store(std::int64_t images) {
  uad::SampleStore store{uad::InputSpec{}};
  for (std::int64_t i = 0; i < images; ++i) store.add({at::randn({1, 3, 256, 256})});
  return store;
}

template <class Step>
double images_per_second(const Settings& settings, Step&& step) {
  constexpr int kSteps = 3;
  const double start = seconds();
  for (int i = 0; i < kSteps; ++i) step();
  return kSteps * static_cast<double>(settings.batch) / (seconds() - start);
}

void compare_loops(const Settings& settings) {
  const uad::SampleStore store = noise_store(static_cast<std::int64_t>(settings.batch) * 2);
  const uad::BatchOrder order(
      {.samples = store.size(), .batch_size = settings.batch, .endless = true});
  Plain plain;
  auto fp32 = learner(settings, false);
  auto bf16 = learner(settings, true);
  const at::Tensor images = at::randn({static_cast<std::int64_t>(settings.batch), 3, 256, 256});
  uad::BatchLoader loader(store, order, {.last = 1 << 20});
  std::vector<double> rates[3];
  for (int round = -1; round < settings.rounds; ++round) {  // the first one warms up
    const std::vector<double> now{
        images_per_second(settings, [&] { plain.step(images); }),
        images_per_second(settings, [&] { fp32.step(loader.next(), 0.01); }),
        images_per_second(settings, [&] { bf16.step(loader.next(), 0.01); })};
    if (round < 0) continue;
    for (std::size_t i = 0; i < 3; ++i) rates[i].push_back(now[i]);
    fmt::print("plain {:6.2f}  fp32 {:6.2f}  bf16 {:6.2f} images/s\n", now[0], now[1], now[2]);
  }
  const double base = median(rates[0]);
  fmt::print(
      "medians: fp32 {:.2f}x, bf16 {:.2f}x of plain ({:.2f} images/s); waited for {} of {} "
      "batches\n",
      median(rates[1]) / base, median(rates[2]) / base, base, loader.waits(),
      6 * (settings.rounds + 1));
}

void bench_loader(const Settings& settings) {
  const uad::SampleStore store = noise_store(16);
  const uad::BatchOrder order(
      {.samples = store.size(), .batch_size = settings.batch, .endless = true});
  const uad::Augmentation all{.crop = {224, 224},
                              .flip_horizontal = true,
                              .flip_vertical = true,
                              .quarter_turns = 3,
                              .rotation = 10,
                              .brightness = 0.1,
                              .contrast = 0.1};
  uad::BatchLoader loader(store, order, {.augmentation = all, .last = 1 << 20});
  const double rate = images_per_second(settings, [&] { (void)loader.next(); });
  fmt::print("loader alone, one thread, every augmentation: {:.0f} images/s\n", rate);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    if (key == "--weights-dir") settings.weights_dir = argv[i + 1];
    if (key == "--batch") settings.batch = std::stoul(argv[i + 1]);
    if (key == "--rounds") settings.rounds = std::stoi(argv[i + 1]);
    if (key == "--threads") settings.threads = std::stoi(argv[i + 1]);
  }
  uad::use_threads(settings.threads);
  compare_loops(settings);
  bench_loader(settings);
  return 0;
}
