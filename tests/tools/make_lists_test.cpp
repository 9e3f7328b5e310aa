// SPDX-License-Identifier: LGPL-2.1-or-later
// uad make-lists, on trees of empty images.
#include <algorithm>

#include <gmock/gmock.h>

#include "core/data/list_file.h"
#include "core/data/protocol.h"
#include "tests/core/data/image_tree.h"
#include "tests/tools/run_program.h"

namespace uad {
namespace {

namespace fs = std::filesystem;
using test::ProgramResult;
using test::run_uad;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class MakeLists : public test::ImageTree {
 protected:
  void put_mvtec(const std::vector<std::string>& products) const {
    for (const std::string& product : products) {
      put_empty("set/" + product + "/train/good/{:03}.png", 3);
      put_empty("set/" + product + "/test/good/{:03}.png", 2);
      put_empty("set/" + product + "/test/dent/{:03}.png", 2);
      put_empty("set/" + product + "/ground_truth/dent/{:03}_mask.png", 2);
    }
  }
  [[nodiscard]] ProgramResult make(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> args{"make-lists", "--data", dir_ / "set", "--output", dir_ / "lists"};
    args.insert(args.end(), more.begin(), more.end());
    return run_uad(args);
  }
  [[nodiscard]] std::vector<ImageItem> read(const std::string& name) const {
    return read_list_file(dir_ / "lists" / name, dir_ / "set");
  }
  [[nodiscard]] std::vector<std::string> products(const std::string& name) const {
    std::vector<std::string> found;
    for (const ImageItem& item : read(name)) {
      if (found.empty() || found.back() != item.product) found.push_back(item.product);
    }
    return found;
  }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(dir_ / "lists")) {
      if (entry.is_regular_file()) found.push_back(relative(entry.path()));
    }
    return found;
  }
};

std::vector<std::string> first(const std::vector<std::string>& products, std::ptrdiff_t count) {
  return {products.begin(), products.begin() + count};
}

TEST_F(MakeLists, OfMvtecHaveThePublishedNamesAndProducts) {
  put_mvtec(mvtec_products());
  const ProgramResult result = make();
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(files().size(), 2U + 30 + 4 + 10);
  EXPECT_EQ(products("train.json"), mvtec_products());
  EXPECT_EQ(products("test.json"), mvtec_products());
  EXPECT_EQ(products("train_10.json"), first(mvtec_products(), 10));
  EXPECT_EQ(products("test_14.json"), first(mvtec_products(), 14));
  EXPECT_THAT(products("json_train/train_screw.json"), ElementsAre("screw"));
  EXPECT_THAT(products("33333/train_4_6.json"), ElementsAre("carpet", "grid", "hazelnut"));
  EXPECT_THAT(products("33333/test_13_15.json"), ElementsAre("transistor", "wood", "zipper"));
}

TEST_F(MakeLists, ReadBackTheyAreTheImagesOfTheTree) {
  put_mvtec(mvtec_products());
  ASSERT_EQ(make().code, 0);
  const Dataset tree = list_dataset(dir_ / "set/wood");
  const Dataset lists = list_dataset(dir_ / "lists/json_train/train_wood.json");
  EXPECT_EQ(rows(lists.train), rows(tree.train));
  EXPECT_EQ(rows(lists.test), rows(tree.test));
  const auto names = images(read("test.json"));
  EXPECT_EQ(names.size(), 15U * 4);
  EXPECT_TRUE(std::ranges::is_sorted(names));
}

TEST_F(MakeLists, OfVisaHaveThePublishedNamesAndProducts) {
  std::string table = "object,split,label,image,mask\n";
  for (const std::string& product : visa_products()) {
    const auto add = [&](const char* row, const std::string& image, const std::string& mask) {
      put_text("set/" + product + "/Data/Images/" + image, "");
      if (!mask.empty()) put_text("set/" + product + "/Data/Masks/" + mask, "");
      table += fmt::format("{0},{1},{0}/Data/Images/{2},{3}\n", product, row, image,
                           mask.empty() ? "" : product + "/Data/Masks/" + mask);
    };
    add("train,normal", "Normal/0002.JPG", "");
    add("train,normal", "Normal/0001.JPG", "");
    add("test,normal", "Normal/0003.JPG", "");
    add("test,anomaly", "Anomaly/000.JPG", "Anomaly/000.png");
  }
  put_text("set/split_csv/1cls.csv", table);
  const ProgramResult result = make();
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(files().size(), 24U + 5);
  EXPECT_EQ(products("split/8_train.json"), first(visa_products(), 8));
  EXPECT_EQ(products("split/11_test.json"), first(visa_products(), 11));
  EXPECT_THAT(products("split/8_12_train.json"), ElementsAre("pcb2", "pcb3", "pcb4", "pipe_fryum"));
  EXPECT_THAT(images(read("orisplit/candle_train.json")),
              ElementsAre("set/candle/Data/Images/Normal/0001.JPG",
                          "set/candle/Data/Images/Normal/0002.JPG"));
  EXPECT_THAT(rows(read("orisplit/pcb4_test.json")),
              ElementsAre("set/pcb4/Data/Images/Anomaly/000.JPG Anomaly bad "
                          "set/pcb4/Data/Masks/Anomaly/000.png",
                          "set/pcb4/Data/Images/Normal/0003.JPG good ok "));
}

TEST_F(MakeLists, WhatIsMissingIsNamedAndStrictRefusesIt) {
  put_mvtec({"bottle", "grid"});
  const ProgramResult result = make();
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("13 of the 15 products of MVTec AD"));
  EXPECT_THAT(result.err, HasSubstr("zipper"));
  EXPECT_THAT(products("train.json"), ElementsAre("bottle", "grid"));
  EXPECT_THAT(products("33333/train_1_3.json"), ElementsAre("bottle"));
  EXPECT_FALSE(fs::exists(dir_ / "lists/json_train/train_cable.json"));
  fs::remove_all(dir_ / "lists");
  const ProgramResult strict = make({"--strict"});
  EXPECT_EQ(strict.code, 1);
  EXPECT_THAT(strict.err, HasSubstr("cable"));
  EXPECT_FALSE(fs::exists(dir_ / "lists"));
}

TEST_F(MakeLists, OtherFoldersAndMissingOptionsAreRefused) {
  put("set/mine/train/good/1.png");
  const ProgramResult other = make();
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.err, HasSubstr("no category of MVTec AD"));
  EXPECT_EQ(run_uad({"make-lists", "--data", dir_ / "set"}).code, 2);
  EXPECT_EQ(run_uad({"make-lists", "--output", dir_ / "lists"}).code, 2);
  EXPECT_EQ(run_uad({"make-lists", "--data", dir_ / "none", "--output", dir_ / "lists"}).code, 1);
}

}  // namespace
}  // namespace uad
