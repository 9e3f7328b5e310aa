// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/files/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/files/manifest.h"
#include "core/base/files/strict_json.h"

namespace uad {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  throw Error(ErrorCode::kBadFile,
              fmt::format("File '{}' is damaged: {}; copy or make it again.", file, what));
}

/// Product of the shape and the type's size; refused where it does not fit 63 bits.
std::uint64_t bytes_of(const TensorEntry& tensor, const std::string& file) {
  std::uint64_t bytes = type_bytes(tensor.type);
  for (const std::int64_t side : tensor.shape) {
    const auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto length = static_cast<std::uint64_t>(side);
    if (length != 0 && bytes > limit / length) {
      refuse(file, fmt::format("tensor '{}' has an impossible shape", tensor.name));
    }
    bytes *= length;
  }
  return bytes;
}

std::uint64_t unsigned_of(const json& value, const std::string& name, const std::string& file) {
  // Half the range: sums of two such numbers cannot wrap.
  if (!value.is_number_unsigned() ||
      value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
    refuse(file, fmt::format("tensor '{}' has a shape or offset that is not a whole number", name));
  }
  return value.get<std::uint64_t>();
}

TensorEntry parse_entry(const std::string& name, const json& value, const std::string& file) {
  if (!value.is_object() || !value.contains("dtype") || !value["dtype"].is_string() ||
      !value.contains("shape") || !value["shape"].is_array() || !value.contains("data_offsets") ||
      !value["data_offsets"].is_array() || value["data_offsets"].size() != 2) {
    refuse(file, fmt::format("tensor '{}' lacks its dtype, shape or data_offsets", name));
  }
  TensorEntry tensor{name, value["dtype"].get<std::string>(), {}, 0, 0};
  if (type_bytes(tensor.type) == 0) {
    refuse(file, fmt::format("tensor '{}' has the unknown type '{}'", name, tensor.type));
  }
  if (value["shape"].size() > 16) refuse(file, fmt::format("tensor '{}' has over 16 axes", name));
  for (const json& side : value["shape"]) {
    tensor.shape.push_back(static_cast<std::int64_t>(unsigned_of(side, name, file)));
  }
  tensor.begin = unsigned_of(value["data_offsets"][0], name, file);
  tensor.end = unsigned_of(value["data_offsets"][1], name, file);
  const std::uint64_t expected = bytes_of(tensor, file);
  if (tensor.begin > tensor.end || tensor.end - tensor.begin != expected) {
    refuse(file, fmt::format("tensor '{}' needs {} bytes but lies at {} to {}", name, expected,
                             tensor.begin, tensor.end));
  }
  return tensor;
}

std::map<std::string, std::string> parse_metadata(const json& value, const std::string& file) {
  if (!value.is_object()) refuse(file, "its __metadata__ is not an object");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) refuse(file, fmt::format("__metadata__ '{}' is not a text", key));
    metadata[key] = text.get<std::string>();
  }
  return metadata;
}

/// The format demands that tensors cover the data one after the other.
void check_cover(std::vector<TensorEntry>& tensors, std::uint64_t data_bytes,
                 const std::string& file) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::uint64_t covered = 0;
  for (const TensorEntry& tensor : tensors) {
    if (tensor.begin != covered) {
      refuse(file, fmt::format("tensor '{}' starts at byte {} where {} was expected", tensor.name,
                               tensor.begin, covered));
    }
    covered = tensor.end;
  }
  if (covered != data_bytes) {
    refuse(file,
           fmt::format("its tensors need {} bytes and {} follow the header", covered, data_bytes));
  }
}

}  // namespace

std::uint64_t type_bytes(std::string_view type) noexcept {
  if (type == "F64" || type == "I64") return 8;
  if (type == "F32" || type == "I32") return 4;
  if (type == "F16" || type == "BF16" || type == "I16") return 2;
  if (type == "I8" || type == "U8" || type == "BOOL") return 1;
  return 0;
}

std::string read_header_text(InputFile& file) {
  std::array<unsigned char, 8> prefix{};
  file.read(prefix.data(), prefix.size());
  std::uint64_t length = 0;
  for (std::size_t i = prefix.size(); i-- > 0;) length = (length << 8) | prefix[i];
  if (length > kMaxManifestBytes) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("File '{}' is not a safetensors file: it announces a header of {} "
                            "bytes, at most {} are read.",
                            file.name(), length, kMaxManifestBytes));
  }
  if (length > file.bytes() - prefix.size()) {
    refuse(file.name(), fmt::format("its header should have {} bytes and only {} follow", length,
                                    file.bytes() - prefix.size()));
  }
  std::string text(length, '\0');
  file.read(text.data(), length);
  return text;
}

SafetensorsHeader parse_header(const std::string& text, std::uint64_t data_bytes,
                               const std::string& file_name) {
  const json root = parse_strict_json(text, file_name);
  if (!root.is_object()) refuse(file_name, "its header is not a JSON object");
  SafetensorsHeader header;
  for (const auto& [name, value] : root.items()) {
    if (name == "__metadata__") {
      header.metadata = parse_metadata(value, file_name);
    } else {
      header.tensors.push_back(parse_entry(name, value, file_name));
    }
  }
  check_cover(header.tensors, data_bytes, file_name);
  return header;
}

}  // namespace uad
