// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/dagm.h"

#include <array>
#include <numbers>
#include <numeric>
#include <string>

#include <gmock/gmock.h>

#include "core/base/error.h"
#include "tests/core/data/image_tree.h"
#include "tests/support/expect_error.h"

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using uad::Dataset;
using uad::ErrorCode;
using uad::ImageItem;
using uad::list_dataset;
using uad::test::CapturedLog;
using uad::test::count_defective;
using uad::test::expect_error;

class Dagm : public uad::test::ImageTree {
 protected:
  void put_two() const {
    put("Texture/Train/0001.PNG");
    put("Texture/Train/0002.PNG");
    put("Texture/Train/Label/0002_label.PNG", 255);
    put_text("Texture/Train/Label/Labels.txt", "1\n");
    put("Texture/Test/0003.PNG");
  }
};

TEST_F(Dagm, AnImageIsDefectiveExactlyWhenItsLabelIsThere) {
  put_two();
  const Dataset found = list_dataset(dir_ / "Texture");
  EXPECT_THAT(rows(found.train),
              ElementsAre("Texture/Train/0001.PNG good ok ",
                          "Texture/Train/0002.PNG defect bad Texture/Train/Label/0002_label.PNG"));
  EXPECT_THAT(rows(found.test), ElementsAre("Texture/Test/0003.PNG good ok "));
  EXPECT_FALSE(needs_division(found));
}

TEST_F(Dagm, PublishedCountsPassAndOthersAreToldOf) {
  put_empty("Class3/Train/{:04}.PNG", 575, 1);
  put_empty("Class3/Train/Label/{:04}_label.PNG", 66, 1);
  put_empty("Class3/Test/{:04}.PNG", 575, 576);
  put_empty("Class3/Test/Label/{:04}_label.PNG", 84, 576);
  const Dataset found = list_dataset(dir_ / "Class3", true);
  EXPECT_EQ(found.train.size(), 575U);
  EXPECT_EQ(count_defective(found.train), 66U);
  EXPECT_EQ(count_defective(found.test), 84U);
  std::filesystem::remove(dir_ / "Class3/Test/Label/0576_label.PNG");
  expect_error(ErrorCode::kBadFile, {"Class3", "84 defective images in Test", "has 83"},
               [&] { return list_dataset(dir_ / "Class3", true); });
  const CapturedLog log;
  EXPECT_EQ(count_defective(list_dataset(dir_ / "Class3").test), 83U);
  ASSERT_EQ(log.lines.size(), 1U);
}

TEST_F(Dagm, EveryClassHasItsPublishedCount) {
  constexpr std::array kTrain{79, 66, 66, 82, 70, 83, 150, 150, 150, 150};
  constexpr std::array kTest{71, 84, 84, 68, 80, 67, 150, 150, 150, 150};
  EXPECT_EQ(std::accumulate(kTrain.begin(), kTrain.end(), 0), 1046);
  EXPECT_EQ(std::accumulate(kTest.begin(), kTest.end(), 0), 1054);
  for (std::size_t i = 0; i < kTrain.size(); ++i) {
    const std::string name = "Class" + std::to_string(i + 1);
    for (const char* part : {"/Train/", "/Test/"}) {
      put(name + part + "0001.PNG");
      put_text(name + part + "Label/Labels.txt", "1\n");
    }
    const CapturedLog log;
    (void)list_dataset(dir_ / name);
    ASSERT_EQ(log.lines.size(), 2U) << name;
    EXPECT_THAT(log.lines[0],
                HasSubstr(std::to_string(kTrain.at(i)) + " defective images in Train"));
    EXPECT_THAT(log.lines[1], HasSubstr(std::to_string(kTest.at(i)) + " defective images in Test"));
  }
}

TEST_F(Dagm, ALabelWithoutImageIsToldOf) {
  put_two();
  put("Texture/Train/Label/0009_label.PNG", 255);
  expect_error(ErrorCode::kBadFile, {"1 of the 2 masks", "0009_label.PNG"},
               [&] { return list_dataset(dir_ / "Texture", true); });
}

