// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames of a running camera as a set to train on: kept in memory, small.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "core/base/pixels/image.h"
#include "core/data/frame_source.h"

namespace uad {

/// Frames are good ones, named by their number. @note add(), count() and front() are thread-safe;
/// reading is for one thread, after the last add().
class FrameStore final : public FrameSource {
 public:
  /// @param min_difference  see add(); grey levels (0…255), 0 = every frame is taken.
  explicit FrameStore(double min_difference) : min_difference_(min_difference) {}

  /// @return false if the mean absolute difference to the last frame that was taken is below
  /// `min_difference`, as of a camera that stands still or repeats itself.
  bool add(Image image);
  [[nodiscard]] std::size_t count() const;
  /// The first frame; null while there is none.
  [[nodiscard]] std::shared_ptr<const Image> front() const;

  [[nodiscard]] std::optional<LabelledFrame> next() override;
  void rewind() override { position_ = 0; }
  [[nodiscard]] std::size_t size() const noexcept override { return count(); }
  [[nodiscard]] const std::vector<SkippedFrame>& skipped() const noexcept override {
    return skipped_;
  }

 private:
  double min_difference_;
  mutable std::mutex lock_;  // guards `frames_`
  std::vector<std::shared_ptr<const Image>> frames_;
  std::size_t position_ = 0;
  std::vector<SkippedFrame> skipped_;  // none: whatever is here was readable
};

}  // namespace uad
