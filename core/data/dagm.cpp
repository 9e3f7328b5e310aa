// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/dagm.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/data/image_folder.h"
#include "core/data/text_table.h"

namespace uad {
namespace {

namespace fs = std::filesystem;

constexpr const char* kListHeader = "image_filepath,lbl_image_filepath,is_defective";

/// Defective images of classes 1 to 10.
struct Split {
  const char* folder;
  const char* list;
  std::array<int, 10> defective;
};
constexpr Split kTrain{"Train", "train_list.csv", {79, 66, 66, 82, 70, 83, 150, 150, 150, 150}};
constexpr Split kTest{"Test", "test_list.csv", {71, 84, 84, 68, 80, 67, 150, 150, 150, 150}};

/// The whole of `text` as a number; 0 if it is none.
int number_of(std::string_view text) {
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && end == text.data() + text.size() ? number : 0;
}

void check_count(const fs::path& root, const Split& split, const std::vector<ImageItem>& items,
                 bool strict) {
  const std::string name = name_of_folder(root);
  const int number = name.starts_with("Class") ? number_of(name.substr(5)) : 0;
  if (number < 1 || number > 10) return;
  const int expected = split.defective[static_cast<std::size_t>(number - 1)];
  const auto found = std::ranges::count_if(items, &ImageItem::defective);
  if (found == expected) return;
  complain(strict,
           fmt::format("{} of DAGM 2007 has {} defective images in {}, but '{}' has {}. Copy the "
                       "set again unless this is a part of it.",
                       name, expected, split.folder, (root / split.folder).string(), found));
}

std::vector<ImageItem> list_folder_of(const fs::path& folder, bool strict) {
  std::vector<ImageItem> items;
  MaskFolder labels(folder / "Label", "_label");
  for (const fs::path& image : images_in(folder)) {
    const fs::path label = labels.take(image);
    items.push_back({image, label.empty() ? "good" : "defect", !label.empty(), label});
  }
  labels.check_used(strict);
  return items;
}

std::vector<ImageItem> read_list(const fs::path& file, const fs::path& folder) {
  std::vector<ImageItem> items;
  for (const TableRow& row : read_table(file, kListHeader)) {
    const std::string& label = row.fields[1];
    const bool defective = row.fields[2] == "1";
    if (!defective && row.fields[2] != "0") {
      refuse_line(file, row.line,
                  fmt::format("is_defective must be 0 or 1, but is \"{}\"", row.fields[2]));
    }
    if (defective == label.empty()) {
      refuse_line(file, row.line,
                  defective ? "a defective image needs a label file" : "a good image has a label");
    }
    ImageItem item{folder / row.fields[0], defective ? "defect" : "good", defective};
    if (defective) item.mask = folder / "Label" / label;
    for (const fs::path& named : {item.image, item.mask}) {
      if (!named.empty() && !is_there(named)) {
        refuse_line(file, row.line, fmt::format("'{}' is not there", named.string()));
      }
    }
    items.push_back(std::move(item));
  }
  return items;
}

std::vector<ImageItem> list_split(const fs::path& root, const Split& split, bool strict) {
  const fs::path folder = root / split.folder;
  if (!is_folder(folder)) return {};
  std::vector<ImageItem> items = is_there(root / split.list) ? read_list(root / split.list, folder)
                                                             : list_folder_of(folder, strict);
  if (items.empty()) refuse_empty(folder);
  check_count(root, split, items, strict);
  return items;
}

fs::path defect_folder(const fs::path& root) {
  const fs::path clean = fs::absolute(root / "").lexically_normal().parent_path();
  return clean.parent_path() / (clean.filename().string() + "_def");
}

/// Ellipses by the number of their image.
std::map<int, Ellipse> read_ellipses(const fs::path& file) {
  std::map<int, Ellipse> ellipses;
  for (const TextLine& line : read_lines(file)) {
    std::istringstream fields(line.text);
    double number = 0;  // some files have it as 1.0
    Ellipse one;
    if (!(fields >> number >> one.semi_x >> one.semi_y >> one.angle >> one.x >> one.y) ||
        !(number >= 0 && number <= std::numeric_limits<int>::max())) {
      refuse_line(file, line,
                  "number, two semi-axes, angle and centre of an ellipse were expected");
    }
    ellipses[static_cast<int>(number)] = one;
  }
  return ellipses;
}

/// Shares the images of a folder out by their number.
template <class Make>
void divide(const fs::path& folder, Dataset& data, Make&& make) {
  for (const fs::path& image : images_in(folder)) {
    const int number = number_of(image.stem().string());
    if (number == 0) {
      throw Error(ErrorCode::kBadFile,
                  fmt::format("Image '{}' must have a number for its name.", image.string()));
    }
    (number % 2 == 1 ? data.train : data.test).push_back(make(image, number));
  }
}

Dataset list_public(const fs::path& root) {
  Dataset found{name_of_folder(root), {}, {}};
  const fs::path defects = defect_folder(root);
  const fs::path file = defects / "labels.txt";
  const std::map<int, Ellipse> ellipses = read_ellipses(file);
  divide(root, found, [](const fs::path& image, int) { return ImageItem{image}; });
  divide(defects, found, [&](const fs::path& image, int number) {
    const auto known = ellipses.find(number);
    if (known == ellipses.end()) {
      throw Error(ErrorCode::kBadFile,
                  fmt::format("'{}' has no line for image '{}'.", file.string(), image.string()));
    }
    const auto draw = [one = known->second](int width, int height) {
      return draw_ellipse(one, width, height);
    };
    return ImageItem{.image = image, .kind = "defect", .defective = true, .draw_mask = draw};
  });
  if (found.train.empty() && found.test.empty()) refuse_empty(root);
  return found;
}

bool is_public(const fs::path& root) { return is_there(defect_folder(root) / "labels.txt"); }

}  // namespace

bool is_dagm(const fs::path& root) {
  return is_folder(root / "Train" / "Label") || is_folder(root / "Test" / "Label") ||
         (is_folder(root) && is_public(root));
}

Dataset list_dagm(const fs::path& root, bool strict) {
  if (is_public(root)) return list_public(root);
  return {name_of_folder(root), list_split(root, kTrain, strict), list_split(root, kTest, strict)};
}

std::string dagm_list(const std::vector<ImageItem>& items) {
  std::string text = std::string(kListHeader) + '\n';
  for (const ImageItem& item : items) {
    text += fmt::format("{},{},{}\n", item.image.filename().string(), item.mask.filename().string(),
                        item.defective ? 1 : 0);
  }
  return text;
}

Image draw_ellipse(const Ellipse& ellipse, int width, int height) {
  Image mask{width, height, 1,
             std::vector<std::uint8_t>(static_cast<std::size_t>(width) *
                                       static_cast<std::size_t>(height))};
  const double cosine = std::cos(ellipse.angle);
  const double sine = std::sin(ellipse.angle);
  std::size_t i = 0;
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column, ++i) {
      const double dx = column - ellipse.x;
      const double dy = row - ellipse.y;
      const double along = (dx * cosine + dy * sine) / ellipse.semi_x;
      const double across = (dy * cosine - dx * sine) / ellipse.semi_y;
      if (along * along + across * across <= 1) mask.pixels[i] = 255;
    }
  }
  return mask;
}

}  // namespace uad
