// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/layout.h"

#include <utility>

namespace uad::models::iuf {

void Layout::tensor(std::string name, std::vector<std::int64_t> shape, Slot::Kind kind) {
  slots_.push_back({std::move(name), std::move(shape), kind});
}

void Layout::linear(const std::string& name, std::int64_t in, std::int64_t out) {
  tensor(name + ".weight", {out, in}, Slot::Kind::kGlorot);
  tensor(name + ".bias", {out}, Slot::Kind::kZero);
}

void Layout::layer_norm(const std::string& name, std::int64_t channels) {
  tensor(name + ".weight", {channels}, Slot::Kind::kOne);
  tensor(name + ".bias", {channels}, Slot::Kind::kZero);
}

void Layout::batch_norm(const std::string& name, std::int64_t channels) {
  layer_norm(name, channels);
  tensor(name + ".running_mean", {channels}, Slot::Kind::kZero);
  tensor(name + ".running_var", {channels}, Slot::Kind::kOne);
}

}  // namespace uad::models::iuf
