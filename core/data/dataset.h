// SPDX-License-Identifier: LGPL-2.1-or-later
// Labelled sets of image files, whatever their layout on disk. Source: specification, data sets.
//
// Names are sorted bytewise; hidden files and other extensions are left out. `strict` makes an
// error of what is otherwise a warning: counts that are not the published ones, masks without
// image.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/pixels/image.h"

namespace uad {

struct ImageItem {
  std::filesystem::path image;
  std::string kind = "good";
  bool defective = false;
  std::filesystem::path mask;  ///< empty: none found
  /// Width and height of the image → its mask, for sets that give masks in words. Empty: none.
  std::function<Image(int, int)> draw_mask = {};
  std::string product = {};  ///< in lists of several products; "" = that of the set
};

struct Dataset {
  std::string name;  ///< of the folder
  /// Images to learn from; may be empty. Some layouts have defective ones here, too: methods that
  /// learn from good images take good_of() it.
  std::vector<ImageItem> train;
  std::vector<ImageItem> test;  ///< may be empty
};

/// Recognises the layout, in this order: MVTec (also VisA reorganised), DAGM 2007, VisA as
/// published, list files, train_data/normal of mura sets, `good` beside folders of defects; else
/// a plain folder.
/// @throws Error(kNotFound) naming what is missing; Error(kBadFile) naming file and line.
Dataset list_dataset(const std::filesystem::path& path, bool strict = false);

/// Whether `path` has one of the layouts with labels.
bool is_labelled_set(const std::filesystem::path& path);

/// A folder of good images without sub-folders, or one image file.
/// @throws Error(kNotFound) if nothing is there or the folder holds no image.
Dataset list_folder(const std::filesystem::path& folder);

/// Good images in one folder a part: those of every folder directly below `root`.
/// @throws Error(kNotFound) if there is no such folder, or one that holds no image.
Dataset list_parts(const std::filesystem::path& root);

/// The good ones, in their order.
std::vector<ImageItem> good_of(const std::vector<ImageItem>& items);

/// Whether a method that learns from labels has to divide the set itself, because the training part
/// shows no defect. It then learns from everything() but what it holds out.
bool needs_division(const Dataset& data);

/// Training images, then test images.
std::vector<ImageItem> everything(const Dataset& data);

/// @param from  what the images are from, for the message.
/// @throws Error(kBadOption) unless there are good and defective images.
void require_both_classes(const std::vector<ImageItem>& items, const std::string& from);

}  // namespace uad
