// SPDX-License-Identifier: LGPL-2.1-or-later
// uad train under mpirun: several processes, one model; and what happens when one of them fails.
#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process.h"
#include "tests/tools/uad_fixture.h"

namespace uad {
namespace {

using std::filesystem::path;
using test::ProgramResult;
using test::read_bytes;
using test::run_uad;
using testing::Background;
using testing::eventually;
using ::testing::HasSubstr;
using testing::lines_of;
namespace fs = std::filesystem;

std::string mpirun(int count) {
  return fmt::format(
      "env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 mpirun "
      "--oversubscribe --bind-to none -n {}",
      count);
}

/// Columns of a run's curves, without those of time.
std::vector<std::vector<double>> curve_of(const path& run) {
  std::vector<std::vector<double>> rows;
  for (const std::string& line : lines_of(run / "curves.csv")) {
    std::vector<double> row;
    std::istringstream cells(line);
    std::size_t column = 0;
    for (std::string cell; std::getline(cells, cell, ','); ++column) {
      if (column != 2 && !rows.empty()) row.push_back(cell.empty() ? 0 : std::stod(cell));
    }
    rows.push_back(row);
  }
  rows.erase(rows.begin());
  return rows;
}

class ProcessesOfUad : public test::Uad {
 protected:
  void SetUp() override {
    if (std::system("mpirun --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "mpirun is missing.";
    const path library = path(std::getenv("UAD_BUILD_ROOT")) / "core/distributed/libuad-mpi.so";
    if (!fs::exists(library)) GTEST_SKIP() << "This build is without MPI.";
  }

  /// A network of 32 pixels, which takes a step in some tens of milliseconds.
  std::vector<std::string> quick(const std::string& name, int iterations = 4,
                                 const std::vector<std::string>& more = {}) {
    std::vector<std::string> args{"train", "--method",      "uf-gan",     "--data",
                                  data(),  "--output",      output(name), "--size",
                                  "32",    "--win-size",    "64",         "--do-eval",
                                  "false", "--shots",       "6",          "--task-size",
                                  "6",     "--inner-iters", "1"};
    args.insert(args.end(), {"--eval-interval", "1", "--meta-iters", std::to_string(iterations)});
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
  std::string output(const std::string& name) { return (folder_ / (name + ".uad")).string(); }
  path run_folder(const std::string& name) { return folder_ / (name + ".run"); }

  /// In the background, with what it says in "said".
  std::string in_background(int count, const std::vector<std::string>& args) {
    std::string line = mpirun(count) + " " + std::getenv("UAD_PROGRAM");
    for (const std::string& arg : args) line += " '" + arg + "'";
    return line + " >/dev/null 2>'" + said().string() + "'";
  }
  path said() { return folder_ / "said"; }
  /// Of the process of that number, which mpirun names in its environment.
  static pid_t process(int rank) {
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string environment = read_bytes(entry.path() / "environ");
      const std::string name = read_bytes(entry.path() / "comm");
      if (name != "uad\n" ||
          environment.find(fmt::format("OMPI_COMM_WORLD_RANK={}", rank)) == std::string::npos) {
        continue;
      }
      return std::stoi(entry.path().filename().string());
    }
    return 0;
  }
};

TEST_F(ProcessesOfUad, LearnTheCurveOfOneProcess) {
  ASSERT_EQ(run_uad(quick("1"), "OMP_NUM_THREADS=1").code, 0);
  const auto alone = curve_of(run_folder("1"));
  ASSERT_EQ(alone.size(), 4U);
  for (const int count : {2, 4}) {
    const std::string name = std::to_string(count);
    const ProgramResult result = run_uad(quick(name), mpirun(count));
    ASSERT_EQ(result.code, 0) << result.err;
    const auto together = curve_of(run_folder(name));
    ASSERT_EQ(together.size(), alone.size());
    for (std::size_t row = 0; row < alone.size(); ++row) {
      for (std::size_t i = 0; i < alone[row].size(); ++i) {
        EXPECT_NEAR(together[row][i], alone[row][i], 1e-3 * std::abs(alone[row][i]) + 1e-6)
            << "row " << row << ", column " << i << " of " << count;
      }
    }
    EXPECT_TRUE(fs::exists(output(name)));
  }
}

TEST_F(ProcessesOfUad, FeaturesOfSharesMakeTheSameModel) {
  for (const std::string method : {"patchcore", "padim"}) {
    std::vector<std::string> args{"train", "--method", method,  "--data", data(), "--backbone",
                                  "gabor", "--resize", "64x64", "--json", "-"};
    args.insert(args.end(), {"--output", output("one")});
    const ProgramResult alone = run_uad(args, "OMP_NUM_THREADS=1");
    args.back() = output("two");
    const ProgramResult together = run_uad(args, mpirun(2));
    ASSERT_EQ(alone.code, 0) << alone.err;
    ASSERT_EQ(together.code, 0) << together.err;
    const auto one = nlohmann::json::parse(alone.out);
    const auto two = nlohmann::json::parse(together.out);
    EXPECT_EQ(two["images"], one["images"]);
    const double rounding = method == "padim" ? 1e-5 : 0;  // its sums are made in another order
    const auto& images = one["evaluation"]["images"];
    ASSERT_EQ(images.size(), 8U);
    for (std::size_t i = 0; i < images.size(); ++i) {
      const auto score = images[i]["score"].get<double>();
      EXPECT_NEAR(two["evaluation"]["images"][i]["score"].get<double>(), score, rounding * score);
    }
    for (const char* figure : {"reject_threshold", "warn_threshold"}) {
      const auto expected = one[figure].get<double>();
      EXPECT_NEAR(two[figure].get<double>(), expected, rounding * expected) << method;
    }
  }
}

TEST_F(ProcessesOfUad, OneThatIsKilledEndsTheOthersAndResumingGivesTheSameModel) {
  ASSERT_EQ(run_uad(quick("whole", 8), mpirun(2)).code, 0);
  {
    Background run(in_background(2, quick("cut", 8)));
    ASSERT_TRUE(eventually([&] { return fs::exists(run_folder("cut") / "last.ckpt"); },
                           std::chrono::seconds(60)));
    const pid_t victim = process(1);
    ASSERT_GT(victim, 0);
    kill(victim, SIGKILL);
    EXPECT_TRUE(eventually([&] { return !run.running(); }));
    EXPECT_NE(run.stop(SIGKILL), 0);
  }
  EXPECT_FALSE(fs::exists(output("cut")));
  EXPECT_THAT(read_bytes(said()), HasSubstr("--resume goes on from it"));
  const ProgramResult resumed = run_uad(quick("cut", 8, {"--resume"}), mpirun(2));
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(curve_of(run_folder("cut")), curve_of(run_folder("whole")));
}

TEST_F(ProcessesOfUad, OneThatHangsIsNoticed) {
  Background run(in_background(2, quick("hung", 100000, {"--process-timeout", "5"})));
  ASSERT_TRUE(eventually([&] { return fs::exists(run_folder("hung") / "last.ckpt"); },
                         std::chrono::seconds(60)));
  const pid_t victim = process(1);
  ASSERT_GT(victim, 0);
  kill(victim, SIGSTOP);
  EXPECT_TRUE(eventually([&] { return !run.running(); }, std::chrono::seconds(30)));
  const std::string told = read_bytes(said());
  EXPECT_THAT(told, HasSubstr("did not answer within 5 s (--process-timeout)"));
  EXPECT_THAT(told, HasSubstr((run_folder("hung") / "last.ckpt").string()));
  EXPECT_THAT(told, HasSubstr("--resume"));
}

TEST_F(ProcessesOfUad, OtherImagesAreAnError) {
  const path other = copy_of_data();
  fs::remove(other / "train/good/0.png");
  std::string line = mpirun(1) + " '" + std::getenv("UAD_PROGRAM") + "'";
  for (const std::string& arg : quick("first")) line += " '" + arg + "'";
  line += fmt::format(" : -n 1 '{}'", std::getenv("UAD_PROGRAM"));
  std::vector<std::string> args = quick("second");
  std::ranges::replace(args, data(), other.string());
  for (const std::string& arg : args) line += " '" + arg + "'";
  EXPECT_NE(std::system((line + " 2>'" + said().string() + "'").c_str()), 0);
  EXPECT_THAT(read_bytes(said()), HasSubstr("Process 1 of 2 has another content of the images"));
}

TEST_F(ProcessesOfUad, WhatAllHaveToSayIsSaidOnce) {
  std::vector<std::string> args = quick("none");
  std::ranges::replace(args, data(), std::string("/nowhere"));
  const std::string told = run_uad(args, mpirun(2)).err;
  const auto first = told.find("uad: ");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(told.find("uad: ", first + 1), std::string::npos) << told;
}

TEST_F(ProcessesOfUad, WithoutMpirunAProcessIsNotOneOfSeveral) {
  const ProgramResult result =
      run_uad(quick("lost"), "OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=0");
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("as one of 2"));
}

TEST_F(ProcessesOfUad, TwoHostsLearnTheCurveOfOneProcess) {
  const std::string script = path(std::getenv("UAD_SOURCE_ROOT")) / "scripts/two-hosts";
  if (std::system((script + " true >/dev/null 2>&1").c_str()) != 0) {
    GTEST_SKIP() << "Network namespaces cannot be made here (root and iproute2 are needed).";
  }
  ASSERT_EQ(run_uad(quick("one"), "OMP_NUM_THREADS=1").code, 0);
  const ProgramResult hosts = run_uad(quick("hosts"), "'" + script + "'");
  ASSERT_EQ(hosts.code, 0) << hosts.err;
  const auto alone = curve_of(run_folder("one"));
  const auto together = curve_of(run_folder("hosts"));
  ASSERT_EQ(together.size(), alone.size());
  for (std::size_t i = 0; i < alone.back().size(); ++i) {
    EXPECT_NEAR(together.back()[i], alone.back()[i], 1e-3 * std::abs(alone.back()[i]) + 1e-6);
  }
}

}  // namespace
}  // namespace uad
