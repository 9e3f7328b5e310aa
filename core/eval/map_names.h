// SPDX-License-Identifier: LGPL-2.1-or-later
// Under which names score maps are stored: one for each image, and all below one folder.
#pragma once

#include <filesystem>
#include <set>

namespace uad {

/// What an image is called below the folder that was given: what links point to plays no part. Only
/// its file name where it is not below it. @param folder  as in `file`, so not resolved.
std::filesystem::path name_below(const std::filesystem::path& folder,
                                 const std::filesystem::path& file);

/// Hands out each name once: a.png and a.jpg both want the map "a".
class MapNames {
 public:
  /// `wanted`, numbered from 2 where it is taken: "a", "a-2". @param wanted  without extension.
  std::filesystem::path take(const std::filesystem::path& wanted);

 private:
  std::set<std::filesystem::path> taken_;
};

}  // namespace uad
