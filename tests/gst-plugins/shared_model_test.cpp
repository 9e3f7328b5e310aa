// SPDX-License-Identifier: LGPL-2.1-or-later
// Several uadinfer with one model file: one model in memory, common batches, no harm to each other.
#include <thread>

#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

using namespace std::chrono_literals;

class SharedModel : public ElementTest {};

double score_of(const BufferPtr& buffer) {
  const UadResultMeta* meta = buffer ? uad_buffer_get_result_meta(buffer.get()) : nullptr;
  return meta != nullptr ? uad_result_meta_get_score(meta) : -1;
}

TEST_F(SharedModel, EightInstancesLoadItOnce) {
  const std::string line = "uadinfer model=" + model();
  Harness first(line);
  ASSERT_TRUE(first.through(10, 0));
  const int loads = stub_counter("uad_stub_loads");
  const int models = stub_counter("uad_stub_live_models");
  std::vector<std::unique_ptr<Harness>> others;
  for (int i = 0; i < 7; ++i) {
    others.push_back(std::make_unique<Harness>(line));
    ASSERT_TRUE(others.back()->through(10, 0));
  }
  EXPECT_EQ(stub_counter("uad_stub_loads"), loads);
  EXPECT_EQ(stub_counter("uad_stub_live_models"), models);
}

TEST_F(SharedModel, FramesOfTwoStreamsGoThroughTheNetworkTogether) {
  const std::string line = "uadinfer model=" + model();
  Harness a(line);
  Harness b(line);
  const auto both = [&](int number) {
    std::jthread other([&] { EXPECT_NEAR(score_of(b.through(200, number)), 200 / 255.0, 1e-5); });
    EXPECT_NEAR(score_of(a.through(100, number)), 100 / 255.0, 1e-5);
  };
  both(0);  // now each knows of the other
  g_object_set(a.element("uadinfer").get(), "batch-timeout", 20000, nullptr);
  g_object_set(b.element("uadinfer").get(), "batch-timeout", 20000, nullptr);
  stub_counter("uad_stub_largest_batch");  // forgets what was before
  both(1);
  EXPECT_EQ(stub_counter("uad_stub_largest_batch"), 2);
}

TEST_F(SharedModel, AFrameOfOneStreamWaitsForTheOtherNoLongerThanTheTimeout) {
  const std::string line = "uadinfer batch-timeout=50 model=" + model();
  Harness silent(line);
  Harness h(line);
  ASSERT_TRUE(silent.through(0, 0));
  EXPECT_NEAR(score_of(h.through(100, 0)), 100 / 255.0, 1e-5);
}

TEST_F(SharedModel, AFastCameraDoesNotStarveASlowOne) {
  const std::string file = model({.delay_ms = 20});
  Harness fast("uadinfer frames-in-flight=32 batch-size=1 messages=none model=" + file);
  Harness slow("uadinfer batch-size=1 messages=none model=" + file);
  ASSERT_TRUE(slow.through(0, 0));
  std::jthread camera([&](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i) fast.push(0, i);
  });
  while (gst_harness_buffers_received(fast.get()) == 0) std::this_thread::sleep_for(1ms);
  const guint before = gst_harness_buffers_received(fast.get());
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(slow.through(0, i));
  EXPECT_LE(gst_harness_buffers_received(fast.get()) - before, 15U)
      << "of the 32 that wait, few overtake five of the slow one";
}

TEST_F(SharedModel, OneThatFailsOrChangesItsModelLeavesTheOtherAlone) {
  const std::string file = model();
  Harness a("uadinfer model=" + file);
  Harness b("uadinfer model=" + file);
  ASSERT_TRUE(a.through(0, 0));
  ASSERT_TRUE(b.through(0, 0));
  const std::string other = model({.offset = 0.6}, "other.uad");
  g_object_set(a.element("uadinfer").get(), "model", other.c_str(), nullptr);
  ASSERT_TRUE(a.message(GST_MESSAGE_ELEMENT, "uad-model-changed"));
  EXPECT_NEAR(score_of(a.through(0, 1)), 0.6, 1e-5);
  EXPECT_NEAR(score_of(b.through(0, 1)), 0, 1e-5);
  gboolean undone = FALSE;
  g_signal_emit_by_name(a.element("uadinfer").get(), "undo", &undone);
  EXPECT_TRUE(undone);
  EXPECT_NEAR(score_of(a.through(0, 2)), 0, 1e-5);
  EXPECT_TRUE(b.messages("uad-model-changed").empty());
  gst_element_set_state(a.element("uadinfer").get(), GST_STATE_NULL);
  EXPECT_NEAR(score_of(b.through(100, 2)), 100 / 255.0, 1e-5);
}

}  // namespace
}  // namespace uad::testing
