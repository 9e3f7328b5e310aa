// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/part.h"

#include <charconv>
#include <map>
#include <string>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {

Part parse_part(std::string_view text, std::string_view option) {
  Part part;
  const char* end = text.data() + text.size();
  const auto [slash, bad_index] = std::from_chars(text.data(), end, part.index);
  bool valid = bad_index == std::errc() && slash != end && *slash == '/';
  if (valid) {
    const auto [stop, bad_count] = std::from_chars(slash + 1, end, part.count);
    valid = bad_count == std::errc() && stop == end && part.index >= 1 && part.index <= part.count;
  }
  if (!valid) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("{} is \"{}\" but must be K/N with 1 <= K <= N, for instance 1/2.",
                            option, text));
  }
  return part;
}

std::vector<ImageItem> part_of(const std::vector<ImageItem>& items, const Part& part) {
  std::map<std::string, std::size_t> sizes;
  for (const ImageItem& item : items) ++sizes[item.kind];
  const auto index = static_cast<std::size_t>(part.index);
  const auto count = static_cast<std::size_t>(part.count);
  std::map<std::string, std::size_t> seen;
  std::vector<ImageItem> chosen;
  for (const ImageItem& item : items) {
    const std::size_t position = seen[item.kind]++;
    const std::size_t size = sizes[item.kind];
    if (position >= size * (index - 1) / count && position < size * index / count)
      chosen.push_back(item);
  }
  return chosen;
}

}  // namespace uad
