// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/dataset.h"

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/data/image_io.h"
#include "core/files/sha256.h"

namespace uad {
namespace {

namespace fs = std::filesystem;

class ImageSource final : public FrameSource {
 public:
  ImageSource(std::vector<ImageItem> items, bool strict)
      : items_(std::move(items)), strict_(strict) {}

  std::optional<LabelledFrame> next() override {
    while (next_ < items_.size()) {
      const ImageItem& item = items_[next_++];
      try {
        return load(item);
      } catch (const Error& e) {
        if (strict_) throw;
        log(LogLevel::kWarning, e.what());
        skipped_.push_back({item.image.string(), e.what()});
      }
    }
    return std::nullopt;
  }
  void rewind() override {
    next_ = 0;
    missing_masks_ = 0;
    skipped_.clear();
  }
  std::size_t size() const noexcept override { return items_.size(); }
  const std::vector<SkippedFrame>& skipped() const noexcept override { return skipped_; }
  std::size_t missing_masks() const noexcept override { return missing_masks_; }

 private:
  LabelledFrame load(const ImageItem& item) {
    const auto image = std::make_shared<const Image>(read_image(item.image));
    LabelledFrame frame{item.image.string(), item.kind, item.defective, view(*image), image, {}};
    if (item.defective) {
      try {
        frame.mask = load_mask(item, *image);
      } catch (const Error& e) {
        if (strict_) throw;
        log(LogLevel::kWarning, e.what());
        ++missing_masks_;
      }
    }
    return frame;
  }

  static Image load_mask(const ImageItem& item, const Image& image) {
    if (item.mask.empty()) {
      throw Error(ErrorCode::kNotFound,
                  fmt::format("Defective image '{}' has no mask.", item.image.string()));
    }
    Image mask = read_mask(item.mask);
    if (mask.width != image.width || mask.height != image.height) {
      throw Error(
          ErrorCode::kShapeMismatch,
          fmt::format("Mask '{}' has {}x{} pixels, its image has {}x{}.", item.mask.string(),
                      mask.width, mask.height, image.width, image.height));
    }
    return mask;
  }

  std::vector<ImageItem> items_;
  bool strict_;
  std::size_t next_ = 0;
  std::size_t missing_masks_ = 0;
  std::vector<SkippedFrame> skipped_;
};

/// Entries that `wanted` accepts, sorted bytewise, hidden ones left out.
template <class Wanted>
std::vector<fs::path> entries(const fs::path& folder, Wanted&& wanted) {
  std::vector<fs::path> found;
  std::error_code failure;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end;
       it.increment(failure)) {
    if (!it->path().filename().string().starts_with('.') && wanted(*it)) {
      found.push_back(it->path());
    }
  }
  if (failure) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("Folder '{}' cannot be read: {}.", folder.string(), failure.message()));
  }
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    return a.filename().string() < b.filename().string();
  });
  return found;
}

std::vector<fs::path> images_in(const fs::path& folder) {
  return entries(folder, [](const fs::directory_entry& entry) {
    std::error_code ignored;
    return has_image_extension(entry.path()) && entry.is_regular_file(ignored);
  });
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  return entries(folder, [](const fs::directory_entry& entry) {
    std::error_code ignored;
    return entry.is_directory(ignored);
  });
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

[[noreturn]] void refuse_empty(const fs::path& folder) {
  throw Error(ErrorCode::kNotFound,
              fmt::format("Folder '{}' holds no image (.png, .jpg, .jpeg, .bmp, .tif, .tiff).",
                          folder.string()));
}

/// Masks of one kind by the stem of the image they belong to.
std::map<std::string, fs::path> masks_in(const fs::path& folder) {
  std::map<std::string, fs::path> masks;
  if (!is_folder(folder)) return masks;
  constexpr std::string_view kSuffix = "_mask";
  for (const fs::path& file : images_in(folder)) {
    std::string stem = file.stem().string();
    const bool suffixed = stem.ends_with(kSuffix);
    if (suffixed) stem.resize(stem.size() - kSuffix.size());
    if (suffixed) {
      masks[stem] = file;  // goes before a bare stem
    } else {
      masks.emplace(stem, file);
    }
  }
  return masks;
}

std::string name_of(const fs::path& path) {
  const fs::path clean = fs::absolute(path).lexically_normal();
  return (clean.has_filename() ? clean : clean.parent_path()).filename().string();
}

/// "a, b, c" for the hint of an error, shortened.
std::string names(const std::vector<fs::path>& folders) {
  std::string text;
  for (std::size_t i = 0; i < folders.size() && i < 8; ++i) {
    text += (i == 0 ? "" : ", ") + folders[i].filename().string();
  }
  return folders.size() > 8 ? text + ", ..." : text;
}

}  // namespace

