// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/frame_store.h"

#include <gtest/gtest.h>

namespace uad {
namespace {

Image grey(int level, int width = 4) {
  return {width, 2, 3,
          std::vector<std::uint8_t>(static_cast<std::size_t>(width) * 6,
                                    static_cast<std::uint8_t>(level))};
}

TEST(FrameStore, GivesItsFramesInOrderAndAgainAfterARewind) {
  FrameStore store(0);
  for (const int level : {10, 10, 200}) EXPECT_TRUE(store.add(grey(level)));
  for (int round = 0; round < 2; ++round) {
    for (const int level : {10, 10, 200}) {
      const auto frame = store.next();
      ASSERT_TRUE(frame);
      EXPECT_EQ(to_rgb(frame->view, {3, 1, 1, 1}).pixels.front(), level);
      EXPECT_FALSE(frame->defective);
    }
    EXPECT_FALSE(store.next());
    store.rewind();
  }
  EXPECT_EQ(store.size(), 3U);
}

TEST(FrameStore, ComparesWithTheLastFrameThatWasTaken) {
  FrameStore store(3);
  EXPECT_TRUE(store.add(grey(10)));
  EXPECT_FALSE(store.add(grey(12)));
  EXPECT_FALSE(store.add(grey(8))) << "to either side";
  EXPECT_TRUE(store.add(grey(13))) << "to 10, not to 8; just as far as asked for is far enough";
  EXPECT_EQ(store.count(), 2U);
}

TEST(FrameStore, AnotherSizeIsAnotherFrame) {
  FrameStore store(255);
  EXPECT_TRUE(store.add(grey(10)));
  EXPECT_TRUE(store.add(grey(10, 5)));
}

TEST(FrameStore, FrontOutlivesTheStore) {
  std::shared_ptr<const Image> front;
  {
    FrameStore store(0);
    EXPECT_EQ(store.front(), nullptr);
    static_cast<void>(store.add(grey(7)));
    front = store.front();
  }
  EXPECT_EQ(front->pixels.front(), 7);
}

}  // namespace
}  // namespace uad
