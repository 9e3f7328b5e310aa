// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/dataset.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/data/image_io.h"
#include "tests/support/expect_error.h"
#include "tests/support/shared_data.h"
#include "tests/support/temp_dir.h"

namespace {

using testing::ElementsAre;
using uad::ErrorCode;
using uad::Image;
using uad::ImageItem;
using uad::test::expect_error;
using uad::test::TempDir;

class DatasetTest : public testing::Test {
 protected:
  /// A 4x2 image of one grey level, or a mask with its first pixel set.
  void put(const std::string& name, std::uint8_t level = 7, int width = 4) const {
    std::filesystem::create_directories((dir_ / name).parent_path());
    Image image{width, 2, 1, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * 2, level)};
    uad::write_png(dir_ / name, image);
  }
  std::string relative(const std::filesystem::path& path) const {
    return path.empty() ? "" : path.lexically_relative(dir_.path()).string();
  }
  std::vector<std::string> images(const std::vector<ImageItem>& items) const {
    std::vector<std::string> found;
    for (const ImageItem& item : items) found.push_back(relative(item.image));
    return found;
  }
  void put_line() const {
    put("train/good/1.png");
    put("test/good/1.png");
    put("test/scratch/1.png");
    put("ground_truth/scratch/1_mask.png", 255);
  }
  TempDir dir_;
};

std::vector<uad::LabelledFrame> all(uad::FrameSource& source) {
  std::vector<uad::LabelledFrame> frames;
  while (auto frame = source.next()) frames.push_back(std::move(*frame));
  return frames;
}

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
  std::vector<std::string> rows;
  for (const ImageItem& item : found.test) {
    rows.push_back(relative(item.image) + " " + item.kind + (item.defective ? " bad " : " ok ") +
                   relative(item.mask));
  }
  EXPECT_THAT(rows, ElementsAre("test/dent/x.png dent bad ground_truth/dent/x_mask.png",
                                "test/dent/y.png dent bad ground_truth/dent/y.png",
                                "test/dent/z.png dent bad ", "test/good/1.png good ok ",
                                "test/scratch/1.png scratch bad ground_truth/scratch/1_mask.png"));
}

TEST_F(DatasetTest, FramesCarryPixelsLabelsAndMasks) {
  put_line();
  const auto source = uad::open_images(uad::list_dataset(dir_.path()).test);
  EXPECT_EQ(source->size(), 2U);
  for (int round = 0; round < 2; ++round) {
    const auto frames = all(*source);
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_FALSE(frames[0].defective);
    EXPECT_FALSE(frames[0].mask.has_value());
    EXPECT_TRUE(frames[1].defective);
    EXPECT_EQ(frames[1].kind, "scratch");
    EXPECT_EQ(frames[1].view.width, 4);
    EXPECT_EQ(frames[1].view.planes[0].data[0], 7);
    ASSERT_TRUE(frames[1].mask.has_value());
    EXPECT_EQ(frames[1].mask->pixels[0], 255);
    EXPECT_EQ(source->missing_masks(), 0U);
    source->rewind();
  }
}

TEST_F(DatasetTest, CorruptImageIsSkippedAndListed) {
  put("a.png");
  put("c.png");
  uad::test::write_bytes(dir_ / "b.png", "garbage");
  const auto items = uad::list_dataset(dir_.path()).train;
  const auto source = uad::open_images(items);
  EXPECT_EQ(all(*source).size(), 2U);
  ASSERT_EQ(source->skipped().size(), 1U);
  EXPECT_EQ(source->skipped()[0].name, (dir_ / "b.png").string());
  EXPECT_NE(source->skipped()[0].reason, "");
  source->rewind();
  EXPECT_TRUE(source->skipped().empty());
  const auto strict = uad::open_images(items, true);
  expect_error(ErrorCode::kBadFile, {"b.png"}, [&] { return all(*strict); });
}

TEST_F(DatasetTest, MissingAndUnfittingMasksAreCountedWithTheirReason) {
  put("test/dent/a.png");
  put("test/dent/b.png");
  put("ground_truth/dent/b_mask.png", 255, 9);
  const auto items = uad::list_dataset(dir_.path()).test;
  std::vector<std::string> lines;
  uad::set_log_sink([&](uad::LogLevel, const std::string& line) { lines.push_back(line); });
  const auto source = uad::open_images(items);
  EXPECT_EQ(all(*source).size(), 2U);
  uad::set_log_sink({});
  EXPECT_EQ(source->missing_masks(), 2U);
  EXPECT_TRUE(source->skipped().empty());
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], testing::HasSubstr("a.png' has no mask"));
  EXPECT_THAT(lines[1], testing::HasSubstr("9x2 pixels, its image has 4x2"));
  const auto strict = uad::open_images(items, true);
  expect_error(ErrorCode::kNotFound, {"a.png", "no mask"}, [&] { return all(*strict); });
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

TEST_F(DatasetTest, HashDependsOnNamesAndBytesNotOnTheFolder) {
  put("one/a.png", 1);
  put("two/a.png", 1);
  put("three/a.png", 2);
  put("four/b.png", 1);
  const auto hash = [this](const char* folder) {
    return uad::data_sha256(uad::list_folder(dir_ / folder).train);
  };
  EXPECT_EQ(hash("one"), hash("two"));
  EXPECT_NE(hash("one"), hash("three"));
  EXPECT_NE(hash("one"), hash("four"));
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
                                         RealSet{"glass_panel/cover", 12, 6, 80, 80}));

TEST(Dataset, RealImagesOfVaryingSizeAllDecodeWithTheirMasks) {
  const auto root = uad::test::shared_data("magnetic_tile/tile");
  if (root.empty()) GTEST_SKIP() << "no real images in UAD_SHARED_DATA";
  const auto source = uad::open_images(uad::list_dataset(root).test, true);
  std::size_t marked = 0;
  while (const auto frame = source->next()) {
    if (!frame->mask) continue;
    const auto& pixels = frame->mask->pixels;
    marked += std::any_of(pixels.begin(), pixels.end(), [](auto p) { return p != 0; }) ? 1 : 0;
  }
  EXPECT_EQ(marked, 178U);
}

}  // namespace
