// SPDX-License-Identifier: LGPL-2.1-or-later
// Real images and weights that some tests use where they are present; see UAD_SHARED_DATA.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace uad::test {

/// The path below the folder of real data, or "" where it is absent.
inline std::filesystem::path shared_data(const std::filesystem::path& relative) {
  const char* root = std::getenv("UAD_SHARED_DATA");
  if (root == nullptr) return {};
  std::filesystem::path path = std::filesystem::path(root) / relative;
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

}  // namespace uad::test
