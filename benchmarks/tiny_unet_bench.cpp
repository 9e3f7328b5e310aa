// SPDX-License-Identifier: LGPL-2.1-or-later
// TinyUNet in images per second: looking at 512x512 frames one by one, and training on 256x256
// crops.
//
// Run: build/benchmarks/tiny-unet-bench [--threads 2] [--rounds 5] [--batch 4]
// One line a round, the contestants in turns, then medians:
//   plain  torch::nn modules, NCHW, ReLU apart; torch::optim::RMSprop (centred, as far as it goes)
//   fp32   ours: channels-last, weights laid out once, ReLU fused; RMSProp in one loop
//   bf16   the same in bfloat16; training in mixed precision
#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <torch/nn/modules/conv.h>
#include <torch/optim/rmsprop.h>

#include "core/exec/thread_pool.h"
#include "core/gradient/batch_loader.h"
#include "models/registry.h"
#include "models/tiny_unet/learner.h"
#include "models/tiny_unet/model.h"
#include "models/tiny_unet/objective.h"

namespace {

namespace nn = torch::nn;
namespace unet = uad::models::tiny_unet;

struct Settings {
  int threads = 2;
  int rounds = 5;
  std::int64_t batch = 4;
};

/// The network as one would write it down.
struct PlainUnet : nn::Module {
  PlainUnet() {
    for (const unet::Layer& layer : unet::layers("tinyUNet")) {
      const auto options =
          nn::Conv2dOptions(layer.in, layer.out, layer.kernel).padding(layer.kernel == 3 ? 1 : 0);
      convolutions.push_back(
          register_module(fmt::format("conv{}", convolutions.size()), nn::Conv2d(options)));
    }
  }
  at::Tensor forward(at::Tensor x) {
    std::size_t next = 0;
    const auto block = [&](at::Tensor y) {
      for (int i = 0; i < 2; ++i) y = at::relu(convolutions[next++](y));
      return y;
    };
    std::vector<at::Tensor> skips;
    for (int level = 0; level < 4; ++level) {
      skips.push_back(block(x));
      x = at::max_pool2d(skips.back(), 2);
    }
    x = block(x);
    for (; !skips.empty(); skips.pop_back()) {
      const std::array<std::int64_t, 2> doubled{2 * x.size(2), 2 * x.size(3)};
      x = at::constant_pad_nd(at::upsample_nearest2d(x, doubled), {0, 1, 0, 1}, 0);
      x = block(at::cat({at::relu(convolutions[next++](x)), skips.back()}, 1));
    }
    return convolutions[next](x);
  }
  std::vector<nn::Conv2d> convolutions;
};

class PlainTraining {
 public:
  void step(const uad::Batch& batch) {
    const at::Tensor z = network_.forward(batch.images.mean(1, true).contiguous());
    const at::Tensor loss = unet::loss("adaptive_loss", z, batch.masks);
    optimiser_.zero_grad();
    loss.backward();
    optimiser_.step();
  }

 private:
  PlainUnet network_;
  torch::optim::RMSprop optimiser_{
      network_.parameters(),
      torch::optim::RMSpropOptions(1e-4).alpha(0.9).momentum(0.8).centered(true).weight_decay(
          1e-5)};
};

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Contestants in turns, so that a change of the machine's mood meets all of them.
void compare(const char* what, const Settings& settings, double images,
             const std::array<std::function<void()>, 3>& contestants) {
  std::array<std::vector<double>, 3> rates;
  for (int round = -1; round < settings.rounds; ++round) {  // the first one warms up
    std::string line = fmt::format("{:<10}", what);
    for (std::size_t i = 0; i < 3; ++i) {
      const double rate = images / seconds_of(contestants[i]);
      if (round >= 0) rates[i].push_back(rate);
      line += fmt::format(" {:7.2f}", rate);
    }
    if (round >= 0) fmt::print("{}\n", line);
  }
  for (auto& one : rates) std::ranges::sort(one);
  const auto median = [&](std::size_t i) { return rates[i][rates[i].size() / 2]; };
  fmt::print("{}: plain {:.2f}, fp32 {:.2f} ({:.2f}x), bf16 {:.2f} ({:.2f}x) images/s\n", what,
             median(0), median(1), median(1) / median(0), median(2), median(2) / median(0));
}

uad::FitContext context(bool mixed) {
  uad::FitContext made;
  made.method = "tiny-unet";
  made.options =
      uad::complete_options(uad::models::find_method(made.method).options, {{"amp", mixed}});
  made.input = uad::models::find_method(made.method).default_input;
  return made;
}

void compare_inference(const Settings& settings) {
  constexpr int kFrames = 4;
  PlainUnet plain;
  const auto parameters = unet::UnetLearner(context(false)).state();
  const auto fp32 = unet::make_model("tinyUNet", parameters, {"cpu", "fp32"});
  const auto bf16 = unet::make_model("tinyUNet", parameters, {"cpu", "bf16"});
  const at::Tensor frame = at::rand({1, 3, 512, 512}) * 2 - 1;
  const auto predict = [&](const uad::AnomalyModel& model) {
    for (int i = 0; i < kFrames; ++i) (void)model.predict({frame});
  };
  compare("inference", settings, kFrames,
          {[&] {
             const c10::InferenceMode inference;
             for (int i = 0; i < kFrames; ++i) {
               (void)plain.forward(frame.mean(1, true)).sigmoid().amax();
             }
           },
           [&] { predict(*fp32); }, [&] { predict(*bf16); }});
}

void compare_training(const Settings& settings) {
  constexpr int kSteps = 2;
  uad::SampleStore store(context(false).input);
  uad::Tiles tiles{at::rand({2 * settings.batch, 3, 512, 512}) * 2 - 1};
  tiles.labels = at::ones({2 * settings.batch}, at::kLong);
  tiles.masks = (at::rand({2 * settings.batch, 1, 512, 512}) < 0.03).to(at::kByte);
  store.add(tiles);
  const uad::BatchOrder order({.samples = store.size(),
                               .batch_size = static_cast<std::size_t>(settings.batch),
                               .endless = true});
  uad::BatchLoader loader(
      store, order,
      {.augmentation = {.crop = {256, 256}, .flip_horizontal = true, .quarter_turns = 2},
       .last = 1 << 20});
  PlainTraining plain;
  unet::UnetLearner fp32(context(false));
  unet::UnetLearner bf16(context(true));
  const uad::Batch batch = loader.next();  // ours pay for the loader, the plain loop does not
  compare("training", settings, static_cast<double>(kSteps * settings.batch),
          {[&] {
             for (int i = 0; i < kSteps; ++i) plain.step(batch);
           },
           [&] {
             for (int i = 0; i < kSteps; ++i) fp32.step(loader.next(), 1e-4);
           },
           [&] {
             for (int i = 0; i < kSteps; ++i) bf16.step(loader.next(), 1e-4);
           }});
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    if (key == "--threads") settings.threads = std::stoi(argv[i + 1]);
    if (key == "--rounds") settings.rounds = std::stoi(argv[i + 1]);
    if (key == "--batch") settings.batch = std::stol(argv[i + 1]);
  }
  uad::use_threads(settings.threads);
  uad::join_pool();
  compare_inference(settings);
  compare_training(settings);
  return 0;
}
