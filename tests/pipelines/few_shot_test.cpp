// SPDX-License-Identifier: LGPL-2.1-or-later
// Few-shot training on the line: a stream of good panels through uadtrain, then a panel is judged.
#include <fmt/format.h>
#include <gst/gst.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/files/manifest.h"
#include "core/data/image_io.h"
#include "core/demo/panel.h"
#include "core/files/model_file.h"
#include "tests/pipelines/one_frame.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/run_program.h"

namespace uad {
namespace {

using demo::Mura;
using demo::Severity;

constexpr int kPanels = 12;

/// The first error or warning on the bus, "" if the stream ends without one.
std::string run_to_the_end(const std::string& line) {
  gst_init(nullptr, nullptr);
  const auto pipeline = gst::ObjectPtr<GstElement>::adopt(gst_parse_launch(line.c_str(), nullptr));
  const auto bus = gst::ObjectPtr<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus.get(), 240 * GST_SECOND,
      static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
  std::string why = message == nullptr ? "no end" : "";
  if (message != nullptr && GST_MESSAGE_TYPE(message) != GST_MESSAGE_EOS) {
    GError* error = nullptr;
    const bool fatal = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
    (fatal ? gst_message_parse_error : gst_message_parse_warning)(message, &error, nullptr);
    why = error->message;
    g_error_free(error);
  }
  if (message != nullptr) gst_message_unref(message);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return why;
}

class FewShots : public ::testing::Test {
 protected:
  FewShots() {
    for (int i = 0; i < kPanels; ++i) draw(fmt::format("{:02}.png", i), i, Mura::kNone);
    draw("defect.png", 50, Mura::kLine);
  }
  void draw(const std::string& name, int seed, Mura mura) const {
    const Severity severity = mura == Mura::kNone ? Severity::kLight : Severity::kSerious;
    write_png(folder_ / name,
              demo::draw_panel({160, 96}, static_cast<std::uint64_t>(seed), mura, severity).image);
  }
  [[nodiscard]] std::string line(const std::string& more) const {
    return "multifilesrc location=" + (folder_ / "%02d.png").string() +
           fmt::format(" index=0 stop-index={} caps=image/png,framerate=10/1 ! ", kPanels - 1) +
           "pngdec ! video/x-raw,format=RGB ! uadtrain method=uf-gan output=" + model() +
           " options=\"options,size=32,win_size=64,meta_iters=2,inner_iters=1,task_size=2,shots=5,"
           "statistics=reestimated\" " +
           more + " ! fakesink";
  }
  [[nodiscard]] std::string model() const { return (folder_ / "panel.uad").string(); }
  test::TempDir folder_;
};

TEST_F(FewShots, ALineLearnsPanelsAndJudgesThemInSquaresOfItsEnds) {
  ASSERT_EQ(run_to_the_end(line(fmt::format("frames={} memory-budget=0", kPanels))), "");
  const Manifest manifest = read_manifest(model());
  EXPECT_EQ(manifest.method, "uf-gan");
  EXPECT_EQ(manifest.training.images, kPanels - 5);  // held out for the thresholds
  EXPECT_EQ(manifest.input.resize, (Size{32, 32}));
  EXPECT_TRUE(manifest.input.cover);
  EXPECT_FALSE(manifest.input.antialias);

  const std::string image = folder_ / "defect.png";
  const test::FrameAnswer frame =
      test::judge_png(image, model(), "uadpreproc model=" + model() + " !");
  EXPECT_EQ(frame.map.size(), 53U * 32);  // 160x96 with the shorter side at 32
  const auto predicted = test::run_uad({"predict", "--model", model(), image, "--json", "-"});
  ASSERT_EQ(predicted.code, 0) << predicted.err;
  nlohmann::json answer = nlohmann::json::parse(predicted.out);
  if (answer.is_array()) answer = answer.at(0);
  EXPECT_NEAR(frame.score, answer.at("score").get<double>(), 1e-5 * frame.score);
}

TEST_F(FewShots, ABudgetTooSmallForTheNetworksIsRefusedWithTheOneThatSuffices) {
  const std::string why = run_to_the_end(line(fmt::format("frames={} memory-budget=200", kPanels)));
  EXPECT_NE(why.find("Set memory-budget to"), std::string::npos) << why;
}

}  // namespace
}  // namespace uad
