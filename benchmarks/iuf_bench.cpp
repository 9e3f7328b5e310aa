// SPDX-License-Identifier: LGPL-2.1-or-later
// IUF against plain LibTorch modules of the same network: frames in use and training steps per
// second, and the memory of the process at its peak.
//
// Run: build/benchmarks/iuf-bench --weights-dir W [--size 224] [--patch 16] [--batch 8] [--rounds
// 5]
// [--threads 2]
// --patch 1 is the exact stem, whose plain form is shown one image at a time. With --rounds 0 the
// memory of training alone is measured. One line a round, the contestants in turns:
//   plain   torch::nn modules, every layer by itself in NCHW, softmax by hand, torch::optim::AdamW
//   fp32    ours: fused convolutions and attention, the exact stem in chunks, fused updates; in
//           training the features of the backbone are kept
//   bf16    the same with precision bf16, in use only
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <torch/nn.h>
#include <torch/optim/adamw.h>

#include "benchmarks/measuring.h"
#include "core/exec/thread_pool.h"
#include "core/tuning/machine.h"
#include "models/backbones/backbones.h"
#include "models/iuf/learner.h"
#include "models/iuf/model.h"
#include "models/iuf/neck.h"
#include "models/iuf/scoring.h"
#include "models/registry.h"

namespace {

using namespace uad::models::iuf;  // NOLINT: all of it is about this method
using uad::benchmarks::median;
using uad::benchmarks::per_second;
using uad::benchmarks::seconds;
namespace nn = torch::nn;

struct Options {
  std::string weights_dir;
  std::int64_t size = 224;
  std::int64_t patch = 16;
  std::int64_t batch = 8;
  int rounds = 5;
  int threads = 2;
};

constexpr std::int64_t kClasses = 5;

/// EfficientNet-B4 to block 21, layer by layer, from torchvision's tensors.
class PlainBackbone {
 public:
  explicit PlainBackbone(uad::TensorMap weights) : weights_(std::move(weights)) {}

  std::vector<at::Tensor> operator()(const at::Tensor& images) const {
    struct Stage {
      int blocks;
      std::int64_t kernel;
      std::int64_t stride;
      bool tapped;
    };
    constexpr Stage kStages[]{
        {2, 3, 1, true}, {4, 3, 2, true}, {4, 5, 2, true}, {6, 3, 2, false}, {6, 5, 1, true}};
    at::Tensor x = at::silu(normed("features.0", images, 2, 1, 1));
    std::vector<at::Tensor> taps;
    int number = 1;
    for (const Stage& stage : kStages) {
      for (int i = 0; i < stage.blocks; ++i) {
        x = block(fmt::format("features.{}.{}.block.", number, i), x, number > 1, stage.kernel,
                  i == 0 ? stage.stride : 1);
      }
      if (stage.tapped) taps.push_back(x);
      ++number;
    }
    return taps;
  }

 private:
  at::Tensor normed(const std::string& name, const at::Tensor& x, std::int64_t stride,
                    std::int64_t padding, std::int64_t groups) const {
    const auto of = [&](const char* part) { return weights_.at(name + part); };
    return at::batch_norm(at::conv2d(x, of(".0.weight"), {}, stride, padding, 1, groups),
                          of(".1.weight"), of(".1.bias"), of(".1.running_mean"),
                          of(".1.running_var"), false, 0.1, 1e-5, true);
  }
  at::Tensor block(const std::string& name, const at::Tensor& x, bool expands, std::int64_t kernel,
                   std::int64_t stride) const {
    int step = 0;
    const auto next = [&] { return name + std::to_string(step++); };
    at::Tensor y = expands ? at::silu(normed(next(), x, 1, 0, 1)) : x;
    y = at::silu(normed(next(), y, stride, kernel / 2, y.size(1)));
    const std::string gate = next();
    const auto squeeze = [&](const char* part, const at::Tensor& z) {
      return at::conv2d(z, weights_.at(gate + part + ".weight"),
                        weights_.at(gate + part + ".bias"));
    };
    y = y * squeeze(".fc2", at::silu(squeeze(".fc1", y.mean({2, 3}, true)))).sigmoid();
    y = normed(next(), y, 1, 0, 1);
    return y.sizes() == x.sizes() ? y + x : y;
  }
  uad::TensorMap weights_;
};

struct RowBlockImpl : nn::Module {
  nn::LayerNorm norm1{register_module("norm1", nn::LayerNorm(nn::LayerNormOptions({kHidden})))};
  nn::LayerNorm norm2{register_module("norm2", nn::LayerNorm(nn::LayerNormOptions({kHidden})))};
  nn::Linear query{register_module("query", nn::Linear(kHidden, kHidden))};
  nn::Linear key{register_module("key", nn::Linear(kHidden, kHidden))};
  nn::Linear value{register_module("value", nn::Linear(kHidden, kHidden))};
  nn::Linear out{register_module("out", nn::Linear(kHidden, kHidden))};
  nn::Linear inner{register_module("inner", nn::Linear(kHidden, 128))};
  nn::Linear outer{register_module("outer", nn::Linear(128, kHidden))};

