// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/map_names.h"

#include <gtest/gtest.h>

namespace uad {
namespace {

TEST(MapNames, AreRelativeToTheFolderAsItIsWritten) {
  EXPECT_EQ(name_below("set", "set/test/a.png"), "test/a.png");
  EXPECT_EQ(name_below("set/", "set/test/a.png"), "test/a.png");
  EXPECT_EQ(name_below("./set", "set/a.png"), "a.png");
  EXPECT_EQ(name_below(".", "./test/a.png"), "test/a.png");
  EXPECT_EQ(name_below("../set", "../set/a.png"), "a.png");
}

TEST(MapNames, NeverLeaveTheFolder) {
  EXPECT_EQ(name_below("set", "other/a.png"), "a.png");
  EXPECT_EQ(name_below("set", "/other/a.png"), "a.png");
  EXPECT_EQ(name_below("set", "set/../../a.png"), "a.png");
}

TEST(MapNames, AreHandedOutOnce) {
  MapNames names;
  EXPECT_EQ(names.take("x/a"), "x/a");
  EXPECT_EQ(names.take("a"), "a");
  EXPECT_EQ(names.take("x/a"), "x/a-2");
  EXPECT_EQ(names.take("x/a-2"), "x/a-2-2");
  EXPECT_EQ(names.take("x/a"), "x/a-3");
}

}  // namespace
}  // namespace uad
