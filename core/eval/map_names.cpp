// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/map_names.h"

#include <algorithm>

#include <fmt/format.h>

namespace uad {

namespace fs = std::filesystem;

fs::path name_below(const fs::path& folder, const fs::path& file) {
  const fs::path name = file.lexically_normal().lexically_relative(folder.lexically_normal());
  const bool below = !name.empty() && std::ranges::find(name, "..") == name.end();
  return below ? name : file.filename();
}

fs::path MapNames::take(const fs::path& wanted) {
  fs::path name = wanted;
  for (int n = 2; !taken_.insert(name).second; ++n) {
    name = wanted;
    name += fmt::format("-{}", n);
  }
  return name;
}

}  // namespace uad
