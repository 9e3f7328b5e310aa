// SPDX-License-Identifier: LGPL-2.1-or-later
// List files: one JSON object a line, as IUF reads them (keys filename, label, label_name,
// maskname, clsname).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/data/dataset.h"

namespace uad {

/// Paths in the file are relative to `image_folder`. `kind` is the folder of a defective image, for
/// instance "scratch"; a defective image without a mask is a defect as a whole. Where `clsname` is
/// missing, the product is the fourth name from the end of `filename`.
/// @throws Error(kNotFound, kBadFile) naming the line, among others for a file that is listed
/// twice.
std::vector<ImageItem> read_list_file(const std::filesystem::path& file,
                                      const std::filesystem::path& image_folder);

/// The text of such a file for images below `image_folder`.
std::string list_text(const std::vector<ImageItem>& items,
                      const std::filesystem::path& image_folder, const std::string& product);

/// A file that ends in .json or .jsonl.
bool is_list_file(const std::filesystem::path& path);

/// A list with "train" or "test" in its name, and the one that has the other word there (and maybe
/// in the name of its folder). Its paths are relative to the folder of the list, to one above
/// (three levels) or to a folder inside of one of these: the first where the first image is found.
/// @throws Error(kNotFound, kBadFile).
Dataset list_list_file(const std::filesystem::path& path, bool strict = false);

}  // namespace uad
