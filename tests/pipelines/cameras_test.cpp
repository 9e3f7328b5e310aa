// SPDX-License-Identifier: LGPL-2.1-or-later
// The recipes for cameras, against real peers: an RTSP server, a simulated GigE Vision camera, a
// recorded MJPEG stream.
#include "tests/pipelines/recipe.h"
#include "tests/support/temp_dir.h"

namespace uad::testing {
namespace {

using namespace std::chrono_literals;

bool has_factory(const char* name) {
  return static_cast<bool>(
      gst::ObjectPtr<GstElementFactory>::adopt(gst_element_factory_find(name)));
}

class Cameras : public RecipeTest {
 protected:
  std::string server(const std::string& port = "0") const {
    return std::string(UAD_SOURCE_ROOT) + "/tests/pipelines/rtsp_server.py " + in_folder("port") +
           " " + port;
  }
  /// Where the server listens; "" if it never does.
  std::string port() const {
    const auto file = folder() / "port";
    return eventually([&] { return std::filesystem::exists(file); }) ? lines_of(file)[0] : "";
  }
};

TEST_F(Cameras, RtspCameraThatVanishesIsFoundAgainAndNothingIsOverwritten) {
  std::optional<Background> camera(server());
  const std::string at = port();
  ASSERT_NE(at, "") << "needs python3-gi and gir1.2-gst-rtsp-server-1.0 (scripts/setup)";
  Background line(command("keep-running", "--longest-wait 1 " + command("rtsp-camera", "") +
                                              model() + " rtsp://127.0.0.1:" + at + "/camera " +
                                              in_folder("rec") + " --segment 1 --silence 2 2>" +
                                              in_folder("log")));
  ASSERT_TRUE(eventually([&] { return files("rec").size() >= 2; })) << "no recording";
  camera->signal(SIGSTOP);  // as with a pulled cable: nothing comes, and nobody says goodbye
  ASSERT_TRUE(eventually([&] {
    return test::read_bytes(folder() / "log").find("ended with code 1") != std::string::npos;
  }));
  camera.reset();
  const auto before = files("rec");
  const std::string first = test::read_bytes(before[0]);
  camera.emplace(server(at));
  ASSERT_TRUE(eventually([&] { return files("rec").size() >= before.size() + 2; }))
      << "not found again";
  EXPECT_EQ(line.stop(SIGINT), 0);
  EXPECT_EQ(test::read_bytes(before[0]), first);
  for (const auto& recording : files("rec")) EXPECT_GT(frames_in(recording), 0) << recording;
}

TEST_F(Cameras, GenicamCameraIsJudged) {
  if (!has_factory("aravissrc")) GTEST_SKIP() << "aravissrc is not installed (libaravis-0.8-0)";
  Background camera("arv-fake-gv-camera-0.8 -i 127.0.0.1 -s UAD");
  std::this_thread::sleep_for(300ms);
  ASSERT_TRUE(camera.running()) << "needs aravis-tools (scripts/setup)";
  // As root, Aravis listens on the first network card itself, where packets of this host to itself
  // do not pass. A busy machine may lose packets, and with them whole frames.
  const std::string line =
      (geteuid() == 0 ? "setpriv --bounding-set=-net_raw " : "") +
      command("genicam-camera", model() +
                                    " --camera Aravis-Fake-UAD --options 'packet-size=8000 "
                                    "num-buffers=2' --sink 'pngenc ! multifilesink location=" +
                                    in_folder("frame-%d.png") + "'");
  int code = 1;
  for (int attempt = 0; code != 0 && attempt < 3; ++attempt) code = std::system(line.c_str());
  EXPECT_EQ(code, 0);
  EXPECT_EQ(run_pipeline("filesrc location=" + in_folder("frame-0.png") +
                         " ! pngdec ! video/x-raw,width=512,height=512 ! fakesink"),
            "");
}

TEST_F(Cameras, UsbCameraDeliversMjpeg) {
  ASSERT_EQ(run_pipeline("videotestsrc num-buffers=10 ! video/x-raw,width=320,height=240,"
                         "framerate=30/1 ! jpegenc ! avimux ! filesink location=" +
                         in_folder("camera.avi")),
            "");
  EXPECT_EQ(run("usb-camera",
                model() + " --size 320x240 --source 'filesrc location=" + in_folder("camera.avi") +
                    " ! avidemux' --sink 'jpegenc ! avimux ! filesink location=" +
                    in_folder("out.avi") + "'"),
            0);
  EXPECT_EQ(frames_in(folder() / "out.avi"), 10);
}

TEST_F(Cameras, TwoCamerasShareOneModel) {
  const std::string camera = "videotestsrc is-live=true num-buffers=20 ! video/x-raw,width=64";
  setenv("UAD_STUB_LOADS", in_folder("loads").c_str(), 1);
  EXPECT_EQ(run("two-cameras", model() + " --first '" + camera + "' --second '" + camera +
                                   ",height=50' --sink fakesink"),
            0);
  unsetenv("UAD_STUB_LOADS");
  EXPECT_EQ(lines_of(folder() / "loads").size(), 1U);
}

TEST_F(Cameras, TriggeredCameraHasEachResultBeforeTheNextFrame) {
  const std::string white =
      "pattern=white num-buffers=2 ! video/x-raw,width=64,height=48,framerate=1/2";
  Background line(command(
      "triggered-camera",
      model() + " " + in_folder("parts") + " --source 'videotestsrc is-live=true " + white + "'"));
  ASSERT_TRUE(eventually([&] { return !files("parts").empty(); }));
  const auto first = std::chrono::steady_clock::now();
  EXPECT_TRUE(line.running());
  ASSERT_TRUE(eventually([&] { return files("parts").size() == 2; }));
  EXPECT_GT(std::chrono::steady_clock::now() - first, 1s) << "the first waited for the second";
  ASSERT_TRUE(eventually([&] { return !line.running(); }));
  ASSERT_EQ(run_pipeline("videotestsrc " + white + " ! videoconvert ! uadinfer model=" + model() +
                         " ! uadoverlay ! videoconvert ! pngenc ! multifilesink location=" +
                         in_folder("judged.png")),
            "");
  for (const auto& part : files("parts")) {
    EXPECT_EQ(test::read_bytes(part), test::read_bytes(folder() / "judged.png")) << part;
  }
}

TEST_F(Cameras, KeepRunningGivesUpOnWrongUsageOnly) {
  EXPECT_EQ(run("keep-running", "sh -c 'exit 2'"), 2);
  Background again(command("keep-running",
                           "sh -c 'echo again >>" + in_folder("runs") + "; exit 1' 2>/dev/null"));
  EXPECT_TRUE(eventually([&] { return lines_of(folder() / "runs").size() >= 2; }));
  EXPECT_EQ(again.stop(SIGTERM), 0);
}

}  // namespace
}  // namespace uad::testing
