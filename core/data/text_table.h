// SPDX-License-Identifier: LGPL-2.1-or-later
// Small text files of rows, as data sets bring them along.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace uad {

struct TextLine {
  std::size_t number = 0;  ///< in the file, from 1
  std::string text;        ///< without its end; never blank
};

/// @throws Error(kNotFound, kBadFile); above 64 MB it is no such file.
std::vector<TextLine> read_lines(const std::filesystem::path& file);

/// @throws Error(kBadFile): "file:line: what".
[[noreturn]] void refuse_line(const std::filesystem::path& file, const TextLine& line,
                              const std::string& what);

struct TableRow {
  TextLine line;
  std::vector<std::string> fields;  ///< as many as the header has
};

/// Fields between commas; none may hold a comma. @param header  what the first line has to be.
/// @throws Error(kNotFound, kBadFile) naming the line.
std::vector<TableRow> read_table(const std::filesystem::path& file, const std::string& header);

}  // namespace uad
