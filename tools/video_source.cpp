// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/video_source.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <gst/app/gstappsink.h>

#include "core/base/error.h"
#include "gst-plugins/common/mapped_frame.h"
#include "tools/mp4_check.h"

namespace uad::tools {
namespace {

constexpr GstClockTime kPatience = 10 * GST_SECOND;  // for one frame of a local file
constexpr GstClockTime kGlance = 100 * GST_MSECOND;

constexpr std::array kExtensions{".mp4", ".mkv", ".avi", ".mov", ".webm", ".ts", ".mpg", ".m4v"};

std::optional<std::int64_t> to_index(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

/// A decoded frame, mapped for as long as somebody looks at it.
class MappedSample {
 public:
  explicit MappedSample(SamplePtr sample)
      : sample_(std::move(sample)), frame_(info(), buffer(), GST_MAP_READ, kFullWhite) {}

  [[nodiscard]] FrameView view() const { return frame_.view(); }

 private:
  [[nodiscard]] GstVideoInfo info() const {
    GstVideoInfo info;
    if (gst_video_info_from_caps(&info, gst_sample_get_caps(sample_.get())) == 0) {
      throw Error(ErrorCode::kFailed, "The decoder offered a pixel format outside the caps.");
    }
    return info;
  }
  [[nodiscard]] GstBuffer* buffer() const { return gst_sample_get_buffer(sample_.get()); }

  SamplePtr sample_;
  gst::MappedFrame frame_;  // of sample_'s buffer
};

}  // namespace

FrameRange parse_frame_range(const std::string& text) {
  if (text.empty()) return {};
  const std::size_t dash = text.find('-');
  const auto first = to_index(std::string_view(text).substr(0, dash));
  std::optional<std::int64_t> last = first;
  bool open = false;
  if (dash != std::string::npos) {
    open = dash + 1 == text.size();
    last = to_index(std::string_view(text).substr(dash + 1));
  }
  if (!first || (!open && (!last || *last < *first))) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Option \"frames\" must be A-B with A not above B (both counted from 0 "
                            "and included), but is \"{}\".",
                            text));
  }
  return {*first, open ? std::nullopt : last};
}

bool has_video_extension(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return std::tolower(c); });
  return std::ranges::find(kExtensions, extension) != kExtensions.end();
}

VideoSource::VideoSource(std::filesystem::path file, FrameRange range)
    : file_(std::move(file)), range_(range) {
  if (!std::filesystem::is_regular_file(file_)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("Video \"{}\" does not exist. Check the path.", file_.string()));
  }
}

void VideoSource::start() {
  // Before GStreamer sees it: decodebin may drop the error of a demuxer that fails while it is
  // being tried out, and then nothing ever comes.
  if (const std::string missing = missing_from_mp4(file_); !missing.empty()) {
    throw Error(
        ErrorCode::kBadFile,
        fmt::format("Video \"{}\" is cut off: {}. Copy the file again.", file_.string(), missing));
  }
  // videoconvert passes everything on untouched that is in the list.
  pipeline_ = std::make_unique<Pipeline>(
      "filesrc name=file ! decodebin ! videoconvert ! "
      "appsink name=sink sync=false max-buffers=4 "
      "caps=\"video/x-raw,format=" UAD_VIDEO_FORMATS "\"");
  g_object_set(pipeline_->element("file").get(), "location", file_.c_str(), nullptr);
  sink_ = pipeline_->element("sink");
  position_ = 0;
  end_ = 0;
  promised_ = 0;
  pipeline_->play();
}

/// Throws what an element said went wrong.
void VideoSource::check_errors() const {
  try {
    pipeline_->check_bus();
  } catch (const Error& error) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("Video \"{}\" cannot be decoded after frame {}: {}. Copy the file "
                            "again, or see whether another player opens it.",
                            file_.string(), position_, error.what()),
                error.detail());
  }
}

SamplePtr VideoSource::pull() {
  GstAppSink* sink = GST_APP_SINK(sink_.get());
  // In short waits, because an element that fails before the sink is linked leaves it waiting; and
  // decodebin swallows the error of a demuxer that fails while it is being tried out.
  for (GstClockTime waited = 0; waited < kPatience; waited += kGlance) {
    auto sample = SamplePtr::adopt(gst_app_sink_try_pull_sample(sink, kGlance));
    if (sample) {
      note_time(gst_sample_get_buffer(sample.get()));
      return sample;
    }
    check_errors();
    if (gst_app_sink_is_eos(sink) != 0) return {};
  }
  throw Error(ErrorCode::kBadFile,
              fmt::format("Video \"{}\" gives no frame {} within {} s; it is cut off or holds no "
                          "pictures. Copy the file again.",
                          file_.string(), position_, kPatience / GST_SECOND));
}

/// Keeps what is needed to tell the end of a video from the end of a file that was cut off.
void VideoSource::note_time(GstBuffer* buffer) {
  gint64 length = 0;
  if (promised_ == 0 &&
      gst_element_query_duration(pipeline_->get(), GST_FORMAT_TIME, &length) != 0) {
    promised_ = static_cast<GstClockTime>(std::max<gint64>(length, 0));
  }
  if (!GST_BUFFER_PTS_IS_VALID(buffer)) return;
  end_ = GST_BUFFER_PTS(buffer);
  if (GST_BUFFER_DURATION_IS_VALID(buffer)) end_ += GST_BUFFER_DURATION(buffer);
}

void VideoSource::check_end() const {
  if (position_ == 0) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("Video \"{}\" has not one readable frame; it is cut off or holds no "
                            "pictures. Copy the file again.",
                            file_.string()));
  }
  // Sound may outlast the pictures a little, and some headers only estimate.
  const GstClockTime slack = std::max<GstClockTime>(GST_SECOND / 2, promised_ / 10);
  if (end_ + slack < promised_) {
    throw Error(
        ErrorCode::kBadFile,
        fmt::format("Video \"{}\" is cut off: it promises {:.1f} s but ends after {:.1f} s. "
                    "Copy the file again.",
                    file_.string(), static_cast<double>(promised_) / GST_SECOND,
                    static_cast<double>(end_) / GST_SECOND));
  }
  if (position_ <= range_.first || (range_.last && position_ <= *range_.last)) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("Video \"{}\" ends after frame {}, before the end of the frames asked "
                            "for ({}). Copy the file again if it should be longer, or change "
                            "--frames.",
                            file_.string(), position_ - 1,
                            range_.last ? fmt::format("{}-{}", range_.first, *range_.last)
                                        : fmt::format("{}-", range_.first)));
  }
}

std::optional<LabelledFrame> VideoSource::next() {
  if (!pipeline_) start();
  while (!range_.last || position_ <= *range_.last) {
    SamplePtr sample = pull();
    if (!sample) {
      check_end();
      return std::nullopt;
    }
    const std::int64_t index = position_++;
    if (index < range_.first) continue;
    LabelledFrame frame;
    frame.name = fmt::format("{}#{}", file_.string(), index);
    const auto mapped = std::make_shared<const MappedSample>(std::move(sample));
    frame.view = mapped->view();
    frame.storage = mapped;
    return frame;
  }
  return std::nullopt;
}

void VideoSource::rewind() {
  sink_.reset();
  pipeline_.reset();
  position_ = 0;
}

std::size_t VideoSource::size() const noexcept {
  return range_.last ? static_cast<std::size_t>(*range_.last - range_.first + 1) : 0;
}

}  // namespace uad::tools
