// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/demo_video.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <fmt/format.h>
#include <gst/app/gstappsrc.h>

#include "core/base/error.h"
#include "core/loaded_model.h"
#include "tools/pipeline.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEncoder =
    "video/x-raw,format=I420 ! x264enc speed-preset=veryfast pass=quant quantizer=18 "
    "key-int-max=25 ! mp4mux";

std::string quoted(const fs::path& file) { return fmt::format("\"{}\"", file.string()); }

/// libuad as this program has it, so that the elements use the very same.
fs::path own_backend() {
  Dl_info info{};
  const auto* address = reinterpret_cast<const void*>(&uad::load_model);
  return dladdr(address, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

/// Installed: GStreamer knows the plug-in. In the build folder: it lies beside this program's.
void find_plugin() {
  init_gstreamer();
  setenv("UAD_BACKEND", own_backend().c_str(), 0);
  const auto known = [] {
    GstElementFactory* factory = gst_element_factory_find("uadinfer");
    if (factory == nullptr) return false;
    gst_object_unref(factory);
    return true;
  };
  if (known()) return;
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& folder : {program.parent_path() / "gst-plugins", fs::path(UAD_PLUGIN_DIR)}) {
    gst_registry_scan_path(gst_registry_get(), folder.c_str());
    if (known()) return;
  }
  throw Error(ErrorCode::kNotFound,
              "The GStreamer elements of gst-uad were not found. Build everything, or set "
              "GST_PLUGIN_PATH to the folder of libgstuad.so.");
}

void push_frame(GstAppSrc* source, const Image& image, int index) {
  // Rows of raw RGB video start at multiples of 4 bytes.
  const std::size_t row = static_cast<std::size_t>(image.width) * 3;
  const std::size_t stride = (row + 3) / 4 * 4;
  GstBuffer* buffer =
      gst_buffer_new_allocate(nullptr, stride * static_cast<std::size_t>(image.height), nullptr);
  for (int y = 0; y < image.height; ++y) {
    const auto line = static_cast<std::size_t>(y);
    gst_buffer_fill(buffer, line * stride, image.pixels.data() + line * row, row);
  }
  GST_BUFFER_PTS(buffer) =
      gst_util_uint64_scale(static_cast<guint64>(index), GST_SECOND, kDemoFramesPerSecond);
  GST_BUFFER_DURATION(buffer) = GST_SECOND / kDemoFramesPerSecond;
  gst_app_src_push_buffer(source, buffer);  // takes the buffer
}

FrameVerdict read_result(const GstStructure* fields) {
  FrameVerdict result;
  gst_structure_get_double(fields, "score", &result.score);
  const char* verdict = gst_structure_get_string(fields, "verdict");
  result.verdict = verdict != nullptr ? verdict : "";
  return result;
}

}  // namespace

void record_video(const fs::path& file, int count, const std::function<Image(int)>& draw,
                  const ProgressFn& progress) {
  const Image first = draw(0);
  Pipeline pipeline(fmt::format(
      "appsrc name=source format=time block=true max-bytes=8000000 "
      "caps=\"video/x-raw,format=RGB,width={},height={},framerate={}/1\" ! videoconvert ! {} ! "
      "filesink location={}",
      first.width, first.height, kDemoFramesPerSecond, kEncoder, quoted(file)));
  pipeline.play();
  const ElementPtr source = pipeline.element("source");
  for (int i = 0; i < count; ++i) {
    push_frame(GST_APP_SRC(source.get()), i == 0 ? first : draw(i), i);
    pipeline.check_bus();
    progress(static_cast<double>(i + 1) / count, "drawing the video");
  }
  gst_app_src_end_of_stream(GST_APP_SRC(source.get()));
  pipeline.run_to_end();
}

std::string judge_pipeline(const fs::path& model, const fs::path& video,
                           const fs::path& annotated) {
  return fmt::format(
      "filesrc location={} ! decodebin ! uadpreproc model={} ! uadinfer model={} ! uadoverlay ! "
      "videoconvert ! {} ! filesink location={}",
      quoted(video), quoted(model), quoted(model), kEncoder, quoted(annotated));
}

std::vector<FrameVerdict> run_judge_pipeline(const std::string& description, int frames,
                                             const ProgressFn& progress) {
  find_plugin();
  Pipeline pipeline(description);
  pipeline.play();
  std::vector<FrameVerdict> results;
  pipeline.run_to_end([&](GstMessage* message) {
    const GstStructure* fields = gst_message_get_structure(message);
    if (fields == nullptr || gst_structure_has_name(fields, "uad-result") == 0) return;
    results.push_back(read_result(fields));
    progress(static_cast<double>(results.size()) / frames, "judging the video");
  });
  return results;
}

}  // namespace uad::tools