std::unique_ptr<FrameSource> open_images(std::vector<ImageItem> items, bool strict) {
  return std::make_unique<ImageSource>(std::move(items), strict);
}

Dataset list_mvtec(const fs::path& root) {
  Dataset found{name_of(root), {}, {}};
  const fs::path train = root / "train" / "good";
  if (is_folder(train)) {
    for (const fs::path& file : images_in(train)) found.train.push_back({file, "good", false, {}});
    if (found.train.empty()) refuse_empty(train);
  }
  const fs::path test = root / "test";
  if (is_folder(test)) {
    for (const fs::path& folder : folders_in(test)) {
      const std::string kind = folder.filename().string();
      const bool defective = kind != "good";
      const auto masks = masks_in(root / "ground_truth" / kind);
      for (const fs::path& file : images_in(folder)) {
        const auto mask = masks.find(file.stem().string());
        const bool paired = defective && mask != masks.end();
        found.test.push_back({file, kind, defective, paired ? mask->second : fs::path()});
      }
    }
    if (found.test.empty()) refuse_empty(test);
  }
  if (found.train.empty() && found.test.empty()) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("'{}' has neither a folder 'train/good' nor 'test'.", root.string()));
  }
  return found;
}

Dataset list_folder(const fs::path& path) {
  Dataset found{name_of(path), {}, {}};
  if (!is_there(path)) {
    throw Error(ErrorCode::kNotFound, fmt::format("'{}' does not exist.", path.string()));
  }
  if (!is_folder(path)) {
    found.train.push_back({path, "good", false, {}});
    return found;
  }
  for (const fs::path& file : images_in(path)) found.train.push_back({file, "good", false, {}});
  if (found.train.empty()) refuse_empty(path);
  return found;
}

Dataset list_parts(const fs::path& root) {
  Dataset found{name_of(root), {}, {}};
  if (!is_there(root)) {
    throw Error(ErrorCode::kNotFound, fmt::format("'{}' does not exist.", root.string()));
  }
  const std::vector<fs::path> parts = is_folder(root) ? folders_in(root) : std::vector<fs::path>();
  if (parts.empty()) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("'{}' holds no folder; with one folder a part, put the images of each "
                            "part into a folder of its own.",
                            root.string()));
  }
  for (const fs::path& part : parts) {
    const std::vector<fs::path> images = images_in(part);
    if (images.empty()) refuse_empty(part);
    for (const fs::path& file : images) found.train.push_back({file, "good", false, {}});
  }
  return found;
}

bool is_labelled_set(const fs::path& path) {
  return is_folder(path / "train" / "good") || is_folder(path / "test");
}

Dataset list_dataset(const fs::path& path) {
  if (is_labelled_set(path)) return list_mvtec(path);
  if (is_folder(path) && images_in(path).empty()) {
    const std::vector<fs::path> inside = folders_in(path);
    if (!inside.empty()) {
      throw Error(ErrorCode::kNotFound,
                  fmt::format("'{}' holds neither images nor a folder 'train/good'; name one of "
                              "the folders inside: {}.",
                              path.string(), names(inside)));
    }
  }
  return list_folder(path);
}

std::string data_sha256(const std::vector<ImageItem>& items) {
  Sha256 sha;
  for (const ImageItem& item : items) {
    // The file's own hash has a fixed length, so no two lists run into the same text.
    const std::string line =
        item.image.filename().string() + '\0' + sha256_of_file(item.image) + '\n';
    sha.add(line.data(), line.size());
  }
  return sha.hex();
}

}  // namespace uad
