// SPDX-License-Identifier: LGPL-2.1-or-later
// What a method costs: the fit of N images, and the prediction of a batch.
//
// Run: build/benchmarks/methods-bench fit|frame [--method patchcore] [--backbone resnet18]
//        [--threads 1] [--weights-dir DIR] [--data FOLDER] [--images N] [--size 256]
//        [--precision fp32] [--batch 1] [--ratio 0.1]
//   fit    N images of FOLDER (all where N is not given; further ones are shifted copies with noise
//          of their own), else of noise, with the method's defaults: seconds, peak memory
//   frame  PatchCore against a bank of all patches of N images (6 of 256x256 make 6,144 vectors),
//          PaDiM with 100 features, STFPM after one step. Numbers on standard input are answered by
//          milliseconds a batch, see measuring.h; benchmarks/run asks.
#include <map>
#include <stdexcept>
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

class Settings {
 public:
  Settings(int count, char** words) {
    for (int i = 2; i + 1 < count; i += 2) values_.at(words[i]) = words[i + 1];
  }
  [[nodiscard]] const std::string& text(const std::string& name) const { return values_.at(name); }
  [[nodiscard]] int number(const std::string& name) const { return std::stoi(values_.at(name)); }
  [[nodiscard]] double real(const std::string& name) const { return std::stod(values_.at(name)); }

 private:
  std::map<std::string, std::string> values_{{"--method", "patchcore"},
                                             {"--backbone", "resnet18"},
                                             {"--threads", "1"},
                                             {"--weights-dir", ""},
                                             {"--data", ""},
                                             {"--images", "0"},
                                             {"--size", "256"},
                                             {"--precision", "fp32"},
                                             {"--batch", "1"},
                                             {"--ratio", "0.1"}};
};

std::unique_ptr<uad::Fitter> make_fitter(const Settings& settings, nlohmann::json options) {
  const auto& method = uad::models::find_method(settings.text("--method"));
  options["backbone"] = settings.text("--backbone");
  uad::FitContext context;
  context.method = method.name;
  context.options = uad::complete_options(method.options, options);
  context.weights_dir = settings.text("--weights-dir");
  context.execution = {"cpu", settings.text("--precision")};
  return method.make_fitter(context);
}

// Network inputs of one size: files cut like everywhere else.
std::vector<at::Tensor> images_of(const std::string& folder, int size, std::size_t most) {
  std::vector<at::Tensor> images;
  const uad::TilePreprocessor preprocessor({.spec = {.resize = {size, size}}});
  const auto source = uad::open_images(uad::list_dataset(folder).train);
  while (images.size() < most) {
    const auto frame = source->next();
    if (!frame) break;
    const auto tiles = preprocessor.cut(frame->view);
    images.push_back(dynamic_cast<const uad::TensorTiles&>(*tiles).images());
  }
  return images;
}

/// @param otherwise  how many, where --images says nothing.
std::vector<at::Tensor> images(const Settings& settings, std::size_t otherwise) {
  const int size = settings.number("--size");
  const auto asked = static_cast<std::size_t>(settings.number("--images"));
  const std::size_t wanted = asked > 0 ? asked : otherwise;
  std::vector<at::Tensor> images;
  if (!settings.text("--data").empty()) {
    images = images_of(settings.text("--data"), size, wanted);
    if (asked == 0) return images;
  }
  const std::size_t real = images.size();
  for (std::size_t i = real; i < wanted; ++i) {
    const at::Tensor noise = at::randn({1, 3, size, size});
    if (real == 0) {
      images.push_back(noise);
      continue;
    }
    const auto shift = static_cast<std::int64_t>(7 * (i / real));
    images.push_back(images[i % real].roll({shift, shift}, {2, 3}) + noise * 0.05);
  }
  return images;
}

void bench_fit(const Settings& settings) {
  const auto all = images(settings, settings.text("--data").empty() ? 60 : SIZE_MAX);
  const double start = seconds();
  const auto fitter =
      make_fitter(settings, settings.text("--method") == "patchcore"
                                ? nlohmann::json{{"k", settings.real("--ratio") * 100}}
                                : nlohmann::json::object());
  for (const at::Tensor& image : all) fitter->observe({image});
  const double observed = seconds();
  static_cast<void>(fitter->finish({}));
  fmt::print("fit of {} images: {:.2f} s ({:.2f} s of it to finish), peak {} MB\n", all.size(),
             seconds() - start, seconds() - observed, uad::peak_memory() >> 20);
}

std::unique_ptr<uad::AnomalyModel> frame_model(const Settings& settings) {
  static const std::map<std::string, nlohmann::json> kOptions{
      {"patchcore", {{"k", 100}}},
      {"padim", {{"n_features", 100}}},
      {"stfpm", {{"epochs", 1}, {"batch_size", 2}}}};
  const auto fitter = make_fitter(settings, kOptions.at(settings.text("--method")));
  for (const at::Tensor& image : images(settings, 6)) fitter->observe({image});
  return fitter->finish({});
}

void bench_frame(const Settings& settings) {
  const auto model = frame_model(settings);
  const auto size = settings.number("--size");
  const at::Tensor batch = at::randn({settings.number("--batch"), 3, size, size});
  uad::benchmarks::answer_with_medians([&] { static_cast<void>(model->predict({batch})); });
}

}  // namespace

int main(int count, char** words) try {
  const std::string task = count > 1 ? words[1] : "";
  const Settings settings(count, words);
  uad::use_threads(settings.number("--threads"));
  if (task == "fit") {
    bench_fit(settings);
  } else if (task == "frame") {
    bench_frame(settings);
  } else {
    throw std::runtime_error("usage: methods-bench fit|frame [OPTIONS]; see its source");
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
