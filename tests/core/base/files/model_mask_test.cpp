// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/files/model_mask.h"

#include <fstream>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/stub_backend/stub_model.h"

namespace {

class ModelMask : public ::testing::Test {
 protected:
  ~ModelMask() override { std::filesystem::remove(file); }
  std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("uad-mask-" + std::to_string(getpid()) + ".uad");
};

TEST_F(ModelMask, IsReadFromTheModelFile) {
  uad::testing::write_stub_model(file, {.mask = true});
  const uad::Image mask = uad::read_model_mask(file);
  EXPECT_EQ(mask, (uad::Image{2, 1, 1, {0, 255}}));
}

TEST_F(ModelMask, IsEmptyWhereTheModelIgnoresNothing) {
  uad::testing::write_stub_model(file);
  EXPECT_TRUE(uad::read_model_mask(file).pixels.empty());
}

TEST_F(ModelMask, CutOffFileIsRefused) {
  uad::testing::write_stub_model(file, {.mask = true});
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  EXPECT_THROW(uad::read_model_mask(file), uad::Error);
}

}  // namespace
