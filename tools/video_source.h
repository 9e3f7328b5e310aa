// SPDX-License-Identifier: LGPL-2.1-or-later
// The frames of a video file, decoded by GStreamer into the format it has: the same pixels, and the
// same conversion after them, as in a pipeline.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/data/frame_source.h"
#include "tools/pipeline.h"

namespace uad::tools {

/// Frames counted from 0, both ends included.
struct FrameRange {
  std::int64_t first = 0;
  std::optional<std::int64_t> last;  ///< nothing = to the end
};

/// "A-B", "A-" or "A"; "" = all. @throws Error(kBadOption).
FrameRange parse_frame_range(const std::string& text);

/// .mp4 .mkv .avi .mov .webm .ts .mpg .m4v in any case.
bool has_video_extension(const std::filesystem::path& file);

/// All frames are good ones. @note One thread.
class VideoSource final : public FrameSource {
 public:
  /// @throws Error(kNotFound) if there is no such file.
  VideoSource(std::filesystem::path file, FrameRange range);

  /// @throws Error(kBadFile) if the video cannot be decoded, is cut off, or ends inside the range.
  [[nodiscard]] std::optional<LabelledFrame> next() override;
  void rewind() override;
  [[nodiscard]] std::size_t size() const noexcept override;
  [[nodiscard]] const std::vector<SkippedFrame>& skipped() const noexcept override {
    return skipped_;
  }

 private:
  void start();
  [[nodiscard]] SamplePtr pull();
  void check_errors() const;
  void note_time(GstBuffer* buffer);
  void check_end() const;

  std::filesystem::path file_;
  FrameRange range_;
  std::unique_ptr<Pipeline> pipeline_;
  ElementPtr sink_;
  std::int64_t position_ = 0;  // of the next frame
  GstClockTime end_ = 0;       // of the last frame, in the file's time
  GstClockTime promised_ = 0;  // length of the file by its header; 0 = unknown
  std::vector<SkippedFrame> skipped_;
};

}  // namespace uad::tools
