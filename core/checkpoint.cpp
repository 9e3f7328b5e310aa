// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/checkpoint.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

std::string shape_text(at::IntArrayRef shape) {
  std::string text;
  for (const std::int64_t side : shape) {
    text += (text.empty() ? "" : ", ") + (side < 0 ? std::string("any") : std::to_string(side));
  }
  return "[" + text + "]";
}

}  // namespace

void CheckpointWriter::add(const std::string& name, const at::Tensor& tensor) {
  if (!tensors_.emplace(name, tensor.detach().to(at::kCPU).contiguous()).second) {
    throw Error(ErrorCode::kFailed, fmt::format("Tensor '{}' was saved twice.", name));
  }
}

CheckpointReader::CheckpointReader(TensorMap tensors, nlohmann::json options, std::string file_name)
    : tensors_(std::move(tensors)),
      options_(std::move(options)),
      file_name_(std::move(file_name)) {}

at::Tensor CheckpointReader::get(const std::string& name, at::ScalarType type,
                                 std::initializer_list<std::int64_t> shape) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("File '{}' lacks the tensor '{}'; use a file made for this method, or "
                            "make it again.",
                            file_name_, name));
  }
  const at::Tensor& tensor = found->second;
  const at::IntArrayRef sizes = tensor.sizes();
  const bool fits = std::equal(
      sizes.begin(), sizes.end(), shape.begin(), shape.end(),
      [](std::int64_t size, std::int64_t expected) { return expected < 0 || size == expected; });
  if (tensor.scalar_type() != type || !fits) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("Tensor '{}' in file '{}' should be {} {}, found {} {}; use a file "
                            "made for this method, or make it again.",
                            name, file_name_, at::toString(type), shape_text(shape),
                            at::toString(tensor.scalar_type()), shape_text(sizes)));
  }
  return tensor;
}

TensorMap CheckpointReader::with_prefix(const std::string& prefix) const {
  TensorMap found;
  for (auto it = tensors_.lower_bound(prefix);
       it != tensors_.end() && it->first.starts_with(prefix); ++it) {
    found.emplace(it->first.substr(prefix.size()), it->second);
  }
  return found;
}

}  // namespace uad
