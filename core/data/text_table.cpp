// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/text_table.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/files/input_file.h"

namespace uad {
namespace {

constexpr std::uint64_t kMaxBytes = 64ULL << 20;
constexpr std::string_view kBlank = " \t\r";

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> fields{""};
  for (const char c : text) {
    if (c == separator) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

}  // namespace

std::vector<TextLine> read_lines(const std::filesystem::path& path) {
  InputFile file(path);
  std::vector<TextLine> lines;
  std::size_t number = 0;
  for (std::string& text : split(file.read_rest(kMaxBytes), '\n')) {
    ++number;
    text.erase(std::min(text.size(), text.find_last_not_of(kBlank) + 1));
    if (!text.empty()) lines.push_back({number, std::move(text)});
  }
  return lines;
}

void refuse_line(const std::filesystem::path& file, const TextLine& line, const std::string& what) {
  throw Error(ErrorCode::kBadFile,
              fmt::format("'{}', line {}: {}.", file.string(), line.number, what));
}

std::vector<TableRow> read_table(const std::filesystem::path& file, const std::string& header) {
  const std::vector<TextLine> lines = read_lines(file);
  if (lines.empty() || lines.front().text != header) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("'{}' must begin with the line \"{}\", but {}.", file.string(), header,
                            lines.empty() ? "is empty"
                                          : fmt::format("begins with \"{}\"", lines.front().text)));
  }
  const auto wanted = static_cast<std::size_t>(std::ranges::count(header, ',')) + 1;
  std::vector<TableRow> rows;
  for (auto line = lines.begin() + 1; line != lines.end(); ++line) {
    rows.push_back({*line, split(line->text, ',')});
    if (const std::size_t found = rows.back().fields.size(); found != wanted) {
      refuse_line(file, *line, fmt::format("{} fields were expected, found {}", wanted, found));
    }
  }
  return rows;
}

}  // namespace uad
