// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/knowledge.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"

namespace uad::models::iuf {

namespace {

constexpr const char* kNetwork = "network.";  // of the tensors in a model file
constexpr const char* kNames = "products.names";
constexpr const char* kLevels = "products.levels";
constexpr const char* kHeadWeight = "vitclassifiy.fc.2.weight";  // as published, with its spelling
constexpr const char* kHeadBias = "vitclassifiy.fc.2.bias";

std::string values_name(std::size_t i) { return fmt::format("memory.{}.values", i); }
std::string vectors_name(std::size_t i) { return fmt::format("memory.{}.vectors", i); }

[[noreturn]] void damaged(const CheckpointReader& in, const std::string& what) {
  throw Error(ErrorCode::kBadFile,
              fmt::format("{}, in {}. Train the model again.", what, in.file_name()));
}

/// One name a line.
std::vector<std::string> read_names(const CheckpointReader& in) {
  const at::Tensor bytes = in.get(kNames, at::kByte, {-1}).contiguous();
  const std::string text(reinterpret_cast<const char*>(bytes.data_ptr<std::uint8_t>()),
                         static_cast<std::size_t>(bytes.numel()));
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (names.empty()) damaged(in, "No product is named");
  return names;
}

std::vector<Product> read_products(const CheckpointReader& in) {
  const std::vector<std::string> names = read_names(in);
  const at::Tensor levels =
      in.get(kLevels, at::kDouble, {static_cast<std::int64_t>(names.size()), 4}).contiguous();
  std::vector<Product> products;
  const double* values = levels.data_ptr<double>();
  for (std::size_t i = 0; i < names.size(); ++i, values += 4) {
    const Product product{names[i], {values[0], values[1]}, {values[2], values[3]}};
    for (const Level& level : {product.score, product.map}) {
      if (std::isfinite(level.mean) && std::isfinite(level.spread) && level.spread > 0) continue;
      damaged(in, fmt::format("The scores of product \"{}\" are unusable", names[i]));
    }
    products.push_back(product);
  }
  return products;
}

}  // namespace

std::int64_t Knowledge::find(const std::string& product) const {
  const auto found = std::ranges::find(products, product, &Product::name);
  return found == products.end() ? -1 : found - products.begin();
}

void Knowledge::save(CheckpointWriter& out) const {
  for (const auto& [name, tensor] : weights) out.add(kNetwork + name, tensor);
  std::string names;
  std::vector<double> levels;
  for (const Product& product : products) {
    names += product.name + '\n';
    levels.insert(levels.end(),
                  {product.score.mean, product.score.spread, product.map.mean, product.map.spread});
  }
  out.add(kNames, at::tensor(std::vector<std::uint8_t>(names.begin(), names.end())));
  out.add(kLevels, at::tensor(levels, at::kDouble).view({-1, 4}));
  for (std::size_t i = 0; i < memory.size(); ++i) {
    out.add(values_name(i), memory[i].values);
    out.add(vectors_name(i), memory[i].vectors);
  }
}

Knowledge load_knowledge(const CheckpointReader& in, NetworkShape shape) {
  Knowledge knowledge;
  knowledge.products = read_products(in);
  shape.classes = in.get(std::string(kNetwork) + kHeadBias, at::kFloat, {-1}).size(0);
  if (shape.classes < static_cast<std::int64_t>(knowledge.products.size())) {
    damaged(in, fmt::format("{} products are named, but the class head has room for {}",
                            knowledge.products.size(), shape.classes));
  }
  knowledge.shape = shape;
  knowledge.weights = read_weights(in, shape, kNetwork);
  for (std::size_t i = 0; i < constrained_layers().size(); ++i) {
    Directions directions{in.get(values_name(i), at::kFloat, {-1}),
                          in.get(vectors_name(i), at::kFloat, {-1, -1})};
    const std::int64_t channels = directions.values.size(0);
    const bool fits = directions.vectors.sizes() == at::IntArrayRef({channels, channels}) &&
                      knowledge.weights.at(constrained_layers()[i] + ".bias").size(0) == channels;
    if (!fits || !at::isfinite(directions.vectors).all().item<bool>() ||
        !at::isfinite(directions.values).all().item<bool>()) {
      damaged(in, fmt::format("Tensor \"{}\" does not fit the network or holds values that are not "
                              "numbers",
                              vectors_name(i)));
    }
    knowledge.memory.push_back(std::move(directions));
  }
  return knowledge;
}

void grow_classes(Knowledge& knowledge, std::int64_t classes, std::uint64_t seed) {
  const std::int64_t known = knowledge.shape.classes;
  if (classes <= known) return;
  knowledge.shape.classes = classes;
  const TensorMap fresh = initial_weights(knowledge.shape, seed);
  for (const char* name : {kHeadWeight, kHeadBias}) {
    at::Tensor& tensor = knowledge.weights.at(name);
    tensor = at::cat({tensor, fresh.at(name).narrow(0, known, classes - known)});
  }
}

}  // namespace uad::models::iuf
