// SPDX-License-Identifier: LGPL-2.1-or-later
// The head of a safetensors file: an 8-byte little-endian length and a JSON text that says where
// each tensor lies. Source: the format description of huggingface/safetensors.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/files/input_file.h"

namespace uad {

struct TensorEntry {
  std::string name;
  std::string type;  ///< "F32", "I64" … see type_bytes()
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  ///< bytes, counted from the end of the header
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;  ///< in the order of their bytes, without gaps
  std::map<std::string, std::string> metadata;
};

/// Bytes of one value of a safetensors type; 0 if the type is unknown.
std::uint64_t type_bytes(std::string_view type) noexcept;

/// Reads length and text from the start of the file and leaves it at the first data byte.
/// @throws Error(kBadFile) if the length exceeds kMaxManifestBytes or the file, before anything is
/// allocated.
std::string read_header_text(InputFile& file);

/// @param data_bytes  what follows the header; the tensors must cover it exactly.
/// @throws Error(kBadFile) naming the tensor: unknown type, wrong size, gap, overlap, out of range,
/// name given twice.
SafetensorsHeader parse_header(const std::string& text, std::uint64_t data_bytes,
                               const std::string& file_name);

}  // namespace uad
