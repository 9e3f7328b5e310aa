// SPDX-License-Identifier: LGPL-2.1-or-later
// Everything that a model has learnt, and that one of more products starts from.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/checkpoint.h"
#include "models/iuf/constrained_update.h"
#include "models/iuf/network.h"

namespace uad::models::iuf {

/// What good images of a product score: mean and standard deviation.
struct Level {
  double mean = 0;
  double spread = 1;
};

struct Product {
  std::string name;
  Level score;  ///< of images
  Level map;    ///< of the largest 16x16 mean of their maps
};

struct Knowledge {
  std::vector<Product> products;  ///< in the order of the class head's outputs
  NetworkShape shape;
  TensorMap weights;               ///< of the network, float32 on the CPU
  std::vector<Directions> memory;  ///< of each of constrained_layers()

  /// Index of a product, or -1.
  [[nodiscard]] std::int64_t find(const std::string& product) const;
  void save(CheckpointWriter& out) const;
};

/// @param shape  without classes: they are as many as the file's class head has.
/// @throws Error(kBadFile) naming what is missing or does not fit.
[[nodiscard]] Knowledge load_knowledge(const CheckpointReader& in, NetworkShape shape);

/// The class head with room for more products: new rows are drawn anew, old ones stay.
void grow_classes(Knowledge& knowledge, std::int64_t classes, std::uint64_t seed);

}  // namespace uad::models::iuf
