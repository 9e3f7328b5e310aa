// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/list_file.h"

#include <map>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files/strict_json.h"
#include "core/data/image_folder.h"
#include "core/data/text_table.h"

namespace uad {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Of the right type, but not usable.
struct Unfit {
  std::string reason;
};

/// The n-th name of a path from its end, counted from 1; "" if there are fewer.
std::string name_from_end(const fs::path& path, int n) {
  fs::path rest = path;
  for (; n > 1 && rest.has_parent_path(); --n) rest = rest.parent_path();
  return n == 1 ? rest.filename().string() : "";
}

Image whole(int width, int height) {
  return {width, height, 1,
          std::vector<std::uint8_t>(
              static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 255)};
}

/// The text of an optional key; "" where it is missing or null.
std::string text_of(const json& entry, const char* key) {
  const auto found = entry.find(key);
  return found == entry.end() || found->is_null() ? "" : found->get<std::string>();
}

ImageItem parse_entry(const json& entry, const fs::path& image_folder) {
  const fs::path name = entry.at("filename").get<std::string>();
  ImageItem item{.image = image_folder / name, .product = text_of(entry, "clsname")};
  if (item.product.empty()) item.product = name_from_end(name, 4);
  const int label = entry.at("label").get<int>();
  if (label != 0 && label != 1) throw Unfit{"label must be 0 or 1"};
  item.defective = label == 1;
  if (!item.defective) return item;
  item.kind = name_from_end(name, 2);
  if (item.kind.empty() || item.kind == "good") item.kind = "defective";
  if (const std::string mask = text_of(entry, "maskname"); !mask.empty()) {
    item.mask = image_folder / mask;
  } else {
    item.draw_mask = whole;
  }
  return item;
}

/// The first name of a list, to find out where its images are.
std::string first_name(const fs::path& file) {
  const std::vector<TextLine> lines = read_lines(file);
  if (lines.empty()) {
    throw Error(ErrorCode::kBadFile, fmt::format("List '{}' names no image.", file.string()));
  }
  const json entry = parse_strict_json(lines.front().text, file.string());
  const auto name = entry.find("filename");
  if (!entry.is_object() || name == entry.end() || !name->is_string()) {
    refuse_line(file, lines.front(), "a JSON object with a filename was expected");
  }
  return name->get<std::string>();
}

fs::path find_image_folder(const fs::path& file) {
  const std::string name = first_name(file);
  fs::path above = fs::absolute(file).lexically_normal().parent_path();
  for (int level = 0; level < 4; ++level, above = above.parent_path()) {
    if (is_there(above / name)) return above;
    for (const fs::path& inside : folders_in(above)) {
      if (is_there(inside / name)) return inside;
    }
    if (above == above.root_path()) break;
  }
  throw Error(ErrorCode::kNotFound,
              fmt::format("List '{}' names the image '{}', which is neither beside it nor in a "
                          "folder above or beside. Put the list where its images are.",
                          file.string(), name));
}

/// `name` with `other` in place of the last `word`; nothing if the word is not in it.
std::optional<std::string> renamed(std::string name, const std::string& word,
                                   const std::string& other) {
  const std::size_t at = name.rfind(word);
  if (at == std::string::npos) return std::nullopt;
  return name.replace(at, word.size(), other);
}

/// The list of the other part, in the folder of the other part or this one; "" if there is none.
/// @return nothing if `word` is not in the name.
std::optional<fs::path> counterpart(const fs::path& file, const std::string& word,
                                    const std::string& other) {
  const auto name = renamed(file.filename().string(), word, other);
  const auto folder = renamed(file.parent_path().filename().string(), word, other);
  if (!name) return std::nullopt;
  const fs::path parent = file.parent_path();
  for (const fs::path& where : {folder ? parent.parent_path() / *folder : parent, parent}) {
    const fs::path candidate = where / *name;
    if (candidate != file && is_there(candidate)) return candidate;
  }
  return fs::path();
}

}  // namespace

std::vector<ImageItem> read_list_file(const fs::path& file, const fs::path& image_folder) {
  std::vector<ImageItem> items;
  std::map<fs::path, std::size_t> lines;  // where an image was listed first
  for (const TextLine& line : read_lines(file)) {
    const json entry =
        parse_strict_json(line.text, fmt::format("{}, line {}", file.string(), line.number));
    try {
      items.push_back(parse_entry(entry, image_folder));
    } catch (const Unfit& unfit) {
      refuse_line(file, line, unfit.reason);
    } catch (const json::exception& error) {
      const std::string text = error.what();  // "[json.exception.…] key 'filename' not found"
      refuse_line(file, line, text.substr(text.rfind("] ") + 2));
    }
    const auto [known, added] = lines.emplace(items.back().image, line.number);
    if (!added) {
      refuse_line(file, line,
                  fmt::format("'{}' is listed in line {} already", items.back().image.string(),
                              known->second));
    }
  }
  return items;
}

std::string list_text(const std::vector<ImageItem>& items, const fs::path& image_folder,
                      const std::string& product) {
  std::string text;
  for (const ImageItem& item : items) {
    nlohmann::ordered_json entry{
        {"filename", item.image.lexically_relative(image_folder).generic_string()},
        {"label", item.defective ? 1 : 0},
        {"label_name", item.defective ? "defective" : "good"}};
    if (!item.mask.empty()) {
      entry["maskname"] = item.mask.lexically_relative(image_folder).generic_string();
    }
    entry["clsname"] = product;
    text += entry.dump() + '\n';
  }
  return text;
}

bool is_list_file(const fs::path& path) {
  return (path.extension() == ".json" || path.extension() == ".jsonl") && is_there(path) &&
         !is_folder(path);
}

Dataset list_list_file(const fs::path& path, bool /*strict*/) {
  const fs::path file = fs::absolute(path).lexically_normal();
  Dataset found{file.stem().string(), {}, {}};
  const fs::path images = find_image_folder(file);
  const auto read = [&](const fs::path& list) {
    return list.empty() ? std::vector<ImageItem>() : read_list_file(list, images);
  };
  if (const auto test = counterpart(file, "train", "test")) {
    found.train = read(file);
    found.test = read(*test);
  } else if (const auto train = counterpart(file, "test", "train")) {
    found.train = read(*train);
    found.test = read(file);
  } else {
    throw Error(ErrorCode::kBadFile,
                fmt::format("Whether list '{}' is to learn from or to judge is not known: its name "
                            "must hold \"train\" or \"test\".",
                            path.string()));
  }
  return found;
}

}  // namespace uad
