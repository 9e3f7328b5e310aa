// SPDX-License-Identifier: LGPL-2.1-or-later
// UF-GAN against a plain LibTorch loop of the same networks: training steps and frames per second,
// and the memory of the process at its peak.
//
// Run: build/benchmarks/uf-gan-bench [--size 128] [--batch 20] [--rounds 5] [--threads 2]
// [--recompute 1] With --rounds 0 the memory alone is measured. One line a round, the contestants
// in turns:
//   plain   every layer by itself in NCHW, as modules call them, torch::optim::Adam
//   fp32    ours: channels-last, fused updates; in use folded and fused
//   bf16    the same with mixed precision; in use with precision bf16
// With --recompute both of ours train so.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <torch/optim/adam.h>

#include "benchmarks/measuring.h"
#include "core/exec/thread_pool.h"
#include "core/tuning/machine.h"
#include "models/registry.h"
#include "models/uf_gan/discriminator.h"
#include "models/uf_gan/generator.h"
#include "models/uf_gan/learner.h"
#include "models/uf_gan/model.h"
#include "models/uf_gan/objective.h"
#include "models/uf_gan/step_losses.h"

namespace {

using namespace uad::models::uf_gan;  // NOLINT: all of it is about this method
using uad::benchmarks::median;
using uad::benchmarks::per_second;

struct Options {
  std::int64_t size = 128;
  std::int64_t batch = 20;
  int rounds = 5;
  int threads = 2;
  bool recompute = false;
};

class Plain {
 public:
  explicit Plain(const Options& options)
      : size_(options.size),
        generator_(weights(generator_layout(options.size, 4))),
        discriminator_(weights(discriminator_layout(options.size))),
        draws_(trained(generator_), torch::optim::AdamOptions(0.002).betas({0.5, 0.999})),
        judges_(trained(discriminator_), torch::optim::AdamOptions(0.002).betas({0.5, 0.999})) {}

  void step(const at::Tensor& images) {
    const StepLosses losses = step_losses(generator_, discriminator_, discriminator_, images, {});
    draws_.zero_grad();
    judges_.zero_grad();
    losses.generator.backward({}, true, false, at::TensorList(trained(generator_)));
    losses.discriminator.backward({}, false, false, at::TensorList(trained(discriminator_)));
    judges_.step();
    draws_.step();
  }

  at::Tensor score(const at::Tensor& images) const {
    const c10::InferenceMode inference;
    const PlainLayers drawing(generator_, Pass::kInference);
    const PlainLayers judging(discriminator_, Pass::kInference);
    const at::Tensor copies = generate(drawing, images);
    return anomaly_score((images - copies).abs().mean(1, true),
                         discriminate(judging, size_, images).features,
                         discriminate(judging, size_, copies).features, {}, 0.7);
  }

 private:
  static uad::TensorMap weights(const Layout& layout) {
    uad::TensorMap map = initial_weights(layout, 1);
    for (const Slot& slot : layout.slots()) map.at(slot.name).requires_grad_(slot.trained());
    return map;
  }
  static std::vector<at::Tensor> trained(const uad::TensorMap& map) {
    std::vector<at::Tensor> tensors;
    for (const auto& [name, tensor] : map) {
      if (tensor.requires_grad()) tensors.push_back(tensor);
    }
    return tensors;
  }
  std::int64_t size_;
  uad::TensorMap generator_;
  uad::TensorMap discriminator_;
  torch::optim::Adam draws_;
  torch::optim::Adam judges_;
};

uad::FitContext context(const Options& options, bool bf16) {
  uad::FitContext made;
  made.method = "uf-gan";
  made.options = uad::complete_options(uad::models::find_method("uf-gan").options,
                                       {{"size", options.size},
                                        {"win_size", options.size},
                                        {"amp", bf16},
                                        {"recompute", options.recompute}});
  made.execution.precision = bf16 ? "bf16" : "fp32";
  return made;
}

/// A learner and the batch that it sees again and again.
struct Ours {
  Ours(const Options& options, bool bf16, const at::Tensor& images)
      : with(context(options, bf16)),
        learner(Settings(with.options), with, {images, at::zeros({images.size(0)}), {}, {}}) {
    batch.images = images.contiguous(at::MemoryFormat::ChannelsLast);
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      batch.draws.push_back({static_cast<std::size_t>(i), static_cast<std::uint64_t>(i)});
    }
  }
  void step() {
    const c10::AutoGradMode gradients(true);
    (void)learner.step(batch, 0.002);
  }
  uad::FitContext with;
  MuraLearner learner;
  uad::Batch batch;
};

