// SPDX-License-Identifier: LGPL-2.1-or-later
// Streams as bad cameras send them: no timestamps, timestamps that jump, torn buffers, caps that
// change.
#include <memory>

#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

using namespace std::chrono_literals;

constexpr char kSmaller[] = "video/x-raw,format=GRAY8,width=32,height=24,framerate=25/1";

class BadStream : public ElementTest {
 protected:
  /// On a live source, with the model in service.
  std::unique_ptr<Harness> live(const StubOptions& options = {}) {
    auto h = std::make_unique<Harness>("uadinfer model=" + model(options), Harness::kGrey, true);
    EXPECT_TRUE(h->wait_for_model());
    return h;
  }
};

UadVerdict verdict_on(const BufferPtr& out) {
  const UadResultMeta* meta = out ? uad_buffer_get_result_meta(out.get()) : nullptr;
  EXPECT_NE(meta, nullptr);
  return meta != nullptr ? uad_result_meta_get_verdict(meta) : UAD_VERDICT_UNSCORED;
}

BufferPtr through_without_timestamp(Harness& h, int value) {
  BufferPtr in = h.frame(value, 0);
  GST_BUFFER_PTS(in.get()) = GST_BUFFER_DURATION(in.get()) = GST_CLOCK_TIME_NONE;
  EXPECT_EQ(gst_harness_push(h.get(), in.release()), GST_FLOW_OK);
  return BufferPtr::adopt(gst_harness_try_pull(h.get()));
}

TEST_F(BadStream, FramesWithoutTimestampsGetTheirOwnVerdicts) {
  Harness h("uadinfer model=" + model());
  EXPECT_EQ(verdict_on(through_without_timestamp(h, 200)), UAD_VERDICT_REJECT);
  const BufferPtr out = through_without_timestamp(h, 10);
  EXPECT_EQ(verdict_on(out), UAD_VERDICT_PASS);
  EXPECT_EQ(uad_result_meta_get_pts(uad_buffer_get_result_meta(out.get())), GST_CLOCK_TIME_NONE);
}

TEST_F(BadStream, LiveFramesWithoutTimestampsCarryTheLatestVerdictByArrival) {
  const auto h = live();
  through_without_timestamp(*h, 200);
  ASSERT_TRUE(h->message(GST_MESSAGE_ELEMENT, "uad-result"));
  const BufferPtr out = through_without_timestamp(*h, 200);
  EXPECT_EQ(verdict_on(out), UAD_VERDICT_REJECT);
  EXPECT_LT(uad_result_meta_get_age(uad_buffer_get_result_meta(out.get())), GST_SECOND);
}

TEST_F(BadStream, JumpOfTheTimestampsIsUnscoredUntilTheNextResult) {
  const auto h = live();
  for (const int jump : {1000, 0, 5000}) {  // ahead of what was, back, ahead again
    const BufferPtr first = h->through(200, jump);
    EXPECT_EQ(verdict_on(first), UAD_VERDICT_UNSCORED) << jump;
    ASSERT_TRUE(h->message(GST_MESSAGE_ELEMENT, "uad-result"));
    EXPECT_EQ(verdict_on(h->through(200, jump + 1)), UAD_VERDICT_REJECT) << jump;
    ASSERT_TRUE(h->message(GST_MESSAGE_ELEMENT, "uad-result"));
  }
}

TEST_F(BadStream, TornBufferInMidStreamIsAnErrorOfEveryElement) {
  const std::string file = model();
  for (const std::string& element :
       {"uadinfer model=" + file, "uadpreproc model=" + file, std::string("uadoverlay")}) {
    Harness h(element);
    ASSERT_TRUE(h.through(10, 0)) << element;
    BufferPtr torn = h.frame(10, 1);
    gst_buffer_set_size(torn.get(), 1000);
    if (element == "uadoverlay") {  // touches only frames with something to paint
      Harness judged("uadinfer model=" + file);
      const BufferPtr result = judged.through(200, 1);
      gst_buffer_copy_into(torn.get(), result.get(), GST_BUFFER_COPY_META, 0, -1);
    }
    EXPECT_EQ(gst_harness_push(h.get(), torn.release()), GST_FLOW_ERROR) << element;
    const std::string text = text_of(h.message(GST_MESSAGE_ERROR));
    EXPECT_NE(text.find("1000 bytes cannot be mapped as 64x48"), std::string::npos) << text;
  }
}

TEST_F(BadStream, ResultOfAnotherFrameSizeIsNotCarriedOn) {
  const auto h = live({.delay_ms = 100});
  h->through(200, 0);
  ASSERT_TRUE(h->message(GST_MESSAGE_ELEMENT, "uad-result"));
  EXPECT_EQ(verdict_on(h->through(200, 1)), UAD_VERDICT_REJECT);
  h->set_caps(kSmaller);
  EXPECT_EQ(verdict_on(h->through(200, 2)), UAD_VERDICT_UNSCORED);
  BufferPtr out;
  for (int i = 3; i < 20 && verdict_on(out = h->through(200, i)) != UAD_VERDICT_REJECT; ++i) {
    h->message(GST_MESSAGE_ELEMENT, "uad-result", 1s);
  }
  UadRegion region{};
  ASSERT_TRUE(uad_result_meta_get_region(uad_buffer_get_result_meta(out.get()), 0, &region));
  EXPECT_EQ(region.width, 32);
  EXPECT_EQ(region.height, 24);
}

TEST_F(BadStream, CapsMayChangeWithUadpreprocInFront) {
  const std::string file = model();
  Harness h("uadpreproc model=" + file + " ! uadinfer model=" + file + " ! uadoverlay");
  EXPECT_EQ(verdict_on(h.through(200, 0)), UAD_VERDICT_REJECT);
  h.set_caps("video/x-raw,format=I420,width=31,height=17,framerate=5/1");
  EXPECT_EQ(verdict_on(h.through(16, 1)), UAD_VERDICT_PASS);
}

TEST_F(BadStream, ChangeToUnsupportedCapsIsRefused) {
  Harness h("uadinfer model=" + model());
  ASSERT_TRUE(h.through(10, 0));
  h.set_caps("video/x-raw,format=P010_10LE,width=64,height=48,framerate=25/1");
  EXPECT_EQ(h.push(10, 1), GST_FLOW_NOT_NEGOTIATED);
}

}  // namespace
}  // namespace uad::testing
