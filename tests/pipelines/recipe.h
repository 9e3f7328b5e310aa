// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs the scripts of pipelines/ over the stub backend and looks at what they write.
#pragma once

#include <algorithm>
#include <cstdlib>

#include <sys/wait.h>

#include "tests/gst-plugins/fixture.h"
#include "tests/support/process.h"

namespace uad::testing {

class RecipeTest : public ElementTest {
 protected:
  using Path = std::filesystem::path;

  static std::string command(const std::string& recipe, const std::string& arguments) {
    return std::string(UAD_SOURCE_ROOT) + "/pipelines/" + recipe + " " + arguments;
  }
  /// @return the exit code.
  static int run(const std::string& recipe, const std::string& arguments) {
    return WEXITSTATUS(std::system(command(recipe, arguments).c_str()));
  }
  [[nodiscard]] std::string in_folder(const std::string& name) const {
    return (folder() / name).string();
  }
  /// Sorted; none if the folder is not there yet.
  [[nodiscard]] std::vector<Path> files(const std::string& sub) const {
    std::vector<Path> found;
    std::error_code absent;
    for (const auto& entry : std::filesystem::directory_iterator(folder() / sub, absent)) {
      found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  /// Frames of a video file that decode; -1 if it is broken.
  static int frames_in(const Path& file) {
    const std::string line = "filesrc location=" + file.string() +
                             " ! decodebin ! fakesink name=sink signal-handoffs=true sync=false";
    const auto pipeline =
        gst::ObjectPtr<GstElement>::adopt(gst_parse_launch(line.c_str(), nullptr));
    GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink");
    int count = 0;
    g_signal_connect(sink, "handoff",
                     G_CALLBACK(+[](GstElement*, GstBuffer*, GstPad*, int* n) { ++*n; }), &count);
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    GstBus* bus = gst_element_get_bus(pipeline.get());
    const auto end = MessagePtr::adopt(gst_bus_timed_pop_filtered(
        bus, 30 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    gst_object_unref(bus);
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    gst_object_unref(sink);
    return end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS ? count : -1;
  }
};

}  // namespace uad::testing
