// SPDX-License-Identifier: LGPL-2.1-or-later
// The tensors of the network: names, shapes, first values. Each part lists its own here, and
// initial weights, files and tests follow the list.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace uad::models::iuf {

struct Slot {
  enum class Kind {
    kGlorot,  ///< uniform, the limit by the fans of the shape
    kUnit,    ///< uniform in 0 … 1
    kNormal,  ///< standard normal
    kZero,
    kOne
  };
  std::string name;
  std::vector<std::int64_t> shape;
  Kind kind = Kind::kZero;
};

/// Collects the tensors of layers in the order of the forward pass.
class Layout {
 public:
  /// A single tensor.
  void tensor(std::string name, std::vector<std::int64_t> shape, Slot::Kind kind);
  /// "NAME.weight" [out, in] and "NAME.bias" [out].
  void linear(const std::string& name, std::int64_t in, std::int64_t out);
  /// "NAME.weight" and "NAME.bias", each [channels].
  void layer_norm(const std::string& name, std::int64_t channels);
  /// The same and "NAME.running_mean", "NAME.running_var".
  void batch_norm(const std::string& name, std::int64_t channels);

  [[nodiscard]] const std::vector<Slot>& slots() const noexcept { return slots_; }

 private:
  std::vector<Slot> slots_;
};

}  // namespace uad::models::iuf
