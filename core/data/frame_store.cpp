// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/frame_store.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

namespace uad {
namespace {

double mean_difference(const Image& a, const Image& b) {
  if (a.pixels.size() != b.pixels.size()) return 255;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    sum += static_cast<unsigned>(std::abs(int{a.pixels[i]} - int{b.pixels[i]}));
  }
  return static_cast<double>(sum) / static_cast<double>(a.pixels.size());
}

}  // namespace

bool FrameStore::add(Image image) {
  const std::lock_guard guard(lock_);
  if (!frames_.empty() && mean_difference(*frames_.back(), image) < min_difference_) return false;
  frames_.push_back(std::make_shared<const Image>(std::move(image)));
  return true;
}

std::size_t FrameStore::count() const {
  const std::lock_guard guard(lock_);
  return frames_.size();
}

std::shared_ptr<const Image> FrameStore::front() const {
  const std::lock_guard guard(lock_);
  return frames_.empty() ? nullptr : frames_.front();
}

std::optional<LabelledFrame> FrameStore::next() {
  const std::lock_guard guard(lock_);
  if (position_ == frames_.size()) return std::nullopt;
  const std::shared_ptr<const Image>& image = frames_[position_];
  LabelledFrame frame;
  frame.name = std::to_string(position_++);
  frame.view = view(*image);
  frame.storage = image;
  return frame;
}

}  // namespace uad
