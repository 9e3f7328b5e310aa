// SPDX-License-Identifier: LGPL-2.1-or-later
// What a method costs: the fit of N images, and one frame in float32 and bfloat16.
//
// Run: build/benchmarks/methods-bench fit|frame [--method patchcore|padim] [--backbone resnet18]
//        [--threads 2] [--weights-dir DIR] [--data FOLDER]
//   fit    the images of FOLDER (256x256, else the method's defaults), else 60 of noise: seconds,
//          peak memory
//   frame  256x256, PatchCore against a bank of 6,144 vectors, PaDiM with 100 features:
//          milliseconds, one line a round; rounds end with standard input, so that another program
//          can be measured in turns with this one (benchmarks/peer_anomalib.py does)
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "benchmarks/measuring.h"
#include "core/data/dataset.h"
#include "core/data/image_source.h"
#include "core/exec/thread_pool.h"
#include "core/preprocessor.h"
#include "core/tuning/machine.h"
#include "models/registry.h"

namespace {

using uad::benchmarks::seconds;

struct Settings {
  std::string task;
  std::string method = "patchcore";
  std::string backbone = "resnet18";
  std::string weights_dir;
  std::string data;
  int threads = 2;
};

double peak_mb() { return static_cast<double>(uad::peak_memory()) / (1 << 20); }

std::unique_ptr<uad::Fitter> make_fitter(const Settings& settings, const std::string& precision,
                                         const nlohmann::json& more) {
  const auto& method = uad::models::find_method(settings.method);
  nlohmann::json options = more;
  options["backbone"] = settings.backbone;
  uad::FitContext context;
  context.method = settings.method;
  context.options = uad::complete_options(method.options, options);
  context.weights_dir = settings.weights_dir;
  context.execution = {"cpu", precision};
  return method.make_fitter(context);
}

// Network inputs: files cut like everywhere else, or noise.
std::vector<at::Tensor> training_images(const Settings& settings) {
  std::vector<at::Tensor> images;
  if (settings.data.empty()) {
    for (int i = 0; i < 60; ++i) images.push_back(at::randn({1, 3, 256, 256}));
    return images;
  }
  const uad::TilePreprocessor preprocessor({});
  const auto source = uad::open_images(uad::list_dataset(settings.data).train);
  while (const auto frame = source->next()) {
    const auto tiles = preprocessor.cut(frame->view);
    images.push_back(dynamic_cast<const uad::TensorTiles&>(*tiles).images());
  }
  return images;
}

void bench_fit(const Settings& settings) {
  const auto images = training_images(settings);
  const double start = seconds();
  const auto fitter = make_fitter(settings, "fp32", nlohmann::json::object());
  for (const at::Tensor& image : images) fitter->observe({image});
  const double observed = seconds();
  static_cast<void>(fitter->finish({}));
  fmt::print("fit of {} images: {:.1f} s ({:.1f} s of it to finish), peak {:.0f} MB\n",
             images.size(), seconds() - start, seconds() - observed, peak_mb());
}

// PatchCore: a bank of exactly 6,144 vectors, what 60 images give at 10 percent.
std::unique_ptr<uad::AnomalyModel> frame_model(const Settings& settings,
                                               const std::string& precision) {
  const bool patchcore = settings.method == "patchcore";
  const auto fitter =
      make_fitter(settings, precision,
                  patchcore ? nlohmann::json{{"k", 100}} : nlohmann::json{{"n_features", 100}});
  auto images = training_images(settings);
  images.resize(std::min<std::size_t>(images.size(), 6));
  for (const at::Tensor& image : images) fitter->observe({image});
  return fitter->finish({});
}

double median_ms(const uad::AnomalyModel& model, const at::Tensor& image, int times) {
  std::vector<double> taken;
  for (int i = 0; i < times; ++i) {
    const double start = seconds();
    static_cast<void>(model.predict({image}));
    taken.push_back((seconds() - start) * 1e3);
  }
  std::nth_element(taken.begin(), taken.begin() + times / 2, taken.end());
  return taken[times / 2];
}

void bench_frame(const Settings& settings) {
  const auto fp32 = frame_model(settings, "fp32");
  const auto bf16 = frame_model(settings, "bf16");
  const at::Tensor image = training_images(settings).back();
  for (const auto* model : {fp32.get(), bf16.get()}) median_ms(*model, image, 5);
  std::string line;
  do {
    fmt::print("fp32 {:.2f} ms, bf16 {:.2f} ms, peak {:.0f} MB\n", median_ms(*fp32, image, 9),
               median_ms(*bf16, image, 9), peak_mb());
    std::cout.flush();
  } while (std::getline(std::cin, line));
}

Settings parse(int count, char** words) {
  Settings settings;
  if (count > 1) settings.task = words[1];
  for (int i = 2; i + 1 < count; i += 2) {
    const std::string name = words[i];
    if (name == "--method") settings.method = words[i + 1];
    if (name == "--backbone") settings.backbone = words[i + 1];
    if (name == "--threads") settings.threads = std::stoi(words[i + 1]);
    if (name == "--weights-dir") settings.weights_dir = words[i + 1];
    if (name == "--data") settings.data = words[i + 1];
  }
  return settings;
}

}  // namespace

int main(int count, char** words) try {
  const Settings settings = parse(count, words);
  uad::use_threads(settings.threads);
  if (settings.task == "fit") {
    bench_fit(settings);
  } else if (settings.task == "frame") {
    bench_frame(settings);
  } else {
    fmt::print(stderr,
               "usage: methods-bench fit|frame [--method NAME] [--backbone NAME] [--threads N] "
               "[--weights-dir DIR] [--data FOLDER]\n");
    return 2;
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
