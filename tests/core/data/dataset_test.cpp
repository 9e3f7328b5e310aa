// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/dataset.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/data/mvtec.h"
#include "tests/core/data/image_tree.h"
#include "tests/support/expect_error.h"
#include "tests/support/shared_data.h"

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using uad::ErrorCode;
using uad::ImageItem;
using uad::test::all_frames;
using uad::test::CapturedLog;
using uad::test::expect_error;

class DatasetTest : public uad::test::ImageTree {
 protected:
  void put_line() const {
    put("train/good/1.png");
    put("test/good/1.png");
    put("test/scratch/1.png");
    put("ground_truth/scratch/1_mask.png", 255);
  }
};

TEST_F(DatasetTest, NamesAreSortedBytewiseAndOthersLeftOut) {
  for (const char* name : {"b.png", "a.PNG", "a10.png", "a2.Png", "Z.png", ".hidden.png"}) {
    put(name);
  }
  uad::test::write_bytes(dir_ / "notes.txt", "x");
  std::filesystem::create_directory(dir_ / "folder.png");
  EXPECT_THAT(images(uad::list_dataset(dir_.path()).train),
              ElementsAre("Z.png", "a.PNG", "a10.png", "a2.Png", "b.png"));
}

TEST_F(DatasetTest, OneFileIsASetOfOne) {
  put("only.png");
  const uad::Dataset found = uad::list_dataset(dir_ / "only.png");
  EXPECT_THAT(images(found.train), ElementsAre("only.png"));
  EXPECT_TRUE(found.test.empty());
}

TEST_F(DatasetTest, OneFolderAPart) {
  put("b/1.png");
  put("a/2.png");
  put("a/1.png");
  EXPECT_THAT(images(uad::list_parts(dir_.path()).train),
              ElementsAre("a/1.png", "a/2.png", "b/1.png"));
  expect_error(ErrorCode::kNotFound, {"holds no folder", "folder of its own"},
               [&] { return uad::list_parts(dir_ / "a"); });
  std::filesystem::create_directory(dir_ / "c");
  expect_error(ErrorCode::kNotFound, {"/c'", "holds no image"},
               [&] { return uad::list_parts(dir_.path()); });
  expect_error(ErrorCode::kNotFound, {"does not exist"},
               [&] { return uad::list_parts(dir_ / "nowhere"); });
}

TEST_F(DatasetTest, MvtecLayoutIsSeenAndMasksArePairedByStem) {
  put_line();
  put("test/dent/x.png");
  put("test/dent/y.png");
  put("test/dent/z.png");
  put("ground_truth/dent/y.png");
  put("ground_truth/dent/x_mask.png");
  put("ground_truth/dent/x.png");
  put("ground_truth/good/1.png");  // good images have no mask, whatever lies there
  const uad::Dataset found = uad::list_dataset(dir_.path());
  EXPECT_EQ(found.name, dir_.path().filename());
  EXPECT_THAT(images(found.train), ElementsAre("train/good/1.png"));
  EXPECT_THAT(rows(found.test),
              ElementsAre("test/dent/x.png dent bad ground_truth/dent/x_mask.png",
                          "test/dent/y.png dent bad ground_truth/dent/y.png",
                          "test/dent/z.png dent bad ", "test/good/1.png good ok ",
                          "test/scratch/1.png scratch bad ground_truth/scratch/1_mask.png"));
}

TEST_F(DatasetTest, FramesCarryPixelsLabelsAndMasks) {
  put_line();
  const auto source = uad::open_images(uad::list_dataset(dir_.path()).test);
  EXPECT_EQ(source->size(), 2U);
  for (int round = 0; round < 2; ++round) {
    const auto frames = all_frames(*source);
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_FALSE(frames[0].defective);
    EXPECT_FALSE(frames[0].mask.has_value());
    EXPECT_TRUE(frames[1].defective);
    EXPECT_EQ(frames[1].kind, "scratch");
    EXPECT_EQ(frames[1].view.width, 4);
    EXPECT_EQ(frames[1].view.planes[0].data[0], 7);
    ASSERT_TRUE(frames[1].mask.has_value());
    EXPECT_EQ(frames[1].mask->pixels[0], 255);
    source->rewind();
  }
}

TEST_F(DatasetTest, CorruptImageIsSkippedAndListed) {
  put("a.png");
  put("c.png");
  uad::test::write_bytes(dir_ / "b.png", "garbage");
  const auto items = uad::list_dataset(dir_.path()).train;
  const auto source = uad::open_images(items);
  EXPECT_EQ(all_frames(*source).size(), 2U);
  ASSERT_EQ(source->skipped().size(), 1U);
  EXPECT_EQ(source->skipped()[0].name, (dir_ / "b.png").string());
  EXPECT_NE(source->skipped()[0].reason, "");
  source->rewind();
  EXPECT_TRUE(source->skipped().empty());
  const auto strict = uad::open_images(items, {.strict = true});
  expect_error(ErrorCode::kBadFile, {"b.png"}, [&] { return all_frames(*strict); });
}

