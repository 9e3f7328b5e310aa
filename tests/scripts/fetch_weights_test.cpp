// SPDX-License-Identifier: LGPL-2.1-or-later
// scripts/fetch-weights against a file server on loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace uad {
namespace {

using test::read_bytes;
using test::write_bytes;
using testing::eventually;
using ::testing::HasSubstr;
using testing::lines_of;

class FetchWeights : public ::testing::Test {
 protected:
  FetchWeights()
      : bytes_(300'000, 'w'),
        name_("tiny-afc935fc.pth"),  // the first digits of their SHA-256
        server_(root() + "/tests/scripts/weights_server.py " + (folder_ / "site").string() + " " +
                (folder_ / "port").string()) {
    write_bytes(folder_ / "site" / name_, bytes_);
    EXPECT_TRUE(eventually([this] { return std::filesystem::exists(folder_ / "port"); }));
    address_ = "http://127.0.0.1:" + read_bytes(folder_ / "port");
  }
  static std::string root() { return std::getenv("UAD_SOURCE_ROOT"); }
  /// Runs the script against address/kind. @return the exit code; what it says is in said().
  int fetch(const std::string& kind, const std::string& name) {
    return fetch_from(address_ + "/" + kind, name);
  }
  int fetch_from(const std::string& url, const std::string& name) {
    const std::string line = "UAD_WEIGHTS_URL=" + url + " " + root() + "/scripts/fetch-weights " +
                             (folder_ / "weights").string() + " " + name + " >" +
                             (folder_ / "said").string() + " 2>&1";
    return WEXITSTATUS(std::system(line.c_str()));
  }
  [[nodiscard]] std::string said() const { return read_bytes(folder_ / "said"); }
  [[nodiscard]] std::vector<std::string> requests() const {
    return lines_of(folder_ / "site" / "LOG");
  }
  [[nodiscard]] std::filesystem::path file() const { return folder_ / "weights" / name_; }
  [[nodiscard]] std::filesystem::path part() const {
    return folder_ / "weights" / (".part." + name_);
  }

  test::TempDir folder_;
  std::string bytes_;
  std::string name_;
  testing::Background server_;
  std::string address_;
};

TEST_F(FetchWeights, FileIsFetchedOnceAndLeftAloneAfterwards) {
  EXPECT_EQ(fetch("ranges", name_), 0) << said();
  EXPECT_EQ(read_bytes(file()), bytes_);
  EXPECT_FALSE(std::filesystem::exists(part()));
  EXPECT_EQ(fetch("ranges", name_), 0);
  EXPECT_THAT(said(), HasSubstr("is there"));
  EXPECT_EQ(requests().size(), 1U);
}

TEST_F(FetchWeights, BrokenDownloadGoesOnWhereItStopped) {
  EXPECT_EQ(fetch("breaks", name_), 1);
  EXPECT_THAT(said(), HasSubstr("broke off"));
  EXPECT_THAT(said(), HasSubstr("goes on where it stopped"));
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_EQ(fetch("ranges", name_), 0) << said();
  EXPECT_EQ(read_bytes(file()), bytes_);
  EXPECT_EQ(requests().back(), "/ranges/" + name_ + " 150000");
}

TEST_F(FetchWeights, ServerThatCannotResumeIsAskedFromTheBeginning) {
  write_bytes(part(), bytes_.substr(0, 1000));
  EXPECT_EQ(fetch("whole", name_), 0) << said();
  EXPECT_EQ(read_bytes(file()), bytes_);
}

TEST_F(FetchWeights, PartThatIsTooLongIsFetchedAnew) {
  write_bytes(part(), bytes_ + "and more");
  EXPECT_EQ(fetch("ranges", name_), 0) << said();
  EXPECT_EQ(read_bytes(file()), bytes_);
}

TEST_F(FetchWeights, WrongChecksumKeepsNothing) {
  write_bytes(folder_ / "site" / name_, bytes_ + "altered");
  EXPECT_EQ(fetch("ranges", name_), 1);
  EXPECT_THAT(said(), HasSubstr(name_ + " does not have the SHA-256"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "weights"));
}

TEST_F(FetchWeights, FileThatIsAlteredHereIsFetchedAgain) {
  write_bytes(file(), "altered");
  EXPECT_EQ(fetch("ranges", name_), 0) << said();
  EXPECT_EQ(read_bytes(file()), bytes_);
}

TEST_F(FetchWeights, AbsentFileIsToldWithItsAddress) {
  EXPECT_EQ(fetch("ranges", "resnet18"), 1);
  EXPECT_THAT(said(), HasSubstr(address_ + "/ranges/resnet18-f37072fd.pth is not there"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "weights"));
}

TEST_F(FetchWeights, NoNetworkIsToldWithWhatToDo) {
  EXPECT_EQ(fetch_from("http://127.0.0.1:1", name_), 1);
  EXPECT_THAT(said(), HasSubstr("cannot be reached. Check the network"));
  EXPECT_EQ(fetch_from("http://weights.invalid", name_), 1);
  EXPECT_THAT(said(), HasSubstr("cannot be reached. Check the network"));
}

TEST_F(FetchWeights, UnknownNameIsToldWithTheKnownOnes) {
  EXPECT_EQ(fetch("ranges", "resnet19"), 2);
  EXPECT_THAT(said(), HasSubstr("\"resnet19\" is unknown"));
  EXPECT_THAT(said(), HasSubstr("wide_resnet50_2"));
}

}  // namespace
}  // namespace uad
