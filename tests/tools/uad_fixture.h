// SPDX-License-Identifier: LGPL-2.1-or-later
// One small data set and one model of it, for all tests of the `uad` program.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/data/image_io.h"
#include "core/demo/line.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/run_program.h"

namespace uad::test {

namespace fs = std::filesystem;

inline nlohmann::json read_json(const fs::path& file) {
  return nlohmann::json::parse(read_bytes(file));
}

class Uad : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = new TempDir();
    draw("train/good", demo::Defect::kNone, 12);
    draw("test/good", demo::Defect::kNone, 4);
    draw("test/stain", demo::Defect::kStain, 4);
    const ProgramResult result = train({"--output", model()});
    ASSERT_EQ(result.code, 0) << result.err;
  }
  static void TearDownTestSuite() { delete shared_; }

  static void draw(const std::string& folder, demo::Defect defect, int count) {
    demo::ProductionLine line(std::hash<std::string>()(folder) % 1000,
                              [defect](int) { return defect; });
    const fs::path images = *shared_ / "set" / folder;
    const fs::path masks = *shared_ / "set" / "ground_truth" / "stain";
    fs::create_directories(images);
    fs::create_directories(masks);
    for (int i = 0; i < count; ++i) {
      const demo::Shot shot = line.shoot({256, 256}, i * demo::ProductionLine::kPitch, 1.0);
      write_png(images / fmt::format("{}.png", i), shot.image);
      if (defect != demo::Defect::kNone) {
        write_png(masks / fmt::format("{}_mask.png", i), shot.mask);
      }
    }
  }

  static ProgramResult train(std::vector<std::string> more) {
    std::vector<std::string> args{"train",   "--data", data(), "--backbone", "gabor", "--resize",
                                  "128x128", "--k",    "5",    "--do-eval",  "false"};
    args.insert(args.end(), more.begin(), more.end());
    return run_uad(args);
  }

  static std::string data() { return (*shared_ / "set").string(); }
  static std::string model() { return (*shared_ / "model.uad").string(); }
  static std::string image(const std::string& name) {
    return (*shared_ / "set" / "test" / name).string();
  }
  /// A copy of the data set that a test may damage.
  fs::path copy_of_data() {
    fs::copy(data(), folder_ / "set", fs::copy_options::recursive);
    return folder_ / "set";
  }

  inline static TempDir* shared_ = nullptr;
  TempDir folder_;
};

}  // namespace uad::test
