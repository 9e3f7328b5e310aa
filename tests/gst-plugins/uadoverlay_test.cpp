// SPDX-License-Identifier: LGPL-2.1-or-later
// uadoverlay: paints where there is a result, and nowhere else.
#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

class Uadoverlay : public ElementTest {
 protected:
  std::string line(const std::string& file, const std::string& overlay = "") {
    return "uadinfer model=" + file + " ! uadoverlay " + overlay;
  }
};

/// Bytes of the buffer that are not `value`.
std::size_t painted(const BufferPtr& buffer, int value) {
  GstMapInfo map;
  gst_buffer_map(buffer.get(), &map, GST_MAP_READ);
  std::size_t count = 0;
  for (gsize i = 0; i < map.size; ++i) count += map.data[i] == value ? 0 : 1;
  gst_buffer_unmap(buffer.get(), &map);
  return count;
}

constexpr char kRgb[] = "video/x-raw,format=RGB,width=320,height=240,framerate=25/1";

TEST_F(Uadoverlay, FrameWithoutResultIsTheVerySameBuffer) {
  Harness h("uadoverlay");
  const BufferPtr in = h.frame(77, 0);
  gst_harness_push(h.get(), BufferPtr(in).release());
  const auto out = BufferPtr::adopt(gst_harness_pull(h.get()));
  EXPECT_EQ(out.get(), in.get());
  EXPECT_EQ(painted(out, 77), 0U);
}

TEST_F(Uadoverlay, RejectedFrameIsTinted) {
  Harness h(line(model(), "banner=false legend=false boxes=false contour=false"), kRgb);
  EXPECT_GT(painted(h.through(200, 0), 200), 320U * 240U);
}

TEST_F(Uadoverlay, PassingFrameHasOnlyItsBanner) {
  Harness h(line(model(), "legend=false"), kRgb);
  const BufferPtr with_banner = h.through(10, 0);
  EXPECT_GT(painted(with_banner, 10), 0U);
  g_object_set(h.element("uadoverlay").get(), "banner", FALSE, nullptr);
  EXPECT_EQ(painted(h.through(10, 1), 10), 0U);
}

TEST_F(Uadoverlay, EverythingSwitchedOffPaintsNothing) {
  Harness h(line(model(), "heatmap=false contour=false boxes=false banner=false legend=false"),
            kRgb);
  EXPECT_EQ(painted(h.through(200, 0), 200), 0U);
}

TEST_F(Uadoverlay, SharedPixelsAreNotPaintedOver) {
  Harness h(line(model()), kRgb);
  const BufferPtr in = h.frame(200, 0);
  gst_harness_push(h.get(), BufferPtr(in).release());
  const auto out = BufferPtr::adopt(gst_harness_pull(h.get()));
  EXPECT_GT(painted(out, 200), 0U);
  EXPECT_EQ(painted(in, 200), 0U) << "somebody else still holds this buffer";
}

TEST_F(Uadoverlay, EveryFormatAndOddSizesArePainted) {
  const std::string file = model();
  for (const char* format : {"GRAY8", "I420", "NV12", "RGB", "BGR", "RGBx", "BGRx", "xRGB", "xBGR",
                             "RGBA", "BGRA", "ARGB", "ABGR"}) {
    for (const char* size : {"width=321,height=241", "width=1,height=1"}) {
      Harness h(line(file),
                "video/x-raw,framerate=25/1,format=" + std::string(format) + "," + size);
      EXPECT_TRUE(h.through(200, 0)) << format << " " << size;
    }
  }
}

TEST_F(Uadoverlay, WorksBehindVideoscaleAndVideoconvert) {
  Harness h("uadinfer model=" + model() +
                " ! videoscale ! video/x-raw,width=400,height=300 ! videoconvert ! "
                "video/x-raw,format=I420 ! uadoverlay",
            kRgb);
  const BufferPtr out = h.through(200, 0);
  ASSERT_TRUE(out);
  UadRegion region{};
  ASSERT_TRUE(uad_result_meta_get_region(uad_buffer_get_result_meta(out.get()), 0, &region));
  EXPECT_EQ(region.width, 400);
}

}  // namespace
}  // namespace uad::testing
