// SPDX-License-Identifier: LGPL-2.1-or-later
// What `meson install` puts in place is enough to compile and run docs/examples/score_image.cpp.
#include <cstdlib>
#include <regex>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/data/image_io.h"
#include "core/demo/line.h"
#include "tests/support/temp_dir.h"
#include "tests/tools/run_program.h"

namespace uad {
namespace {

namespace fs = std::filesystem;
using test::read_bytes;
using test::run_uad;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// The project installed below a folder, as a package would be.
class Installed : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test::TempDir();
    ASSERT_EQ(shell("meson install -C '" + variable("UAD_BUILD_ROOT") +
                    "' --no-rebuild --destdir '" + folder_->path().string() + "'"),
              0)
        << said();
    ASSERT_EQ(shell("sed -i 's|^prefix=.*|prefix=" + prefix().string() + "|' '" +
                    (library_folder() / "pkgconfig").string() + "'/*.pc"),
              0)
        << said();
  }
  static void TearDownTestSuite() { delete folder_; }

  static std::string said() { return read_bytes(*folder_ / "said"); }
  static int shell(const std::string& line) {
    return WEXITSTATUS(
        std::system((line + " >'" + (*folder_ / "said").string() + "' 2>&1").c_str()));
  }
  static fs::path prefix() { return folder_->path().string() + variable("UAD_PREFIX"); }
  static fs::path library_folder() { return prefix() / variable("UAD_LIBDIR"); }
  static fs::path headers() { return prefix() / "include" / "gst-uad-1"; }
  static std::string pkg_config(const std::string& arguments) {
    return "PKG_CONFIG_PATH='" + (library_folder() / "pkgconfig").string() + "' pkg-config " +
           arguments;
  }
  static test::TempDir* folder_;
};
test::TempDir* Installed::folder_ = nullptr;

TEST_F(Installed, EveryHeaderFindsWhatItIncludes) {
  const std::regex include("#include \"([^\"]+)\"");
  int count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(headers())) {
    if (!entry.is_regular_file()) continue;
    const std::string text = read_bytes(entry.path());
    for (auto it = std::sregex_iterator(text.begin(), text.end(), include);
         it != std::sregex_iterator(); ++it, ++count) {
      EXPECT_TRUE(fs::exists(headers() / (*it)[1].str())) << entry.path() << " " << (*it)[1];
    }
  }
  EXPECT_GT(count, 20);
}

TEST_F(Installed, ResultMetaCompilesAsC) {
  test::write_bytes(*folder_ / "meta.c",
                    "#include <gstuadresultmeta.h>\n"
                    "int main(void) { return uad_buffer_get_result_meta == 0; }\n");
  EXPECT_EQ(
      shell("cc -o '" + (*folder_ / "meta").string() + "' '" + (*folder_ / "meta.c").string() +
            "' $(" + pkg_config("--cflags --libs gstuadmeta-1.0") + ")"),
      0)
      << said();
}

TEST_F(Installed, ExampleScoresImagesAsUadPredictDoes) {
  demo::ProductionLine line(1, [](int) { return demo::Defect::kNone; });
  fs::create_directories(*folder_ / "good");
  const auto image = [](int i) { return *folder_ / "good" / (std::to_string(10 + i) + ".png"); };
  for (int i = 0; i < 12; ++i) write_png(image(i), line.shoot({96, 96}, i * 300, 1.0).image);
  const std::string model = *folder_ / "m.uad";
  const auto trained = run_uad({"train", "--data", *folder_ / "good", "--output", model,
                                "--backbone", "gabor", "--resize", "96x96", "--k", "2"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  const auto predicted = run_uad({"predict", "--model", model, image(0), "--json", "-"});
  const auto json = nlohmann::json::parse(predicted.out);
  const auto& expected = json.is_array() ? json.at(0) : json;

  const std::string program = *folder_ / "score_image";
  ASSERT_EQ(shell("c++ -std=c++20 -o '" + program + "' '" + variable("UAD_SOURCE_ROOT") +
                  "/docs/examples/score_image.cpp' $(" + pkg_config("--cflags --libs uad") + ")"),
            0)
      << said();
  const std::string run = "LD_LIBRARY_PATH='" + library_folder().string() + "' '" + program + "' ";
  ASSERT_EQ(shell(run + model + " " + image(0).string()), 0) << said();
  EXPECT_THAT(said(),
              StartsWith(image(0).string() + " " + expected.at("verdict").get<std::string>() + " " +
                         fmt::format("{:.6g}", expected.at("score").get<double>())));
  EXPECT_EQ(shell(run + model), 2);
  EXPECT_THAT(said(), HasSubstr("usage:"));
  EXPECT_EQ(shell(run + "/nowhere.uad a.png"), 1);
  EXPECT_THAT(said(), HasSubstr("/nowhere.uad"));
}

}  // namespace
}  // namespace uad
