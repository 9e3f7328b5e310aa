// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/visa.h"

#include <gmock/gmock.h>

#include "core/base/error.h"
#include "tests/core/data/image_tree.h"
#include "tests/support/expect_error.h"

namespace {

using testing::ElementsAre;
using uad::ErrorCode;
using uad::list_dataset;
using uad::test::expect_error;

constexpr const char* kHeader = "object,split,label,image,mask\n";

class Visa : public uad::test::ImageTree {
 protected:
  void put_candle(const std::string& more = "") const {
    put("candle/Data/Images/Normal/0000.JPG");
    put("candle/Data/Images/Normal/0001.JPG");
    put("candle/Data/Images/Anomaly/000.JPG");
    put("candle/Data/Masks/Anomaly/000.png", 3);  // a number of a class
    put_text("split_csv/1cls.csv", kHeader + more +
                                       "candle,train,normal,candle/Data/Images/Normal/0000.JPG,\n"
                                       "fryum,train,normal,fryum/Data/Images/Normal/0000.JPG,\n"
                                       "candle,test,normal,candle/Data/Images/Normal/0001.JPG,\n"
                                       "candle,test,anomaly,candle/Data/Images/Anomaly/000.JPG,"
                                       "candle/Data/Masks/Anomaly/000.png\n");
  }
};

TEST_F(Visa, TheDivisionComesFromTheTableBesideTheObjects) {
  put_candle();
  for (const char* name : {"candle", "candle/"}) {
    const uad::Dataset found = list_dataset(dir_ / name);
    EXPECT_EQ(found.name, "candle");
    EXPECT_THAT(rows(found.train), ElementsAre("candle/Data/Images/Normal/0000.JPG good ok "));
    EXPECT_THAT(rows(found.test), ElementsAre("candle/Data/Images/Normal/0001.JPG good ok ",
                                              "candle/Data/Images/Anomaly/000.JPG bad bad "
                                              "candle/Data/Masks/Anomaly/000.png"));
  }
}

TEST_F(Visa, AnyClassOfAMaskIsADefect) {
  put_candle();
  const auto source = uad::open_images(list_dataset(dir_ / "candle").test, {.strict = true});
  const auto frames = uad::test::all_frames(*source);
  ASSERT_TRUE(frames.at(1).mask.has_value());
  EXPECT_EQ(frames[1].mask->pixels[0], 3);
}

TEST_F(Visa, WhatIsMissingOrWrongIsNamed) {
  put("candle/Data/Images/Normal/0000.JPG");
  expect_error(ErrorCode::kNotFound, {"split_csv/1cls.csv", "is not there"},
               [&] { return list_dataset(dir_ / "candle"); });
  put_text("split_csv/1cls.csv", kHeader);
  expect_error(ErrorCode::kNotFound, {"no line of the object \"candle\""},
               [&] { return list_dataset(dir_ / "candle"); });
  put_candle("candle,val,normal,x.JPG,\n");
  expect_error(ErrorCode::kBadFile, {"line 2", "\"train\" or \"test\"", "\"val\""},
               [&] { return list_dataset(dir_ / "candle"); });
  put_candle("candle,test,normal,candle/none.JPG,\n");
  expect_error(ErrorCode::kBadFile, {"line 2", "candle/none.JPG' is not there"},
               [&] { return list_dataset(dir_ / "candle", true); });
}

/// Images of train, test good and test bad. Source: specification, data sets, section 2.
TEST_F(Visa, PublishedCountsComeOutOfTheReorganisedForm) {
  struct Object {
    const char* name;
    int train, good;
  };
  std::size_t train = 0;
  std::size_t good = 0;
  for (const Object& one :
       {Object{"candle", 900, 100}, Object{"capsules", 542, 60}, Object{"cashew", 450, 50},
        Object{"chewinggum", 453, 50}, Object{"fryum", 450, 50}, Object{"macaroni1", 900, 100},
        Object{"macaroni2", 900, 100}, Object{"pcb1", 904, 100}, Object{"pcb2", 901, 100},
        Object{"pcb3", 905, 101}, Object{"pcb4", 904, 101}, Object{"pipe_fryum", 450, 50}}) {
    const std::string name = one.name;
    put_empty("new/" + name + "/train/good/{:04}.JPG", one.train);
    put_empty("new/" + name + "/test/good/{:04}.JPG", one.good, one.train);
    put_empty("new/" + name + "/test/bad/{:03}.JPG", 100);
    put_empty("new/" + name + "/ground_truth/bad/{:03}.png", 100);
    const uad::Dataset found = list_dataset(dir_ / ("new/" + name), true);
    train += found.train.size();
    good += found.test.size() - 100;
    EXPECT_EQ(uad::test::count_defective(found.test), 100U);
    for (const uad::ImageItem& item : found.test) EXPECT_NE(item.defective, item.mask.empty());
  }
  EXPECT_EQ(train, 8659U);
  EXPECT_EQ(good, 962U);
}

}  // namespace
