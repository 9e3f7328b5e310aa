// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/mvtec.h"

#include <map>
#include <set>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/data/image_folder.h"

namespace uad {
namespace {

namespace fs = std::filesystem;

class Reader {
 public:
  Reader(const fs::path& root, bool strict) : root_(root), strict_(strict) {}

  Dataset read() {
    Dataset found{name_of_folder(root_), {}, {}};
    found.test = part("test");
    found.train = part("train");
    if (found.train.empty() && found.test.empty()) {
      throw Error(
          ErrorCode::kNotFound,
          fmt::format("'{}' has neither a folder 'train/good' nor 'test'.", root_.string()));
    }
    for (const auto& [kind, masks] : masks_) masks.check_used(strict_);
    return found;
  }

 private:
  std::vector<ImageItem> part(const char* name) {
    std::vector<ImageItem> items;
    const fs::path part = root_ / name;
    if (!is_folder(part)) return items;
    for (const fs::path& folder : folders_in(part)) {
      const std::vector<fs::path> images = images_in(folder);
      const std::string kind = folder.filename().string();
      if (images.empty() && kind == "good" && part.filename() == "train") refuse_empty(folder);
      if (images.empty()) complain(strict_, fmt::format("'{}' has no image.", folder.string()));
      for (const fs::path& image : images) {
        const bool defective = kind != "good";
        items.push_back({image, kind, defective, defective ? mask_of(kind, image) : fs::path()});
      }
    }
    if (items.empty()) refuse_empty(part);
    return items;
  }

  fs::path mask_of(const std::string& kind, const fs::path& image) {
    const auto masks =
        masks_.try_emplace(kind, root_ / "ground_truth" / kind, std::string("_mask")).first;
    const fs::path mask = masks->second.take(image);
    return taken_.insert(mask).second ? mask : fs::path();
  }

  const fs::path& root_;
  bool strict_;
  std::map<std::string, MaskFolder> masks_;  // by kind
  std::set<fs::path> taken_;
};

}  // namespace

bool is_mvtec(const fs::path& root) {
  return is_folder(root / "train" / "good") || is_folder(root / "test");
}

Dataset list_mvtec(const fs::path& root, bool strict) { return Reader(root, strict).read(); }

}  // namespace uad
