// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/image_source.h"

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/data/image_io.h"
#include "core/data/read_ahead.h"

namespace uad {
namespace {

struct Loaded {
  LabelledFrame frame;
  std::string trouble;  ///< why its mask is missing; "" = nothing is wrong with it
};

Image load_mask(const ImageItem& item, const Image& image) {
  if (item.mask.empty() && item.draw_mask) return item.draw_mask(image.width, image.height);
  if (item.mask.empty()) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("Defective image '{}' has no mask.", item.image.string()));
  }
  Image mask = read_mask(item.mask);
  if (mask.width != image.width || mask.height != image.height) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("Mask '{}' has {}x{} pixels, its image has {}x{}.", item.mask.string(),
                            mask.width, mask.height, image.width, image.height));
  }
  return mask;
}

Loaded load(const ImageItem& item, const ImageSourceOptions& options) {
  const auto image = std::make_shared<const Image>(read_image(item.image));
  Loaded loaded{
      {item.image.string(), item.kind, item.defective, item.product, view(*image), image, {}}, {}};
  if (!item.defective) return loaded;
  if (!options.masks && item.mask.empty() && !item.draw_mask) return loaded;
  try {
    loaded.frame.mask = load_mask(item, *image);
  } catch (const Error& error) {
    if (options.strict) throw;
    loaded.trouble = error.what();
  }
  return loaded;
}

class ImageSource final : public FrameSource {
 public:
  ImageSource(std::vector<ImageItem> items, const ImageSourceOptions& options)
      : items_(std::move(items)), options_(options) {
    constexpr std::size_t kMostThreads = 4;  // beyond, whoever analyses is always slower
    if (options_.threads == 0) {
      options_.threads =
          std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMostThreads);
    }
  }

  std::optional<LabelledFrame> next() override {
    if (!ahead_) begin();
    for (;;) {
      const std::size_t index = ahead_->position();
      try {
        std::optional<Loaded> loaded = ahead_->next();
        if (!loaded) return std::nullopt;
        if (!loaded->trouble.empty()) log(LogLevel::kWarning, loaded->trouble);
        return std::move(loaded->frame);
      } catch (const Error& error) {
        if (options_.strict) throw;
        log(LogLevel::kWarning, error.what());
        skipped_.push_back({items_[index].image.string(), error.what()});
      }
    }
  }
  void rewind() override {
    ahead_.reset();
    skipped_.clear();
  }
  std::size_t size() const noexcept override { return items_.size(); }
  const std::vector<SkippedFrame>& skipped() const noexcept override { return skipped_; }

 private:
  void begin() {
    ahead_.emplace(
        items_.size(), [this](std::size_t i) { return load(items_[i], options_); },
        options_.threads, options_.threads * std::max<std::size_t>(1, options_.ahead));
  }

  std::vector<ImageItem> items_;
  ImageSourceOptions options_;
  std::vector<SkippedFrame> skipped_;
  std::optional<ReadAhead<Loaded>> ahead_;  // last: its threads read the items
};

}  // namespace

std::unique_ptr<FrameSource> open_images(std::vector<ImageItem> items,
                                         const ImageSourceOptions& options) {
  return std::make_unique<ImageSource>(std::move(items), options);
}

}  // namespace uad