TEST_F(Dagm, ListFilesDecideWhereTheyArePresent) {
  put_two();
  const Dataset whole = list_dataset(dir_ / "Texture");
  const std::string text = uad::dagm_list(whole.train);
  EXPECT_EQ(text,
            "image_filepath,lbl_image_filepath,is_defective\n"
            "0001.PNG,,0\n0002.PNG,0002_label.PNG,1\n");
  put_text("Texture/train_list.csv", text);
  EXPECT_EQ(rows(list_dataset(dir_ / "Texture").train), rows(whole.train));
  put("Texture/Train/0004.PNG");
  EXPECT_EQ(rows(list_dataset(dir_ / "Texture").train), rows(whole.train));
}

TEST_F(Dagm, BadListsAreRefusedWithTheirLine) {
  put_two();
  const auto expect_refused = [&](const std::string& line, const std::string& reason) {
    put_text("Texture/train_list.csv",
             "image_filepath,lbl_image_filepath,is_defective\n\n" + line + "\n");
    expect_error(ErrorCode::kBadFile, {"train_list.csv', line 3", reason},
                 [&] { return list_dataset(dir_ / "Texture"); });
  };
  expect_refused("0001.PNG,,2", "0 or 1");
  expect_refused("0001.PNG,,1", "needs a label file");
  expect_refused("0002.PNG,0002_label.PNG,0", "good image has a label");
  expect_refused("0001.PNG,0", "3 fields were expected, found 2");
  expect_refused("0005.PNG,,0", "0005.PNG' is not there");
  put_text("Texture/train_list.csv", "image,label\n");
  expect_error(ErrorCode::kBadFile, {"must begin with", "begins with \"image,label\""},
               [&] { return list_dataset(dir_ / "Texture"); });
}

TEST_F(Dagm, ThePublicEditionIsDividedByNumberWithMasksFromEllipses) {
  for (const char* name : {"1", "2", "3"}) put(std::string("Class1/") + name + ".png", 7, 9);
  for (const char* name : {"1", "2"}) put(std::string("Class1_def/") + name + ".png", 7, 9);
  put_text("Class1_def/labels.txt", "1\t2.5\t1.5\t0.0\t4\t0\n2\t2.5\t0.5\t1.5707963\t1\t1\r\n");
  const Dataset found = list_dataset(dir_ / "Class1");
  EXPECT_THAT(images(found.train), ElementsAre("Class1/1.png", "Class1/3.png", "Class1_def/1.png"));
  EXPECT_THAT(images(found.test), ElementsAre("Class1/2.png", "Class1_def/2.png"));
  const auto source = uad::open_images(found.train, {.strict = true});
  const auto frames = uad::test::all_frames(*source);
  ASSERT_TRUE(frames[2].mask.has_value());
  EXPECT_THAT(frames[2].mask->pixels, ElementsAre(0, 0, 255, 255, 255, 255, 255, 0, 0,  //
                                                  0, 0, 0, 255, 255, 255, 0, 0, 0));
  put("Class1_def/3.png");
  expect_error(ErrorCode::kBadFile, {"labels.txt", "no line for image", "3.png"},
               [&] { return list_dataset(dir_ / "Class1"); });
  put_text("Class1_def/labels.txt", "1e30 2 3 0 4 0\n");
  expect_error(ErrorCode::kBadFile, {"labels.txt', line 1"},
               [&] { return list_dataset(dir_ / "Class1"); });
  put_text("Class1_def/labels.txt", "1 2 3\n");
  expect_error(ErrorCode::kBadFile, {"labels.txt', line 1", "two semi-axes"},
               [&] { return list_dataset(dir_ / "Class1"); });
}

TEST(DrawEllipse, TurnsFromXTowardsY) {
  const uad::Image mask = uad::draw_ellipse({4, 0.8, std::numbers::pi / 4, 3, 3}, 7, 7);
  for (int i = 1; i <= 5; ++i) {
    EXPECT_EQ(mask.pixels[static_cast<std::size_t>(i * 7 + i)], 255);
    EXPECT_EQ(mask.pixels[static_cast<std::size_t>(i * 7 + 6 - i)], i == 3 ? 255 : 0);
  }
}

}  // namespace
