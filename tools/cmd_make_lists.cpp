// SPDX-License-Identifier: LGPL-2.1-or-later
// uad make-lists: the list files of MVTec AD and VisA, from the trees themselves.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/data/list_file.h"
#include "core/data/protocol.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/console.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExamples = R"(Examples:
  uad make-lists --data data/mvtec --output data/mvtec-lists
  uad make-lists --data data/visa --output data/visa-lists --strict)";

Syntax make_lists_syntax() {
  Syntax syntax;
  syntax.name = "make-lists";
  syntax.summary = "Writes the list files (one JSON object a line) of an MVTec AD or VisA tree.";
  syntax.examples = kExamples;
  syntax.options = {
      {.name = "data", .help = "the folder that holds one folder a category"},
      {.name = "output", .help = "folder for the lists, inside of --data or beside it"},
      {.name = "strict",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "a missing category, mask or image is an error"},
  };
  syntax.elsewhere = all_keys();
  return syntax;
}

/// The products of a published set that are there.
struct Tree {
  std::string set;
  const std::vector<std::string>* products = nullptr;
  std::vector<Dataset> data;         // one a product; without images where it is missing
  std::vector<std::string> missing;  // names
};

Tree read_tree(const std::string& set, const std::vector<std::string>& products,
               const fs::path& root, bool strict) {
  Tree tree{set, &products, {}, {}};
  const auto by_name = [](const ImageItem& a, const ImageItem& b) { return a.image < b.image; };
  for (const std::string& product : products) {
    Dataset& data = tree.data.emplace_back();
    if (!is_labelled_set(root / product)) {
      tree.missing.push_back(product);
      continue;
    }
    data = list_dataset(root / product, strict);
    std::ranges::sort(data.train, by_name);
    std::ranges::sort(data.test, by_name);
  }
  return tree;
}

/// @throws Error(kNotFound) if `root` is neither set, or `strict` and something is missing.
Tree find_tree(const fs::path& root, bool strict) {
  if (!fs::is_directory(root)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("\"{}\" is no folder. Check --data.", root.string()));
  }
  const auto there = [&](const std::string& product) { return is_labelled_set(root / product); };
  const bool mvtec = std::ranges::any_of(mvtec_products(), there);
  if (!mvtec && std::ranges::none_of(visa_products(), there)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("\"{}\" holds no category of MVTec AD ({}, ...) and no object of VisA "
                            "({}, ...). Check --data.",
                            root.string(), mvtec_products().front(), visa_products().front()));
  }
  Tree tree = mvtec ? read_tree("MVTec AD", mvtec_products(), root, strict)
                    : read_tree("VisA", visa_products(), root, strict);
  if (tree.missing.empty()) return tree;
  const std::string text =
      fmt::format("{} of the {} products of {} are not in \"{}\": {}.", tree.missing.size(),
                  tree.products->size(), tree.set, root.string(), fmt::join(tree.missing, ", "));
  if (strict) throw Error(ErrorCode::kNotFound, text + " Leave out --strict to go without them.");
  note(text + " The lists are of what is there.");
  return tree;
}

class ListWriter {
 public:
  ListWriter(const Tree& tree, const fs::path& root, fs::path folder)
      : tree_(tree), root_(fs::absolute(root).lexically_normal()), folder_(std::move(folder)) {}

  /// Products `first` to `last`, counted from 1, `last` included. Without any image no file.
  void write(const std::string& name, std::vector<ImageItem> Dataset::*part, std::size_t first,
             std::size_t last) {
    std::string text;
    for (std::size_t i = first - 1; i < last; ++i) {
      std::vector<ImageItem> items = tree_.data[i].*part;
      for (ImageItem& item : items) {
        item.image = fs::absolute(item.image).lexically_normal();
        if (!item.mask.empty()) item.mask = fs::absolute(item.mask).lexically_normal();
      }
      text += list_text(items, root_, tree_.products->at(i));
    }
    if (text.empty()) return;
    write_text((folder_ / name).string(), text);
    ++files_;
  }
  /// Both parts; "{part}" in `name` stands for train or test.
  void write_both(const std::string& name, std::size_t first, std::size_t last) {
    write(fmt::format(fmt::runtime(name), fmt::arg("part", "train")), &Dataset::train, first, last);
    write(fmt::format(fmt::runtime(name), fmt::arg("part", "test")), &Dataset::test, first, last);
  }
  [[nodiscard]] std::size_t files() const { return files_; }
  [[nodiscard]] const std::string& product(std::size_t number) const {
    return tree_.products->at(number - 1);
  }

 private:
  const Tree& tree_;
  fs::path root_;
  fs::path folder_;
  std::size_t files_ = 0;
};

void write_mvtec(ListWriter& lists) {
  const std::size_t count = mvtec_products().size();
  lists.write_both("{part}.json", 1, count);
  for (std::size_t n = 1; n <= count; ++n) {
    lists.write_both("json_{part}/{part}_" + lists.product(n) + ".json", n, n);
  }
  for (const std::size_t first : {10, 14}) {  // what the protocols begin with
    lists.write_both(fmt::format("{{part}}_{}.json", first), 1, first);
  }
  for (std::size_t n = 1; n <= count; n += 3) {
    lists.write_both(fmt::format("33333/{{part}}_{}_{}.json", n, n + 2), n, n + 2);
  }
}

void write_visa(ListWriter& lists) {
  const std::size_t count = visa_products().size();
  for (std::size_t n = 1; n <= count; ++n) {
    lists.write_both("orisplit/" + lists.product(n) + "_{part}.json", n, n);
  }
  for (const std::size_t first : {8, 11}) {
    lists.write_both(fmt::format("split/{}_{{part}}.json", first), 1, first);
  }
  lists.write("split/8_12_train.json", &Dataset::train, 9, count);
}

/// Lists that this program would not find the images of are still good for others.
void tell_if_far(const fs::path& list) {
  if (!fs::exists(list)) return;
  try {
    static_cast<void>(list_list_file(list));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    note(error.what());
  }
}

}  // namespace

int run_make_lists(const Args& args) {
  const Arguments arguments = parse_arguments(make_lists_syntax(), args);
  if (!arguments.has("data")) throw UsageError("--data is missing: the tree of MVTec AD or VisA.");
  if (!arguments.has("output")) throw UsageError("--output is missing: the folder for the lists.");
  const fs::path root = arguments.text("data");
  const fs::path folder = arguments.text("output");
  const bool strict = arguments.get<bool>("strict");
  const Tree tree = find_tree(root, strict);
  ListWriter lists(tree, root, folder);
  const bool mvtec = tree.products == &mvtec_products();
  mvtec ? write_mvtec(lists) : write_visa(lists);
  fmt::print(stderr, "{}: {} lists of {}\n", folder.string(), lists.files(), tree.set);
  tell_if_far(folder / (mvtec ? "train.json" : "split/11_train.json"));
  return 0;
}

}  // namespace uad::tools
