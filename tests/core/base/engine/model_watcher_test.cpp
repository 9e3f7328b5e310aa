// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/model_watcher.h"

#include <gtest/gtest.h>

namespace {

using uad::FileNews;
using uad::FileStamp;

constexpr FileStamp kOld{1, 10, 1000, 500};
constexpr FileStamp kNew{1, 11, 2000, 500};
constexpr FileStamp kAbsent{};

/// A watcher that knows this file.
uad::ModelWatcher watcher(const FileStamp& known = kOld) {
  uad::ModelWatcher watcher;
  watcher.settle_on(known);
  return watcher;
}

TEST(ModelWatcher, UnchangedFileIsNoNews) {
  auto w = watcher();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(w.look(kOld), FileNews::kNone);
}

TEST(ModelWatcher, ReplacedFileIsNewsWhenItIsSeenTwiceUntilItIsSettledOn) {
  auto w = watcher();
  EXPECT_EQ(w.look(kNew), FileNews::kNone);
  EXPECT_EQ(w.look(kNew), FileNews::kReplaced);
  EXPECT_EQ(w.look(kNew), FileNews::kReplaced);
  w.settle_on(kNew);
  EXPECT_EQ(w.look(kNew), FileNews::kNone);
}

TEST(ModelWatcher, FileThatGrowsIsWaitedFor) {
  auto w = watcher();
  for (int bytes = 1; bytes < 5; ++bytes) {
    EXPECT_EQ(w.look({1, 10, 2000 + bytes, bytes}), FileNews::kNone);
  }
  EXPECT_EQ(w.look({1, 10, 2004, 4}), FileNews::kReplaced);
}

TEST(ModelWatcher, FileThatAppearsIsNews) {
  auto w = watcher(kAbsent);
  EXPECT_EQ(w.look(kAbsent), FileNews::kNone);
  EXPECT_EQ(w.look(kNew), FileNews::kNone);
  EXPECT_EQ(w.look(kNew), FileNews::kReplaced);
}

TEST(ModelWatcher, VanishedFileIsToldOnce) {
  auto w = watcher();
  EXPECT_EQ(w.look(kAbsent), FileNews::kNone) << "it may be between two renames";
  EXPECT_EQ(w.look(kAbsent), FileNews::kVanished);
  EXPECT_EQ(w.look(kAbsent), FileNews::kNone);
}

TEST(ModelWatcher, SameFileThatComesBackIsNoNewsAndMayVanishAgain) {
  auto w = watcher();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(w.look(kAbsent), FileNews::kNone);
    EXPECT_EQ(w.look(kAbsent), FileNews::kVanished);
    EXPECT_EQ(w.look(kOld), FileNews::kNone);
  }
}

}  // namespace
