// SPDX-License-Identifier: LGPL-2.1-or-later
// pipelines/reject-gate and docs/examples/read_results.py: verdicts leave the process.
#include <cmath>

#include <arpa/inet.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>

#include "tests/pipelines/recipe.h"

namespace uad::testing {
namespace {

using nlohmann::json;

/// Accepts one connection on 127.0.0.1 and reads it to its end.
class Listener {
 public:
  Listener() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, any, size) != 0 || listen(socket_, 1) != 0) return;
    getsockname(socket_, any, &size);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { close(socket_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string text() const {
    const int peer = accept(socket_, nullptr, nullptr);
    std::string text;
    char bytes[4096];
    for (ssize_t n = 0; (n = read(peer, bytes, sizeof bytes)) > 0;) {
      text.append(bytes, static_cast<std::size_t>(n));
    }
    close(peer);
    return text;
  }

 private:
  int socket_;
  int port_ = 0;
};

class Gate : public RecipeTest {
 protected:
  /// Frames of one grey: black passes, white is rejected.
  static std::string frames(const std::string& pattern, int count) {
    return " --source 'videotestsrc pattern=" + pattern + " num-buffers=" + std::to_string(count) +
           " ! video/x-raw,width=64,height=48'";
  }
  [[nodiscard]] std::string level() const {
    const auto lines = lines_of(folder() / "gpio");
    return lines.empty() ? "" : lines[0];
  }
};

TEST_F(Gate, EachVerdictIsALineInTheFileAndOnTheSocket) {
  const Listener plant;
  ASSERT_EQ(run("reject-gate", model() + frames("white", 3) + " --log " + in_folder("log") +
                                   " --socket " + plant.address()),
            0);
  const auto lines = lines_of(folder() / "log");
  ASSERT_EQ(lines.size(), 3U);
  std::string together;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const json line = json::parse(lines[i]);
    EXPECT_EQ(line.at("frame"), i);
    EXPECT_EQ(line.at("verdict"), "REJECT");
    EXPECT_NEAR(line.at("score").get<double>(), 1, 0.02);
    EXPECT_EQ(line.at("utc").get<std::string>().size(), 27U);
    together += lines[i] + "\n";
  }
  EXPECT_EQ(plant.text(), together);
}

TEST_F(Gate, OutputLetsGoodPartsPassAndFailsSafe) {
  Background gate(command("reject-gate", model() + " --output " + in_folder("gpio") +
                                             " --source 'videotestsrc is-live=true pattern=black ! "
                                             "video/x-raw,width=64,height=48'"));
  EXPECT_TRUE(eventually([&] { return level() == "0"; })) << "PASS opens the gate";
  EXPECT_EQ(gate.stop(SIGTERM), 0);
  EXPECT_EQ(level(), "1") << "the end closes it";
}

TEST_F(Gate, OutputRejectsBadParts) {
  ASSERT_EQ(run("reject-gate", model() + frames("white", 2) + " --output " + in_folder("gpio")), 0);
  EXPECT_EQ(level(), "1");
}

TEST_F(Gate, PartsAreToldInsteadOfFrames) {
  ASSERT_EQ(run("reject-gate", model() + frames("white", 6) +
                                   " --parts 'part-boundary=period part-period=100 part-rule=2/3'"
                                   " --log " +
                                   in_folder("log") + " --output " + in_folder("gpio")),
            0);
  const auto lines = lines_of(folder() / "log");
  ASSERT_EQ(lines.size(), 2U) << "three frames of 30 a second each";
  const json line = json::parse(lines[1]);
  EXPECT_EQ(line.at("part"), 1);
  EXPECT_EQ(line.at("verdict"), "REJECT");
  EXPECT_EQ(line.at("why"), "2 of 3 frames were bad");
  EXPECT_EQ(line.at("analysed"), 3);
  EXPECT_EQ(line.at("worst-width"), 64);
  EXPECT_EQ(level(), "1");
}

TEST_F(Gate, PartWithoutAVerdictKeepsTheGateClosed) {
  Background gate(
      command("reject-gate", model({.load_delay_ms = 1000}) + " --output " + in_folder("gpio") +
                                 " --parts 'part-boundary=period part-period=100 part-rule=9/9'" +
                                 " --log " + in_folder("log") +
                                 " --source 'videotestsrc is-live=true pattern=black ! "
                                 "video/x-raw,width=64,height=48'"));
  ASSERT_TRUE(eventually([&] { return lines_of(folder() / "log").size() >= 2; }));
  EXPECT_EQ(json::parse(lines_of(folder() / "log")[0]).at("verdict"), "UNSCORED");
  EXPECT_EQ(level(), "1");
}

TEST_F(Gate, SilentCameraClosesTheGate) {
  Background gate(command(
      "reject-gate",
      model() + " --max-age 200 --output " + in_folder("gpio") +
          " --source 'videotestsrc is-live=true pattern=black ! video/x-raw,width=64,height=48,"
          "framerate=1/4'"));
  ASSERT_TRUE(eventually([&] { return level() == "0"; }));
  EXPECT_TRUE(eventually([&] { return level() == "1"; }, std::chrono::seconds(4)));
}

TEST_F(Gate, ListenerThatIsAwayAndModelThatIsMissingAreTold) {
  EXPECT_EQ(run("reject-gate", model() + frames("black", 2) + " --log " + in_folder("log") +
                                   " --socket 127.0.0.1:1 2>" + in_folder("err")),
            0)
      << "the gate goes on without its listener";
  EXPECT_EQ(lines_of(folder() / "log").size(), 2U);
  EXPECT_NE(lines_of(folder() / "err").at(0).find("127.0.0.1:1"), std::string::npos);
  EXPECT_EQ(run("reject-gate", "/nowhere/x.uad" + frames("black", 2) + " --output " +
                                   in_folder("gpio") + " 2>" + in_folder("err")),
            1);
  EXPECT_NE(lines_of(folder() / "err").at(0).find("/nowhere/x.uad"), std::string::npos);
  EXPECT_EQ(level(), "1");
}

TEST_F(Gate, ExamplePrintsEachVerdict) {
  const std::string line = std::string(UAD_SOURCE_ROOT) +
                           "/docs/examples/read_results.py 'videotestsrc pattern=white "
                           "num-buffers=3 ! video/x-raw,width=64,height=48 ! uadinfer model=" +
                           model() + " ! fakesink' >" + in_folder("out");
  ASSERT_EQ(std::system(line.c_str()), 0);
  const auto lines = lines_of(folder() / "out");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[2].substr(0, 2), "2 ");
  EXPECT_NE(lines[2].find(" REJECT 1"), std::string::npos) << lines[2];
}

}  // namespace
}  // namespace uad::testing
