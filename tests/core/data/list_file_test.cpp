// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/list_file.h"

#include <gmock/gmock.h>

#include "core/base/error.h"
#include "tests/core/data/image_tree.h"
#include "tests/support/expect_error.h"

namespace {

using testing::ElementsAre;
using uad::ErrorCode;
using uad::list_dataset;
using uad::read_list_file;
using uad::test::expect_error;

class ListFile : public uad::test::ImageTree {
 protected:
  [[nodiscard]] std::vector<uad::ImageItem> read(const std::string& text) const {
    put_text("list.json", text);
    return read_list_file(dir_ / "list.json", dir_.path());
  }
};

TEST_F(ListFile, LinesBecomeImagesAndBlankOnesAreSkipped) {
  const auto items = read(
      R"({"filename": "bottle/test/broken_large/002.png", "label": 1, "label_name": "defective",)"
      R"( "maskname": "bottle/ground_truth/broken_large/002_mask.png", "clsname": "flask"})"
      "\n\n  \r\n"
      R"({"filename": "bottle/train/good/000.png", "label": 0})"
      "\n");
  EXPECT_THAT(rows(items), ElementsAre("bottle/test/broken_large/002.png broken_large bad "
                                       "bottle/ground_truth/broken_large/002_mask.png",
                                       "bottle/train/good/000.png good ok "));
  EXPECT_EQ(items[0].product, "flask");
  EXPECT_EQ(items[1].product, "bottle");
}

TEST_F(ListFile, WithoutClassTheProductIsTheFourthNameFromTheEnd) {
  const auto product = [&](const std::string& name) {
    return read(R"({"filename": ")" + name + R"(", "label": 0})").at(0).product;
  };
  EXPECT_EQ(product("a/b/test/good/1.png"), "b");
  EXPECT_EQ(product("b/test/good/1.png"), "b");
  EXPECT_EQ(product("good/1.png"), "");
}

TEST_F(ListFile, ADefectWithoutMaskIsADefectAsAWhole) {
  put("x/test/dent/1.png");
  put("x/test/good/1.png");
  const auto items = read(R"({"filename": "x/test/dent/1.png", "label": 1})"
                          "\n"
                          R"({"filename": "x/test/good/1.png", "label": 0})");
  const auto source = uad::open_images(items, {.strict = true});
  const auto frames = uad::test::all_frames(*source);
  ASSERT_TRUE(frames.at(0).mask.has_value());
  EXPECT_THAT(frames[0].mask->pixels, testing::Each(255));
  EXPECT_EQ(frames[0].mask->pixels.size(), 8U);
  EXPECT_FALSE(frames[1].mask.has_value());
}

TEST_F(ListFile, BadLinesAreRefusedWithTheirNumber) {
  const auto expect_refused = [&](const std::string& line, const std::string& reason) {
    expect_error(ErrorCode::kBadFile, {"list.json", "line 3", reason}, [&] {
      return read(R"({"filename": "a.png", "label": 0})"
                  "\n\n" +
                  line);
    });
  };
  expect_refused(R"({"filename": "a.png", "label": 1})", "listed in line 1 already");
  expect_refused(R"({"label": 1})", "filename");
  expect_refused(R"({"filename": "b.png"})", "label");
  expect_refused(R"({"filename": "b.png", "label": 2})", "0 or 1");
  expect_refused(R"({"filename": "b.png", "label": "bad"})", "number");
  expect_refused(R"(["b.png"])", "");
  expect_refused(R"({"filename": )", "");
}

TEST_F(ListFile, WrittenListsReadTheSame) {
  put("bottle/train/good/1.png");
  put("bottle/test/dent/1.png");
  put("bottle/ground_truth/dent/1_mask.png");
  const auto items = uad::everything(list_dataset(dir_ / "bottle"));
  const auto again = read(uad::list_text(items, dir_.path(), "bottle"));
  EXPECT_EQ(rows(again), rows(items));
  EXPECT_EQ(again[0].product, "bottle");
}

TEST_F(ListFile, TheOtherPartAndTheImagesAreFound) {
  put("mvtec/bottle/train/good/1.png");
  const std::string train = R"({"filename": "bottle/train/good/1.png", "label": 0})";
  const std::string test = R"({"filename": "bottle/test/good/2.png", "label": 0})";
  for (const auto& [train_name, test_name] :
       {std::pair{"lists/train.json", "lists/test.json"},
        std::pair{"json_train/train_bottle.json", "json_test/test_bottle.json"},
        std::pair{"orisplit/candle_train.json", "orisplit/candle_test.json"}}) {
    put_text(train_name, train);
    put_text(test_name, test);
    const uad::Dataset found = list_dataset(dir_ / train_name);
    EXPECT_THAT(images(found.train), ElementsAre("mvtec/bottle/train/good/1.png")) << train_name;
    EXPECT_THAT(images(found.test), ElementsAre("mvtec/bottle/test/good/2.png")) << train_name;
  }
  put_text("alone/train.json", train);
  EXPECT_TRUE(list_dataset(dir_ / "alone/train.json").test.empty());
}

TEST_F(ListFile, AListWithoutImagesOrWithoutPartIsRefused) {
  put_text("train.json", R"({"filename": "nowhere/1.png", "label": 0})");
  expect_error(ErrorCode::kNotFound, {"train.json", "nowhere/1.png"},
               [&] { return list_dataset(dir_ / "train.json"); });
  put("a/1.png");
  put_text("all.json", R"({"filename": "a/1.png", "label": 0})");
  expect_error(ErrorCode::kBadFile, {"all.json", "\"train\" or \"test\""},
               [&] { return list_dataset(dir_ / "all.json"); });
  put_text("train.json", "\n");
  expect_error(ErrorCode::kBadFile, {"train.json", "names no image"},
               [&] { return list_dataset(dir_ / "train.json"); });
}

}  // namespace