  /// @param x  [B * H, W, 256].
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = norm1(x);
    const auto heads = [&](nn::Linear& part) {
      return part(y).view({x.size(0), x.size(1), 4, 64}).transpose(1, 2);
    };
    const at::Tensor scores = at::matmul(heads(query), heads(key).transpose(2, 3)) / 8;
    const at::Tensor seen =
        at::matmul(scores.softmax(3), heads(value)).transpose(1, 2).reshape(x.sizes());
    const at::Tensor z = x + out(seen);
    return z + outer(at::gelu(inner(norm2(z))));
  }
};
TORCH_MODULE(RowBlock);

nn::MultiheadAttention attention() {
  return nn::MultiheadAttention(nn::MultiheadAttentionOptions(kHidden, 8).dropout(0.1));
}

struct LayerImpl : nn::Module {
  explicit LayerImpl(bool decodes, std::int64_t tokens) {
    first = register_module("first", attention());
    if (decodes) {
      second = register_module("second", attention());
      queries = register_parameter("queries", at::randn({tokens, 1, kHidden}));
    }
    for (int i = 0; i < (decodes ? 3 : 2); ++i) {
      norms->push_back(nn::LayerNorm(nn::LayerNormOptions({kHidden})));
    }
    register_module("norms", norms);
  }
  at::Tensor norm(std::size_t i, const at::Tensor& x) {
    return norms->ptr<nn::LayerNormImpl>(i)->forward(x);
  }
  at::Tensor feed_forward(std::size_t behind, const at::Tensor& x) {
    return norm(behind, x + drop(linear2(drop(at::relu(linear1(x))))));
  }
  at::Tensor encode(const at::Tensor& x, const at::Tensor& position, const at::Tensor& condition) {
    const at::Tensor placed = x + position;
    return feed_forward(
        1,
        norm(0, x + drop(std::get<0>(first(placed * condition, placed, x, at::Tensor(), false)))));
  }
  at::Tensor decode(const at::Tensor& memory, const at::Tensor& last, const at::Tensor& position) {
    const at::Tensor query = (queries + position).expand({-1, memory.size(1), -1});
    const at::Tensor y = norm(
        0,
        queries + drop(std::get<0>(first(query, memory + position, memory, at::Tensor(), false))));
    const at::Tensor z = norm(
        1, y + drop(std::get<0>(second(y + position, last + position, last, at::Tensor(), false))));
    return feed_forward(2, z);
  }
  nn::MultiheadAttention first{nullptr};
  nn::MultiheadAttention second{nullptr};
  at::Tensor queries;
  nn::ModuleList norms;
  nn::Linear linear1{register_module("linear1", nn::Linear(kHidden, 1024))};
  nn::Linear linear2{register_module("linear2", nn::Linear(1024, kHidden))};
  nn::Dropout drop{register_module("drop", nn::Dropout(0.1))};
};
TORCH_MODULE(Layer);

/// Classifier and transformer.
struct PlainImpl : nn::Module {
  explicit PlainImpl(const Options& options)
      : side(options.size / kCellSide), patch(options.patch) {
    conv = register_module(
        "conv",
        nn::Conv2d(nn::Conv2dOptions(3, kHidden, options.patch).stride(options.patch).bias(false)));
    position = register_parameter("position", at::rand({side * side, 1, kHidden}));
    for (int i = 0; i < kLayers; ++i) {
      blocks->push_back(RowBlock());
      encoder->push_back(Layer(false, side * side));
      decoder->push_back(Layer(true, side * side));
    }
    register_module("blocks", blocks);
    register_module("encoder", encoder);
    register_module("decoder", decoder);
  }

  struct Answer {
    at::Tensor rebuilt;  // [T, B, 272]
    at::Tensor classes;
    std::vector<at::Tensor> decoded;
  };
  Answer forward(const at::Tensor& images, const at::Tensor& tokens) {
    const std::int64_t batch = images.size(0);
    const at::Tensor map = at::relu(norm(conv(images))).permute({0, 2, 3, 1});
    const std::int64_t height = map.size(1);
    const std::int64_t width = map.size(2);
    at::Tensor x = map.reshape({batch * height, width, kHidden});
    std::vector<at::Tensor> conditions;
    for (int i = 0; i < kLayers; ++i) {
      x = blocks->ptr<RowBlockImpl>(i)->forward(x);
      const at::Tensor grid =
          x.detach().view({batch, height, width, kHidden}).permute({0, 3, 1, 2});
      conditions.push_back(
          at::adaptive_avg_pool2d(grid, {side, side}).flatten(2).permute({2, 0, 1}));
    }
    Answer answer;
    answer.classes = head2(at::relu(head1(x.view({batch, height * width, kHidden}).mean(1))));
    at::Tensor memory = in(tokens);
    for (int i = 0; i < kLayers; ++i) {
      memory = encoder->ptr<LayerImpl>(i)->encode(memory, position, conditions[i]);
    }
    at::Tensor y = memory;
    for (int i = 0; i < kLayers; ++i) {
      y = decoder->ptr<LayerImpl>(i)->decode(memory, y, position);
      answer.decoded.push_back(final_norm(y));
    }
    answer.rebuilt = out(answer.decoded.back());
    return answer;
  }

