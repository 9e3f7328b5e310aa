// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/files/model_mask.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/files/safetensors_header.h"

namespace uad {

Image read_model_mask(const std::filesystem::path& path) {
  constexpr std::int64_t kMaxSide = 32768;  // pixels; as parse_size()
  InputFile file(path);
  const std::string text = read_header_text(file);
  const std::uint64_t data_start = 8 + text.size();
  const SafetensorsHeader header = parse_header(text, file.bytes() - data_start, file.name());
  const auto entry = std::find_if(header.tensors.begin(), header.tensors.end(),
                                  [](const TensorEntry& t) { return t.name == kMaskTensor; });
  if (entry == header.tensors.end()) return {0, 0, 1, {}};
  const auto& shape = entry->shape;
  if (entry->type != "U8" || shape.size() != 2 || shape[0] > kMaxSide || shape[1] > kMaxSide) {
    throw Error(ErrorCode::kBadFile, "Model file '" + file.name() +
                                         "' is damaged: its mask is no 8-bit image; copy it again "
                                         "or retrain.");
  }
  Image mask{static_cast<int>(shape[1]), static_cast<int>(shape[0]), 1, {}};
  mask.pixels.resize(entry->end - entry->begin);
  file.seek(data_start + entry->begin);
  file.read(mask.pixels.data(), mask.pixels.size());
  return mask;
}

}  // namespace uad
