// SPDX-License-Identifier: LGPL-2.1-or-later
// A set of frames that is read one after the other: image folders here, a video file in tools/.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/pixels/frame_view.h"
#include "core/base/pixels/image.h"

namespace uad {

struct LabelledFrame {
  std::string name;           ///< path, or "video.mp4#17"
  std::string kind = "good";  ///< folder name of the defect kind
  bool defective = false;
  std::string product = {};             ///< that it shows, in sets of several; "" = not told
  FrameView view;                       ///< points into `storage`
  std::shared_ptr<const void> storage;  ///< keeps the pixels alive
  std::optional<Image>
      mask;  ///< 1 channel, size of the frame, non-zero = defect; absent for good frames
};

struct SkippedFrame {
  std::string name;
  std::string reason;
};

/// @note One thread. Frames come in a fixed order, the same after every rewind.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  /// The next readable frame, or nothing at the end. Unreadable ones are skipped and listed.
  [[nodiscard]] virtual std::optional<LabelledFrame> next() = 0;
  virtual void rewind() = 0;
  /// Number of frames, 0 if unknown before the end.
  [[nodiscard]] virtual std::size_t size() const noexcept = 0;
  /// Frames skipped since the last rewind.
  [[nodiscard]] virtual const std::vector<SkippedFrame>& skipped() const noexcept = 0;
};

}  // namespace uad
