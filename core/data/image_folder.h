// SPDX-License-Identifier: LGPL-2.1-or-later
// Folders of images as every reader of data sets sees them: sorted bytewise, hidden files and other
// extensions left out.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace uad {

bool is_folder(const std::filesystem::path& path);
bool is_there(const std::filesystem::path& path);

/// @throws Error(kNotFound) if the folder cannot be read.
std::vector<std::filesystem::path> images_in(const std::filesystem::path& folder);
/// @throws Error(kNotFound) if the folder cannot be read.
std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder);

/// Last name of a path, with or without a slash behind it.
std::string name_of_folder(const std::filesystem::path& path);

/// @throws Error(kNotFound) always.
[[noreturn]] void refuse_empty(const std::filesystem::path& folder);

/// A set that is not quite as it should be: an error when `strict`, else a warning.
/// @throws Error(kBadFile).
void complain(bool strict, const std::string& what);

/// Mask files of a folder, each for the image of its stem. @note One thread.
class MaskFolder {
 public:
  /// @param folder  none if it is not there. @param suffix  "_mask", "_label": behind the stem of
  /// the image; a mask that has it goes before one with the bare stem.
  MaskFolder(const std::filesystem::path& folder, const std::string& suffix);
  /// The mask of an image, "" if there is none. It counts as used from now on.
  std::filesystem::path take(const std::filesystem::path& image);
  /// Complains of masks that were never taken.
  void check_used(bool strict) const;

 private:
  std::filesystem::path folder_;
  struct Mask {
    std::filesystem::path file;
    bool used = false;
  };
  std::map<std::string, Mask> masks_;  // by stem of the image
};

}  // namespace uad
