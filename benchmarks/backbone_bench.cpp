// SPDX-License-Identifier: LGPL-2.1-or-later
// One backbone to layer 3 as the methods use it, to be timed in turns with other runtimes.
//
// Run: build/benchmarks/backbone-bench [--backbone resnet18] --weights-dir DIR [--shape 1,224,224]
//        [--input FILE] [--output FILE] [--precision fp32] [--threads 1]
//   Images of --shape N,H,W: float32 [N, 3, H, W] as they lie in memory in the file of --input,
//   else noise. The file of --output receives layer1, layer2 and layer3 after one another, float32
//   in NCHW. Numbers on standard input are answered by milliseconds, see measuring.h;
//   benchmarks/run asks.
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "benchmarks/measuring.h"
#include "core/exec/compute_type.h"
#include "core/exec/thread_pool.h"
#include "models/backbones/backbones.h"

namespace {

using Settings = std::map<std::string, std::string>;

at::Tensor read_images(const Settings& settings) {
  std::istringstream shape(settings.at("--shape"));
  std::int64_t count = 0, height = 0, width = 0;
  char comma = 0;
  shape >> count >> comma >> height >> comma >> width;
  at::Tensor images = at::randn({count, 3, height, width});
  const std::string file = settings.at("--input");
  if (file.empty()) return images;
  std::ifstream in(file, std::ios::binary);
  in.read(static_cast<char*>(images.data_ptr()), static_cast<std::streamsize>(images.nbytes()));
  if (!in) throw std::runtime_error(file + " does not hold so many values.");
  return images;
}

void write_features(const std::vector<at::Tensor>& features, const std::string& file) {
  std::ofstream out(file, std::ios::binary);
  for (const at::Tensor& feature : features) {
    const at::Tensor plain = feature.to(at::kFloat).contiguous();
    out.write(static_cast<const char*>(plain.data_ptr()),
              static_cast<std::streamsize>(plain.nbytes()));
  }
  if (!out) throw std::runtime_error(file + " cannot be written.");
}

void serve(const Settings& settings) {
  const std::string& name = settings.at("--backbone");
  const auto weights = uad::models::find_backbone_weights(name, settings.at("--weights-dir"));
  const auto backbone = uad::models::make_backbone(name, "layer1,layer2,layer3", weights,
                                                   {"cpu", settings.at("--precision")});
  const uad::ComputeScope scope;
  const at::Tensor images = read_images(settings);
  const auto features = backbone->features(images);
  if (const std::string& file = settings.at("--output"); !file.empty()) {
    write_features(features, file);
  }
  uad::benchmarks::answer_with_medians([&] { static_cast<void>(backbone->features(images)); });
}

}  // namespace

int main(int count, char** words) try {
  Settings settings{{"--backbone", "resnet18"}, {"--weights-dir", ""}, {"--input", ""},
                    {"--shape", "1,224,224"},   {"--output", ""},      {"--precision", "fp32"},
                    {"--threads", "1"}};
  for (int i = 1; i + 1 < count; i += 2) settings.at(words[i]) = words[i + 1];
  uad::use_threads(std::stoi(settings.at("--threads")));
  serve(settings);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
