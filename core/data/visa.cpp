// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/visa.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/data/image_folder.h"
#include "core/data/text_table.h"

namespace uad {
namespace {

namespace fs = std::filesystem;

/// Index of `word` among the two that a column may hold.
bool is_second(const fs::path& file, const TableRow& row, const std::string& word,
               const char* first, const char* second) {
  if (word != first && word != second) {
    refuse_line(file, row.line,
                fmt::format("\"{}\" or \"{}\" was expected, found \"{}\"", first, second, word));
  }
  return word == second;
}

}  // namespace

bool is_visa(const fs::path& object) { return is_folder(object / "Data" / "Images"); }

Dataset list_visa(const fs::path& object, bool strict) {
  Dataset found{name_of_folder(object), {}, {}};
  const fs::path root = fs::absolute(object / "").lexically_normal().parent_path().parent_path();
  const fs::path file = root / "split_csv" / "1cls.csv";
  if (!is_there(file)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("'{}' is an object of VisA, whose division is in '{}', but that file "
                            "is not there. Copy it from the published set.",
                            object.string(), file.string()));
  }
  for (const TableRow& row : read_table(file, "object,split,label,image,mask")) {
    if (row.fields[0] != found.name) continue;
    const bool test = is_second(file, row, row.fields[1], "train", "test");
    const bool defective = is_second(file, row, row.fields[2], "normal", "anomaly");
    ImageItem item{root / row.fields[3], defective ? "bad" : "good", defective};
    if (!is_there(item.image)) {
      complain(strict, fmt::format("'{}', line {}: image '{}' is not there.", file.string(),
                                   row.line.number, item.image.string()));
    }
    if (defective && !row.fields[4].empty()) item.mask = root / row.fields[4];
    (test ? found.test : found.train).push_back(std::move(item));
  }
  if (found.train.empty() && found.test.empty()) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("'{}' has no line of the object \"{}\".", file.string(), found.name));
  }
  return found;
}

}  // namespace uad
