// SPDX-License-Identifier: LGPL-2.1-or-later
// Image folders as sets of frames: the MVTec layout and plain folders. Source: specification, data
// sets.
//
// Names are sorted bytewise; hidden files and other extensions are left out. `strict` makes an
// error of what is otherwise skipped and counted: unreadable images, missing or unfitting masks.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/data/frame_source.h"

namespace uad {

struct ImageItem {
  std::filesystem::path image;
  std::string kind = "good";
  bool defective = false;
  std::filesystem::path mask;  ///< empty: none found
};

struct Dataset {
  std::string name;              ///< of the folder
  std::vector<ImageItem> train;  ///< good images to learn from; may be empty
  std::vector<ImageItem> test;   ///< may be empty
};

/// Frames of a list, one after the other; `items` may be any part of a data set.
std::unique_ptr<FrameSource> open_images(std::vector<ImageItem> items, bool strict = false);

/// `train/good`, `test/<kind>`, `ground_truth/<kind>`; either of train and test may be absent.
/// Masks are paired by stem, with or without "_mask".
/// @throws Error(kNotFound) naming the folder that is missing or holds no image.
Dataset list_mvtec(const std::filesystem::path& root);

/// A folder of good images without sub-folders, or one image file.
/// @throws Error(kNotFound) if nothing is there or the folder holds no image.
Dataset list_folder(const std::filesystem::path& folder);

/// Good images in one folder a part: those of every folder directly below `root`.
/// @throws Error(kNotFound) if there is no such folder, or one that holds no image.
Dataset list_parts(const std::filesystem::path& root);

/// Whether `path` has the MVTec layout: `train/good` or `test`.
bool is_labelled_set(const std::filesystem::path& path);

/// Decides by layout: MVTec where `train/good` or `test` is, else a plain folder.
Dataset list_dataset(const std::filesystem::path& path);

/// SHA-256 over names (without folders) and bytes, in the order of the list.
/// @throws Error(kNotFound, kBadFile).
std::string data_sha256(const std::vector<ImageItem>& items);

}  // namespace uad
