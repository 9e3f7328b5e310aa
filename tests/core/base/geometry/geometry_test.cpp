// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/geometry/geometry.h"

#include <string>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace {

using uad::Rect;
using uad::Size;

TEST(ParseSize, ReadsEveryForm) {
  EXPECT_EQ(uad::parse_size("640x480", "resize"), (Size{640, 480}));
  EXPECT_EQ(uad::parse_size("256", "resize"), (Size{256, 256}));
  EXPECT_EQ(uad::parse_size("256x0", "resize"), (Size{256, 0}));
  EXPECT_EQ(uad::parse_size("", "resize"), Size{});
  EXPECT_EQ(uad::parse_size("32768", "resize"), (Size{32768, 32768}));
}

TEST(ParseSize, EverythingElseIsRefusedWithTheOptionAndTheText) {
  for (const std::string text : {"x", "1x", "x1", "1x2x3", " 1x2", "1 x2", "-1x4", "32769", "1.5x2",
                                 "abc", "99999999999", "1,2", "+3x4"}) {
    try {
      uad::parse_size(text, "window");
      ADD_FAILURE() << text;
    } catch (const uad::Error& error) {
      EXPECT_EQ(error.code(), uad::ErrorCode::kBadOption);
      EXPECT_NE(std::string(error.what()).find("\"window\""), std::string::npos);
      EXPECT_NE(std::string(error.what()).find("\"" + text + "\""), std::string::npos);
    }
  }
}

TEST(ParseRect, ReadsFourNumbers) {
  EXPECT_EQ(uad::parse_rect("10,20,640,480", "roi"), (Rect{10, 20, 640, 480}));
  EXPECT_EQ(uad::parse_rect("-5,0,64,48", "roi"), (Rect{-5, 0, 64, 48}));
  EXPECT_EQ(uad::parse_rect("", "roi"), Rect{});
}

TEST(ParseRect, EverythingElseIsRefused) {
  for (const char* text : {"1,2,3", "1,2,3,4,5", "1,2,-3,4", "1;2;3;4", "1,2,3,x", ",,,"}) {
    EXPECT_THROW(uad::parse_rect(text, "roi"), uad::Error) << text;
  }
}

TEST(ToString, IsTheInverseOfParsing) {
  for (const Size size : {Size{}, Size{1, 2}, Size{256, 0}}) {
    EXPECT_EQ(uad::parse_size(uad::to_string(size), "resize"), size);
  }
  for (const Rect rect : {Rect{}, Rect{1, 2, 3, 4}}) {
    EXPECT_EQ(uad::parse_rect(uad::to_string(rect), "roi"), rect);
  }
}

}  // namespace