TEST_F(DatasetTest, MissingAndUnfittingMasksAreCountedWithTheirReason) {
  put("test/dent/a.png");
  put("test/dent/b.png");
  put("ground_truth/dent/b_mask.png", 255, 9);
  const auto items = uad::list_dataset(dir_.path()).test;
  const CapturedLog log;
  const auto source = uad::open_images(items);
  for (const auto& frame : all_frames(*source)) EXPECT_FALSE(frame.mask.has_value());
  EXPECT_TRUE(source->skipped().empty());
  ASSERT_EQ(log.lines.size(), 2U);
  EXPECT_THAT(log.lines[0], HasSubstr("a.png' has no mask"));
  EXPECT_THAT(log.lines[1], HasSubstr("9x2 pixels, its image has 4x2"));
  const auto strict = uad::open_images(items, {.strict = true});
  expect_error(ErrorCode::kNotFound, {"a.png", "no mask"}, [&] { return all_frames(*strict); });
  const auto unneeded = uad::open_images({items[0]}, {.strict = true, .masks = false});
  EXPECT_EQ(all_frames(*unneeded).size(), 1U);
}

TEST_F(DatasetTest, MissingAndEmptyFoldersAreNamed) {
  expect_error(ErrorCode::kNotFound, {"none", "does not exist"},
               [&] { return uad::list_dataset(dir_ / "none"); });
  expect_error(ErrorCode::kNotFound, {dir_.path().string(), "no image"},
               [&] { return uad::list_dataset(dir_.path()); });
  std::filesystem::create_directories(dir_ / "line" / "train" / "good");
  expect_error(ErrorCode::kNotFound, {"train/good", "no image"},
               [&] { return uad::list_dataset(dir_ / "line"); });
  expect_error(ErrorCode::kNotFound, {"neither", "line"},
               [&] { return uad::list_dataset(dir_.path()); });
  std::filesystem::create_directories(dir_ / "bare");
  expect_error(ErrorCode::kNotFound, {"bare", "train/good"},
               [&] { return uad::list_mvtec(dir_ / "bare"); });
}

TEST_F(DatasetTest, TrainingDefectsAreSeenAndTheirMasksAreNotTakenFromTestImages) {
  put_line();
  put("train/scratch/1.png");
  put("train/scratch/2.png");
  put("ground_truth/scratch/2_mask.png", 255);
  const uad::Dataset found = uad::list_dataset(dir_.path());
  EXPECT_THAT(rows(found.train),
              ElementsAre("train/good/1.png good ok ", "train/scratch/1.png scratch bad ",
                          "train/scratch/2.png scratch bad ground_truth/scratch/2_mask.png"));
  EXPECT_EQ(relative(found.test[1].mask), "ground_truth/scratch/1_mask.png");
  EXPECT_FALSE(needs_division(found));
  EXPECT_THAT(images(good_of(found.train)), ElementsAre("train/good/1.png"));
}

TEST_F(DatasetTest, MasksWithoutImageAreToldOf) {
  put_line();
  put("ground_truth/scratch/7_mask.png", 255);
  std::filesystem::create_directories(dir_ / "test/dent");
  const CapturedLog log;
  EXPECT_EQ(uad::list_dataset(dir_.path()).test.size(), 2U);
  ASSERT_EQ(log.lines.size(), 2U);
  EXPECT_THAT(log.lines[0], HasSubstr("test/dent' has no image"));
  EXPECT_THAT(log.lines[1], HasSubstr("1 of the 2 masks"));
  EXPECT_THAT(log.lines[1], HasSubstr("7_mask.png"));
  expect_error(ErrorCode::kBadFile, {"test/dent"},
               [&] { return uad::list_dataset(dir_.path(), true); });
  put("test/dent/1.png");
  expect_error(ErrorCode::kBadFile, {"7_mask.png", "belong to no image"},
               [&] { return uad::list_dataset(dir_.path(), true); });
}

TEST_F(DatasetTest, GoodBesideDefectsIsASetThatNeedsDivision) {
  put("good/a.png");
  put("dent/b.png");
  put("scratch/c.png");
  put("ground_truth/dent/b.png", 255);
  EXPECT_TRUE(uad::is_labelled_set(dir_.path()));
  const uad::Dataset found = uad::list_dataset(dir_.path());
  EXPECT_TRUE(needs_division(found));
  EXPECT_THAT(rows(everything(found)),
              ElementsAre("good/a.png good ok ", "dent/b.png dent bad ground_truth/dent/b.png",
                          "scratch/c.png scratch bad "));
}

TEST_F(DatasetTest, LearningFromLabelsNeedsBothClasses) {
  put_line();
  const uad::Dataset found = uad::list_dataset(dir_.path());
  EXPECT_NO_THROW(uad::require_both_classes(everything(found), "set"));
  expect_error(ErrorCode::kBadOption, {"'set'", "1 good and 0 defective"},
               [&] { uad::require_both_classes(found.train, "set"); });
}

