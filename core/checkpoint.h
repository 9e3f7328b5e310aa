// SPDX-License-Identifier: LGPL-2.1-or-later
// What a method hands to the model file and gets back from it: named tensors.
#pragma once

#include <initializer_list>
#include <map>
#include <string>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

namespace uad {

using TensorMap = std::map<std::string, at::Tensor>;

/// Collects a method's tensors under its own names ("bank", "backbone.conv1.weight").
class CheckpointWriter {
 public:
  /// @throws Error(kFailed) if the name is taken. The tensor is stored contiguous, on the CPU.
  void add(const std::string& name, const at::Tensor& tensor);
  [[nodiscard]] const TensorMap& tensors() const noexcept { return tensors_; }

 private:
  TensorMap tensors_;
};

/// Hands them out again, each checked: a loader trusts no field it reads.
class CheckpointReader {
 public:
  CheckpointReader(TensorMap tensors, nlohmann::json options, std::string file_name);

  /// @param shape  expected sizes, -1 = any. @throws Error(kBadFile) naming tensor, expected and
  /// found.
  [[nodiscard]] at::Tensor get(const std::string& name, at::ScalarType type,
                               std::initializer_list<std::int64_t> shape) const;
  [[nodiscard]] bool has(const std::string& name) const { return tensors_.contains(name); }
  /// All tensors whose name starts with `prefix`, the prefix cut off.
  [[nodiscard]] TensorMap with_prefix(const std::string& prefix) const;
  [[nodiscard]] const nlohmann::json& options() const noexcept {
    return options_;
  }  ///< the method's, completed
  [[nodiscard]] const std::string& file_name() const noexcept { return file_name_; }

 private:
  TensorMap tensors_;
  nlohmann::json options_;
  std::string file_name_;
};

}  // namespace uad