  std::int64_t side;
  std::int64_t patch;
  nn::Conv2d conv{nullptr};
  nn::BatchNorm2d norm{register_module("norm", nn::BatchNorm2d(kHidden))};
  nn::ModuleList blocks;
  nn::Linear head1{register_module("head1", nn::Linear(kHidden, kHidden))};
  nn::Linear head2{register_module("head2", nn::Linear(kHidden, kClasses))};
  at::Tensor position;
  nn::ModuleList encoder;
  nn::ModuleList decoder;
  nn::Linear in{register_module("in", nn::Linear(272, kHidden))};
  nn::Linear out{register_module("out", nn::Linear(kHidden, 272))};
  nn::LayerNorm final_norm{
      register_module("final_norm", nn::LayerNorm(nn::LayerNormOptions({kHidden})))};
};
TORCH_MODULE(Plain);

at::Tensor weak_share_by_svd(const at::Tensor& rows) {
  const at::Tensor values = std::get<1>(at::linalg_svd(rows, false));
  const at::Tensor shares = values / values.sum();
  return (shares * (shares.detach() < 0.1 / 256)).sum();
}

uad::FitContext context(const Options& options, const std::string& precision = "fp32") {
  uad::FitContext made;
  made.method = "iuf";
  made.weights_dir = options.weights_dir;
  made.options = uad::complete_options(
      uad::models::find_method("iuf").options,
      {{"oasa_patch_size", options.patch}, {"batch_size", options.batch}, {"amp", false}});
  made.execution.precision = precision;
  return made;
}

Knowledge fresh(const Options& options) {
  const Settings settings(context(options).options);
  Knowledge knowledge;
  knowledge.shape = settings.shape(272, kClasses, options.size, options.size);
  knowledge.weights = initial_weights(knowledge.shape, 1);
  knowledge.memory.resize(constrained_layers().size());
  for (std::int64_t i = 0; i < kClasses; ++i) {
    knowledge.products.push_back({fmt::format("product {}", i), {}, {}});
  }
  return knowledge;
}

at::Tensor images_of(const Options& options, std::int64_t count) {
  return at::randn({count, 3, options.size, options.size});
}

/// A learner and the batch that it sees again and again.
struct Ours {
  explicit Ours(const Options& options)
      : with(context(options)), features(with), images(images_of(options, options.batch)) {
    const c10::NoGradGuard no_gradients;
    batch.images = images.contiguous(at::MemoryFormat::ChannelsLast);
    batch.labels = at::arange(options.batch) % kClasses;
    for (std::int64_t i = 0; i < options.batch; ++i) {
      batch.draws.push_back({static_cast<std::size_t>(i), 0});
    }
    known = features(batch.images).clone();
    learner = std::make_unique<IufLearner>(
        Settings(with.options), with, features,
        IufLearner::Task{.start = fresh(options), .steps_per_epoch = 30, .features = known});
  }
  void step() {
    const c10::AutoGradMode gradients(true);
    (void)learner->step(batch, 1e-4);
  }
  uad::FitContext with;
  Features features;
  at::Tensor images;
  uad::Batch batch;
  at::Tensor known;
  std::unique_ptr<IufLearner> learner;
};

/// A row of figures, and their ratios to the first at the end.
class Table {
 public:
  Table(const char* unit, std::vector<const char*> names) : unit_(unit), names_(std::move(names)) {
    rates_.resize(names_.size());
  }
  void add(const std::vector<double>& now) {
    for (std::size_t i = 0; i < now.size(); ++i) {
      rates_[i].push_back(now[i]);
      fmt::print("{} {:7.3f}  ", names_[i], now[i]);
    }
    fmt::print("{}\n", unit_);
  }
  void finish() const {
    const double plain = median(rates_[0]);
    fmt::print("medians: plain {:.3f} {}", plain, unit_);
    for (std::size_t i = 1; i < rates_.size(); ++i) {
      fmt::print(", {} {:.2f}x", names_[i], median(rates_[i]) / plain);
    }
    fmt::print("\n");
  }