/// Images of train/good, test/good and the defect folders. Source: specification, data sets, 1.
struct Published {
  const char* category;
  int train, good;
  std::vector<int> defects;
};
const std::vector<Published> kMvtec{{"bottle", 209, 20, {20, 22, 21}},
                                    {"cable", 224, 58, {13, 12, 11, 14, 10, 12, 10, 10}},
                                    {"capsule", 219, 23, {23, 22, 21, 23, 20}},
                                    {"carpet", 280, 28, {19, 17, 17, 17, 19}},
                                    {"grid", 264, 21, {12, 12, 11, 11, 11}},
                                    {"hazelnut", 391, 40, {18, 17, 18, 17}},
                                    {"leather", 245, 32, {19, 19, 17, 19, 18}},
                                    {"metal_nut", 220, 22, {25, 22, 23, 23}},
                                    {"pill", 267, 26, {25, 17, 21, 26, 19, 9, 24}},
                                    {"screw", 320, 41, {24, 24, 25, 23, 23}},
                                    {"tile", 230, 33, {17, 18, 16, 18, 15}},
                                    {"toothbrush", 60, 12, {30}},
                                    {"transistor", 213, 60, {10, 10, 10, 10}},
                                    {"wood", 247, 19, {8, 11, 10, 10, 21}},
                                    {"zipper", 240, 32, {19, 16, 17, 16, 17, 18, 16}}};

TEST_F(DatasetTest, PublishedCountsOfMvtecComeOutOfATreeOfEmptyFiles) {
  std::size_t train = 0;
  std::size_t good = 0;
  std::size_t defective = 0;
  for (const Published& one : kMvtec) {
    const std::string root = one.category;
    put_empty(root + "/train/good/{:03}.png", one.train);
    put_empty(root + "/test/good/{:03}.png", one.good);
    for (std::size_t kind = 0; kind < one.defects.size(); ++kind) {
      const std::string folder = "kind" + std::to_string(kind);
      put_empty(root + "/test/" + folder + "/{:03}.png", one.defects[kind]);
      put_empty(root + "/ground_truth/" + folder + "/{:03}_mask.png", one.defects[kind]);
    }
    const uad::Dataset found = uad::list_dataset(dir_ / root, true);
    const std::size_t bad = uad::test::count_defective(found.test);
    EXPECT_EQ(found.train.size(), static_cast<std::size_t>(one.train)) << root;
    train += found.train.size();
    good += found.test.size() - bad;
    defective += bad;
    for (const ImageItem& item : found.test) EXPECT_NE(item.defective, item.mask.empty());
  }
  EXPECT_EQ(train, 3629U);
  EXPECT_EQ(good, 467U);
  EXPECT_EQ(defective, 1258U);
}

struct RealSet {
  const char* folder;
  std::size_t train, good, defective, masks;
};
void PrintTo(const RealSet& set, std::ostream* out) { *out << set.folder; }

class RealDataset : public testing::TestWithParam<RealSet> {};

TEST_P(RealDataset, HasItsKnownCounts) {
  const RealSet& set = GetParam();
  const auto root = uad::test::shared_data(set.folder);
  if (root.empty()) GTEST_SKIP() << "no real images in UAD_SHARED_DATA";
  const uad::Dataset found = uad::list_dataset(root);
  EXPECT_EQ(found.train.size(), set.train);
  std::size_t good = 0;
  std::size_t masks = 0;
  for (const ImageItem& item : found.test) {
    good += item.defective ? 0 : 1;
    masks += item.mask.empty() ? 0 : 1;
  }
  EXPECT_EQ(good, set.good);
  EXPECT_EQ(found.test.size() - good, set.defective);
  EXPECT_EQ(masks, set.masks);
}

INSTANTIATE_TEST_SUITE_P(Dataset, RealDataset,
                         testing::Values(RealSet{"mvtec_ad/screw", 110, 26, 70, 70},
                                         RealSet{"mvtec_ad/leather", 4, 4, 20, 11},
                                         RealSet{"kolektor_sdd/commutator", 60, 20, 24, 24},
                                         RealSet{"magnetic_tile/tile", 160, 60, 178, 178},
                                         RealSet{"glass_panel/cover", 12, 6, 80, 80},
                                         RealSet{"dagm2007/Class1", 84, 32, 22, 22}));

TEST(Dataset, RealImagesOfVaryingSizeAllDecodeWithTheirMasks) {
  const auto root = uad::test::shared_data("magnetic_tile/tile");
  if (root.empty()) GTEST_SKIP() << "no real images in UAD_SHARED_DATA";
  const auto source = uad::open_images(uad::list_dataset(root).test, {.strict = true});
  std::size_t marked = 0;
  while (const auto frame = source->next()) {
    if (!frame->mask) continue;
    const auto& pixels = frame->mask->pixels;
    marked += std::any_of(pixels.begin(), pixels.end(), [](auto p) { return p != 0; }) ? 1 : 0;
  }
  EXPECT_EQ(marked, 178U);
}

}  // namespace