/// A row of figures, and their ratios to the first at the end.
class Table {
 public:
  explicit Table(const char* unit) : unit_(unit) {}
  void add(const std::array<double, 3>& now) {
    for (std::size_t i = 0; i < 3; ++i) rates_[i].push_back(now[i]);
    fmt::print("plain {:6.2f}  fp32 {:6.2f}  bf16 {:6.2f} {}\n", now[0], now[1], now[2], unit_);
  }
  void finish() const {
    const double plain = median(rates_[0]);
    fmt::print("medians: plain {:.2f} {}, fp32 {:.2f}x, bf16 {:.2f}x\n", plain, unit_,
               median(rates_[1]) / plain, median(rates_[2]) / plain);
  }

 private:
  const char* unit_;
  std::array<std::vector<double>, 3> rates_;
};

void bench_training(const Options& options) {
  const at::Tensor images = at::rand({options.batch, 3, options.size, options.size}) - 0.5;
  Plain plain(options);
  Ours fp32(options, false, images);
  Ours bf16(options, true, images);
  Table table("steps/s");
  for (int round = -1; round < options.rounds; ++round) {  // the first one warms up
    const std::array<double, 3> now{per_second(2, [&] { plain.step(images); }),
                                    per_second(2, [&] { fp32.step(); }),
                                    per_second(2, [&] { bf16.step(); })};
    if (round >= 0) table.add(now);
  }
  table.finish();
}

void bench_use(const Options& options) {
  constexpr int kFrames = 10;
  const at::Tensor images = at::rand({2, 3, options.size, options.size}) - 0.5;
  const uad::Tiles frame{.images = images.contiguous(at::MemoryFormat::ChannelsLast),
                         .windows = 2,
                         .frame_means = at::zeros({2})};
  const Plain plain(options);
  const auto model = [&](bool bf16) {
    Ours ours(options, bf16, images);
    return ours.learner.model();
  };
  const auto fp32 = model(false);
  const auto bf16 = model(true);
  Table table("frames/s");
  for (int round = -1; round < options.rounds; ++round) {
    const std::array<double, 3> now{per_second(kFrames, [&] { (void)plain.score(images); }),
                                    per_second(kFrames, [&] { (void)fp32->predict(frame); }),
                                    per_second(kFrames, [&] { (void)bf16->predict(frame); })};
    if (round >= 0) table.add(now);
  }
  table.finish();
}

/// Training alone, before anything else has taken memory.
void measure_memory(const Options& options) {
  const at::Tensor images = at::rand({options.batch, 3, options.size, options.size}) - 0.5;
  Ours fp32(options, false, images);
  for (int i = 0; i < 3; ++i) fp32.step();
  fmt::print("training at batch {}, fp32: peak of the process {} MB\n", options.batch,
             uad::peak_memory() >> 20);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    if (key == "--size") options.size = std::stol(argv[i + 1]);
    if (key == "--batch") options.batch = std::stol(argv[i + 1]);
    if (key == "--rounds") options.rounds = std::stoi(argv[i + 1]);
    if (key == "--threads") options.threads = std::stoi(argv[i + 1]);
    if (key == "--recompute") options.recompute = std::stoi(argv[i + 1]) != 0;
  }
  uad::use_threads(options.threads);
  measure_memory(options);
  if (options.rounds == 0) return 0;
  bench_training(options);
  bench_use(options);
  return 0;
}
