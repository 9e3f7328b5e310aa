// SPDX-License-Identifier: LGPL-2.1-or-later
// One image through the elements over the real backend.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include "gst-plugins/common/ptr.h"
#include "gst-plugins/meta/gstuadresultmeta.h"

namespace uad::test {

struct FrameAnswer {
  double score = 0;
  UadVerdict verdict = UAD_VERDICT_UNSCORED;
  unsigned regions = 0;
  std::vector<float> map;
};

/// What uadinfer says of a PNG. @param before, after  elements around it, each with its "!".
inline FrameAnswer judge_png(const std::filesystem::path& image, const std::filesystem::path& model,
                             const std::string& before = "", const std::string& after = "") {
  gst_init(nullptr, nullptr);
  const std::string line =
      "filesrc location=" + image.string() + " ! pngdec ! video/x-raw,format=RGB ! " + before +
      " uadinfer model=" + model.string() + " ! " + after + " appsink name=sink";
  const auto pipeline = gst::ObjectPtr<GstElement>::adopt(gst_parse_launch(line.c_str(), nullptr));
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink");
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  FrameAnswer answer;
  if (GstSample* sample = gst_app_sink_try_pull_sample(GST_APP_SINK(sink), 60 * GST_SECOND)) {
    const UadResultMeta* meta = uad_buffer_get_result_meta(gst_sample_get_buffer(sample));
    int width = 0;
    int height = 0;
    const float* map = uad_result_meta_get_map(meta, &width, &height);
    answer.score = uad_result_meta_get_score(meta);
    answer.verdict = uad_result_meta_get_verdict(meta);
    answer.regions = uad_result_meta_get_n_regions(meta);
    answer.map.assign(map, map + static_cast<std::ptrdiff_t>(width) * height);
    gst_sample_unref(sample);
  } else {
    ADD_FAILURE() << "no frame came out of " << line;
  }
  gst_object_unref(sink);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return answer;
}

}  // namespace uad::test
