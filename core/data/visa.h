// SPDX-License-Identifier: LGPL-2.1-or-later
// VisA as published: one folder an object, and beside the objects a file that divides them.
// (The reorganised form has the layout of MVTec AD and is read as such.)
#pragma once

#include <filesystem>

#include "core/data/dataset.h"

namespace uad {

/// `Data/Images` inside an object's folder.
bool is_visa(const std::filesystem::path& object);

/// The object's rows of `../split_csv/1cls.csv`. Defects are of the kind "bad", as in the
/// reorganised form; masks hold numbers of classes, of which all but 0 are defects.
/// @throws Error(kNotFound) without that file or without a row of the object; Error(kBadFile)
/// naming the line.
Dataset list_visa(const std::filesystem::path& object, bool strict = false);

}  // namespace uad
