// SPDX-License-Identifier: LGPL-2.1-or-later
// QualityInspector's ways: val, tables, pictures, configuration files; and data that is more than
// good images in MVTec's layout.
#include <gmock/gmock.h>

#include "core/base/methods.h"
#include "tests/tools/uad_fixture.h"

namespace uad {
namespace {

using nlohmann::json;
using test::read_json;
using test::run_uad;
using test::Uad;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

TEST_F(Uad, ValWritesTheTableAndAPictureOfEachResult) {
  const fs::path out = folder_ / "out";
  const fs::path file = folder_ / "m.json";
  const auto result = run_uad({"val", "--model", model(), "--data", data(), "--csv", out, "--json",
                               file, "--save-pic", "--save-path", out});
  ASSERT_EQ(result.code, 0) << result.err;
  const json metrics = read_json(file);
  EXPECT_EQ(metrics["category"], "set");
  EXPECT_EQ(metrics["model_bytes"], fs::file_size(model()));
  EXPECT_EQ(test::read_bytes(out / "set_seed3.csv"),
            fmt::format("category,Image_AUROC,Pixel_AUROC,PRO_score\nset,{:.6f},{:.6f},{:.6f}\n",
                        metrics["image_auroc"].get<double>(), metrics["pixel_auroc"].get<double>(),
                        metrics["pixel_pro"].get<double>()));
  for (const char* name : {"test/good/0_val.png", "test/stain/3_val.png"}) {
    ASSERT_TRUE(fs::exists(out / "set" / name)) << name;
    EXPECT_EQ(read_image(out / "set" / name).width, 5 * 268 + 12 + 56);
  }
  ASSERT_EQ(run_uad({"predict", "--model", model(), image("stain/1.png"), "--save-pic",
                     "--save-path", out})
                .code,
            0);
  EXPECT_EQ(read_image(out / "1_predict.png").width, 4 * 268 + 12 + 56);
}

TEST_F(Uad, NothingIsPaintedUnlessAskedFor) {
  const fs::path out = folder_ / "out";
  const auto result =
      run_uad({"predict", "--model", model(), image("stain/1.png"), "--save-path", out});
  EXPECT_EQ(result.code, 0);
  EXPECT_FALSE(fs::exists(out));
}

TEST_F(Uad, CopiesOfTrainingImagesAreNotJudged) {
  const fs::path set = copy_of_data();
  fs::copy_file(set / "train/good/0.png", set / "test/good/looks_new.png");
  const fs::path file = folder_ / "m.json";
  const auto eval = [&](const std::vector<std::string>& more) {
    std::vector<std::string> args{"eval", "--model", model(), "--data", set, "--json", file};
    args.insert(args.end(), more.begin(), more.end());
    return run_uad(args);
  };
  const auto result = eval({});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("left out 1 images"));
  EXPECT_THAT(result.err, HasSubstr("looks_new.png"));
  EXPECT_EQ(read_json(file)["counts"]["left_out_seen"], 1);
  EXPECT_EQ(read_json(file)["counts"]["good"], 4);
  ASSERT_EQ(eval({"--seen-too"}).code, 0);
  EXPECT_EQ(read_json(file)["counts"]["good"], 5);
  fs::rename(set / "train", folder_ / "only");
  const auto known =
      run_uad({"eval", "--model", model(), "--data", (folder_ / "only/good").string()});
  EXPECT_EQ(known.code, 1);
  EXPECT_THAT(known.err, HasSubstr("All 12 test images were left out"));
}

TEST_F(Uad, UnsupervisedMethodsLearnTheGoodImagesOfADagmClass) {
  const fs::path root = folder_ / "Texture";
  const fs::path set = data();
  for (const auto& [part, from] :
       {std::pair{"Train", "train/good"}, std::pair{"Test", "test/good"}}) {
    fs::create_directories(root / part / "Label");
    for (const auto& image : fs::directory_iterator(set / from)) {
      fs::copy_file(image, root / part / image.path().filename());
    }
    for (int i = 0; i < 2; ++i) {
      const int number = part == std::string("Test") ? i : i + 2;
      fs::copy_file(set / fmt::format("test/stain/{}.png", number),
                    root / part / fmt::format("9{}.PNG", i));
      fs::copy_file(set / fmt::format("ground_truth/stain/{}_mask.png", number),
                    root / part / "Label" / fmt::format("9{}_label.PNG", i));
    }
  }
  const fs::path file = folder_ / "t.json";
  const auto result =
      run_uad({"train", "--data", root, "--backbone", "gabor", "--resize", "64", "--output",
               folder_ / "d.uad", "--do-eval", "false", "--json", file});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(read_json(file)["images"], 12);
  ASSERT_EQ(run_uad({"eval", "--model", folder_ / "d.uad", "--data", root, "--json", file}).code,
            0);
  EXPECT_EQ(read_json(file)["counts"]["defective"], 2);
  EXPECT_EQ(read_json(file)["counts"]["missing_masks"], 0);
}

TEST(Configs, EveryMethodHasOneThatTrainAndValUnderstand) {
  const fs::path folder = fs::path(std::getenv("UAD_SOURCE_ROOT")) / "configs";
  for (const MethodInfo& method : known_methods()) {
    const fs::path file = folder / (std::string(method.name) + ".yaml");
    ASSERT_TRUE(fs::exists(file)) << file;
    for (const char* command : {"train", "val"}) {
      // Keys are checked before the data are looked for.
      const auto result = run_uad({command, "--config", file, "--data", "/no/such/folder"});
      EXPECT_EQ(result.code, 1) << result.err;
      EXPECT_THAT(result.err, HasSubstr("\"/no/such/folder\" does not exist"));
      EXPECT_THAT(result.err, HasSubstr("category: "));
    }
  }
}

}  // namespace
}  // namespace uad
