// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/backbones.h"

#include <algorithm>
#include <cstdlib>
#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/exec/compute_type.h"
#include "core/files/sha256.h"
#include "core/files/state_dict.h"
#include "models/backbones/efficientnet.h"
#include "models/backbones/gabor.h"
#include "models/backbones/mobilenet_v2.h"
#include "models/backbones/resnet.h"
#include "models/backbones/squeezenet.h"
#include "models/backbones/vgg16.h"

namespace uad::models {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "backbone.";  // of its tensors in a model file

struct Row {
  std::string name;
  bool needs_weights;
  std::vector<LayerInfo> layers;  // finest first
  std::function<std::unique_ptr<Backbone>(const BackboneWeights&, std::vector<LayerInfo>,
                                          const Execution&)>
      make;
};

// Networks whose constructors take the same arguments.
template <class Network, class... Shape>
Row network(std::string name, std::vector<LayerInfo> layers, const Shape&... shape) {
  return {std::move(name), true, std::move(layers),
          [shape...](const BackboneWeights& weights, std::vector<LayerInfo> chosen,
                     const Execution& execution) {
            return std::make_unique<Network>(shape..., weights.tensors, weights.origin,
                                             std::move(chosen), compute_options(execution));
          }};
}

std::vector<Row> make_table() {
  std::vector<Row> rows;
  for (const EfficientNetShape& shape : efficientnet_shapes()) {
    rows.push_back(network<EfficientNet>(shape.name, efficientnet_layers(shape), shape,
                                         EfficientNet::Options{.bn_eps = shape.bn_eps}));
  }
  rows.push_back(
      {"gabor", false, gabor_layers(),
       [](const BackboneWeights&, std::vector<LayerInfo> layers, const Execution& execution) {
         return std::make_unique<Gabor>(std::move(layers), compute_options(execution).device());
       }});
  rows.push_back(network<MobileNetV2>("mobilenet_v2", mobilenet_v2_layers()));
  for (const ResNetShape& shape : resnet_shapes()) {
    rows.push_back(network<ResNet>(shape.name, resnet_layers(shape), shape));
  }
  rows.push_back(network<SqueezeNet>("squeezenet1_1", squeezenet_layers()));
  rows.push_back(network<Vgg16>("vgg16", vgg16_layers()));
  return rows;
}

const std::vector<Row>& table() {
  static const std::vector<Row> rows = make_table();
  return rows;
}

const Row& find_row(const std::string& name) {
  for (const Row& row : table()) {
    if (row.name == name) return row;
  }
  throw Error(ErrorCode::kBadOption, fmt::format("Backbone \"{}\" is unknown, expected one of {}.",
                                                 name, fmt::join(backbone_names(), ", ")));
}

// "resnet18.pth", "resnet18-f37072fd.pth", "resnet18_imagenet.safetensors", not "resnet180.pth".
bool is_weight_file(const fs::path& file, const std::string& backbone) {
  const std::string stem = file.stem().string();
  const std::string extension = file.extension().string();
  if (extension != ".pth" && extension != ".pt" && extension != ".safetensors") return false;
  if (!stem.starts_with(backbone)) return false;
  return stem.size() == backbone.size() ||
         std::isalnum(static_cast<unsigned char>(stem[backbone.size()])) == 0;
}

fs::path find_weight_file(const std::string& backbone, const fs::path& folder,
                          const std::string& otherwise) {
  const char* const wanted =
      "Expected a file \"{0}*.pth\" or \"{0}*.safetensors\" with the "
      "weights of backbone {0} {1}. Fetch it with scripts/fetch-weights and "
      "name its folder with --weights-dir or UAD_WEIGHTS_DIR, or {2}.";
  const auto missing = [&](const std::string& where) {
    return Error(ErrorCode::kNotFound,
                 fmt::format(fmt::runtime(wanted), backbone, where, otherwise));
  };
  if (folder.empty()) throw missing("but no folder to look in is set");
  std::error_code error;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (is_weight_file(entry.path(), backbone)) found.push_back(entry.path());
  }
  if (error) throw missing(fmt::format("in {}, which cannot be read", folder.string()));
  if (found.empty()) throw missing(fmt::format("in {}, found none", folder.string()));
  return *std::min_element(found.begin(), found.end());
}

}  // namespace

std::vector<std::string> backbone_names() {
  std::vector<std::string> names;
  for (const Row& row : table()) names.push_back(row.name);
  return names;
}

BackboneWeights find_backbone_weights(const std::string& backbone, const fs::path& weights_dir,
                                      const std::string& otherwise) {
  if (!find_row(backbone).needs_weights) return {};
  const char* const variable = std::getenv("UAD_WEIGHTS_DIR");
  const fs::path folder =
      !weights_dir.empty() ? weights_dir : fs::path(variable != nullptr ? variable : "");
  const fs::path file = find_weight_file(backbone, folder, otherwise);
  return {load_state_dict(file), file.string(), sha256_of_file(file)};
}

std::vector<LayerInfo> choose_layers(const std::string& backbone, const std::string& layers) {
  const Row& row = find_row(backbone);
  std::vector<LayerInfo> chosen;
  std::size_t begin = 0;
  while (begin <= layers.size()) {
    const std::size_t end = std::min(layers.find(',', begin), layers.size());
    const std::string name = layers.substr(begin, end - begin);
    const auto known = std::find_if(row.layers.begin(), row.layers.end(),
                                    [&](const LayerInfo& layer) { return layer.name == name; });
    const bool finer =
        known != row.layers.end() && !chosen.empty() && known->stride <= chosen.back().stride;
    if (known == row.layers.end() || finer) {
      std::vector<std::string> names;
      for (const LayerInfo& layer : row.layers) names.push_back(layer.name);
      throw Error(ErrorCode::kBadOption,
                  fmt::format("Option layers is \"{}\", expected some of {} of backbone {}, finest "
                              "first and separated by commas.",
                              layers, fmt::join(names, ", "), backbone));
    }
    chosen.push_back(*known);
    begin = end + 1;
  }
  return chosen;
}

std::unique_ptr<Backbone> make_backbone(const std::string& backbone, const std::string& layers,
                                        const BackboneWeights& weights,
                                        const Execution& execution) {
  return find_row(backbone).make(weights, choose_layers(backbone, layers), execution);
}

OptionSpec backbone_option() {
  return {.name = "backbone",
          .default_value = "resnet18",
          .help = "network that makes the features; gabor needs no weights",
          .choices = backbone_names()};
}

OptionSpec layers_option(const std::string& layers) {
  return {.name = "layers",
          .default_value = layers,
          .help = "layers of the backbone, finest first, separated by commas"};
}

FittedBackbone find_backbone(const FitContext& context) {
  const auto name = context.options.at("backbone").get<std::string>();
  BackboneWeights weights = find_backbone_weights(name, context.weights_dir);
  return {make_backbone(name, context.options.at("layers").get<std::string>(), weights,
                        context.execution),
          std::move(weights.sha256)};
}

void save_backbone(const Backbone& backbone, CheckpointWriter& out) {
  for (const auto& [name, tensor] : backbone.weights()) out.add(kPrefix + name, tensor);
}

BackboneWeights saved_backbone_weights(const CheckpointReader& in) {
  return {in.with_prefix(kPrefix), in.file_name(), ""};
}

std::shared_ptr<const Backbone> load_backbone(const CheckpointReader& in,
                                              const Execution& execution) {
  return make_backbone(in.options().at("backbone").get<std::string>(),
                       in.options().at("layers").get<std::string>(), saved_backbone_weights(in),
                       execution);
}

}  // namespace uad::models
