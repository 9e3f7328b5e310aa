// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/normal_defect.h"

#include <gmock/gmock.h>

#include "core/base/error.h"
#include "tests/core/data/image_tree.h"
#include "tests/support/expect_error.h"

namespace {

using testing::ElementsAre;
using uad::ErrorCode;
using uad::test::expect_error;

using NormalDefect = uad::test::ImageTree;

TEST_F(NormalDefect, TrainsOnNormalPanelsAndTestsOnBothKinds) {
  put("mura/train_data/normal/b.png");
  put("mura/train_data/normal/a.png");
  put("mura/test_data/normal/c.png");
  put("mura/test_data/defect/d.png");
  put("mura/test_data/defect/e.png");
  put("mura/test_data/ground_truth/defect/e_mask.png", 255);
  const uad::Dataset found = uad::list_dataset(dir_ / "mura");
  EXPECT_EQ(found.name, "mura");
  EXPECT_THAT(rows(found.train), ElementsAre("mura/train_data/normal/a.png good ok ",
                                             "mura/train_data/normal/b.png good ok "));
  EXPECT_THAT(rows(found.test), ElementsAre("mura/test_data/normal/c.png good ok ",
                                            "mura/test_data/defect/d.png defect bad ",
                                            "mura/test_data/defect/e.png defect bad "
                                            "mura/test_data/ground_truth/defect/e_mask.png"));
  EXPECT_TRUE(uad::is_labelled_set(dir_ / "mura"));
}

TEST_F(NormalDefect, FoldersMayHaveOtherNames) {
  put("mura/fit/normal/a.png");
  put("mura/judge/defect/d.png");
  EXPECT_FALSE(uad::is_normal_defect(dir_ / "mura"));
  ASSERT_TRUE(uad::is_normal_defect(dir_ / "mura", {"fit", "judge"}));
  const uad::Dataset found =
      uad::list_normal_defect(dir_ / "mura", false, {.train = "fit", .test = "judge"});
  EXPECT_THAT(rows(found.train), ElementsAre("mura/fit/normal/a.png good ok "));
  EXPECT_THAT(rows(found.test), ElementsAre("mura/judge/defect/d.png defect bad "));
}

TEST_F(NormalDefect, WithoutTestImagesThereAreNone) {
  put("mura/train_data/normal/a.png");
  EXPECT_TRUE(uad::list_dataset(dir_ / "mura").test.empty());
}

TEST_F(NormalDefect, AnEmptyTrainingFolderIsNamed) {
  std::filesystem::create_directories(dir_ / "mura/train_data/normal");
  expect_error(ErrorCode::kNotFound, {"train_data/normal"},
               [&] { return uad::list_dataset(dir_ / "mura"); });
}

}  // namespace
