// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/image_folder.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/data/image_io.h"

namespace uad {
namespace {

namespace fs = std::filesystem;

/// Entries that `wanted` accepts.
template <class Wanted>
std::vector<fs::path> entries(const fs::path& folder, Wanted&& wanted) {
  std::vector<fs::path> found;
  std::error_code failure;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end;
       it.increment(failure)) {
    if (!it->path().filename().string().starts_with('.') && wanted(*it)) {
      found.push_back(it->path());
    }
  }
  if (failure) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("Folder '{}' cannot be read: {}.", folder.string(), failure.message()));
  }
  std::ranges::sort(found, {}, [](const fs::path& path) { return path.filename().string(); });
  return found;
}

}  // namespace

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::vector<fs::path> images_in(const fs::path& folder) {
  return entries(folder, [](const fs::directory_entry& entry) {
    std::error_code ignored;
    return has_image_extension(entry.path()) && entry.is_regular_file(ignored);
  });
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  return entries(folder, [](const fs::directory_entry& entry) {
    std::error_code ignored;
    return entry.is_directory(ignored);
  });
}

std::string name_of_folder(const fs::path& path) {
  const fs::path clean = fs::absolute(path).lexically_normal();
  return (clean.has_filename() ? clean : clean.parent_path()).filename().string();
}

void refuse_empty(const fs::path& folder) {
  throw Error(ErrorCode::kNotFound,
              fmt::format("Folder '{}' holds no image (.png, .jpg, .jpeg, .bmp, .tif, .tiff).",
                          folder.string()));
}

void complain(bool strict, const std::string& what) {
  if (strict) throw Error(ErrorCode::kBadFile, what);
  log(LogLevel::kWarning, what);
}

MaskFolder::MaskFolder(const fs::path& folder, const std::string& suffix) : folder_(folder) {
  if (!is_folder(folder)) return;
  for (const fs::path& file : images_in(folder)) {
    std::string stem = file.stem().string();
    const bool suffixed = stem.ends_with(suffix);
    if (suffixed) stem.resize(stem.size() - suffix.size());
    if (suffixed) {
      masks_[stem] = {file};
    } else {
      masks_.emplace(stem, Mask{file});
    }
  }
}

fs::path MaskFolder::take(const fs::path& image) {
  const auto mask = masks_.find(image.stem().string());
  if (mask == masks_.end()) return {};
  mask->second.used = true;
  return mask->second.file;
}

void MaskFolder::check_used(bool strict) const {
  const auto unused = [](const auto& one) { return !one.second.used; };
  const auto count = std::ranges::count_if(masks_, unused);
  if (count == 0) return;
  const auto first = std::ranges::find_if(masks_, unused);
  complain(strict, fmt::format("{} of the {} masks in '{}' belong to no image, the first is '{}'. "
                               "A mask has the name of its image.",
                               count, masks_.size(), folder_.string(),
                               first->second.file.filename().string()));
}

}  // namespace uad