 private:
  const char* unit_;
  std::vector<const char*> names_;
  std::vector<std::vector<double>> rates_;
};

void bench_training(const Options& options) {
  Ours ours(options);
  Plain plain(options);
  const PlainBackbone backbone(
      uad::models::find_backbone_weights("efficientnet_b4", options.weights_dir).tensors);
  torch::optim::AdamW adam(plain->parameters(),
                           torch::optim::AdamWOptions(1e-4).weight_decay(1e-4));
  std::vector<std::vector<at::Tensor>> rows(3);
  const auto plain_step = [&] {
    const c10::AutoGradMode gradients(true);
    const at::Tensor aligned = [&] {  // as the published program: anew in every step
      const c10::NoGradGuard frozen;
      return align_features(backbone(ours.images), options.size / kCellSide,
                            options.size / kCellSide);
    }();
    const at::Tensor tokens = as_tokens(aligned);
    const at::Tensor noise =
        at::randn_like(tokens) * at::linalg_vector_norm(tokens, 2, {2}, true) * (20.0 / 272);
    const auto answer = plain->forward(ours.images, tokens + noise);
    at::Tensor loss = (answer.rebuilt - tokens).square().mean() +
                      at::cross_entropy_loss(answer.classes, ours.batch.labels);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const at::Tensor row = answer.decoded[i].mean(0);
      if (rows[i].size() == 30) rows[i].clear();
      std::vector<at::Tensor> all = rows[i];
      all.push_back(row);
      loss = loss + 10.0 / 3 * weak_share_by_svd(at::cat(all));
      rows[i].push_back(row.detach());
    }
    adam.zero_grad();
    loss.backward();
    nn::utils::clip_grad_norm_(plain->parameters(), 0.1);
    adam.step();
  };
  Table table("steps/s", {"plain", "fp32"});
  for (int round = -1; round < options.rounds; ++round) {  // the first one warms up
    const std::vector<double> now{per_second(2, plain_step), per_second(2, [&] { ours.step(); })};
    if (round >= 0) table.add(now);
  }
  table.finish();
}

void bench_use(const Options& options) {
  const int frames = options.patch == 1 ? 1 : 8;
  const at::Tensor image = images_of(options, 1);
  const uad::Tiles tile{.images = image.contiguous(at::MemoryFormat::ChannelsLast)};
  Plain plain(options);
  plain->eval();
  const PlainBackbone backbone(
      uad::models::find_backbone_weights("efficientnet_b4", options.weights_dir).tensors);
  const auto plainly = [&] {
    const c10::InferenceMode inference;
    const std::int64_t side = options.size / kCellSide;
    const at::Tensor aligned = align_features(backbone(image), side, side);
    const at::Tensor rebuilt = plain->forward(image, as_tokens(aligned))
                                   .rebuilt.permute({1, 2, 0})
                                   .unflatten(2, {side, side});
    (void)pooled_maximum(anomaly_map(rebuilt, aligned, options.size, options.size));
  };
  const auto model = [&](const std::string& precision) {
    const uad::FitContext with = context(options, precision);
    return IufModel(Settings(with.options), Features(with), fresh(options), {}, with.execution);
  };
  const IufModel fp32 = model("fp32");
  const IufModel bf16 = model("bf16");
  Table table("images/s", {"plain", "fp32", "bf16"});
  for (int round = -1; round < options.rounds; ++round) {
    const std::vector<double> now{per_second(frames, plainly),
                                  per_second(frames, [&] { (void)fp32.predict(tile); }),
                                  per_second(frames, [&] { (void)bf16.predict(tile); })};
    if (round >= 0) table.add(now);
  }
  table.finish();
}

/// Training alone, before anything else has taken memory.
void measure_memory(const Options& options) {
  Ours ours(options);
  const double start = seconds();
  for (int i = 0; i < 2; ++i) ours.step();
  fmt::print("training at batch {}, stem {}, {}x{}: {:.2f} s a step, peak of the process {} MB\n",
             options.batch, options.patch, options.size, options.size, (seconds() - start) / 2,
             uad::peak_memory() >> 20);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    if (key == "--weights-dir") options.weights_dir = argv[i + 1];
    if (key == "--size") options.size = std::stol(argv[i + 1]);
    if (key == "--patch") options.patch = std::stol(argv[i + 1]);
    if (key == "--batch") options.batch = std::stol(argv[i + 1]);
    if (key == "--rounds") options.rounds = std::stoi(argv[i + 1]);
    if (key == "--threads") options.threads = std::stoi(argv[i + 1]);
  }
  uad::use_threads(options.threads);
  measure_memory(options);
  if (options.rounds == 0) return 0;
  bench_use(options);
  if (options.patch == 16) bench_training(options);
  return 0;
}
