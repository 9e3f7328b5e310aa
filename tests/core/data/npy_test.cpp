// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/npy.h"

#include <limits>

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace uad {
namespace {

using test::expect_error;
using test::read_bytes;
using test::write_bytes;

const ScoreMap kMap{3, 2, {0, 1.5F, -2, 1e-30F, 3e38F, std::numeric_limits<float>::infinity()}};

TEST(Npy, MapsComeBackBitByBit) {
  const test::TempDir folder;
  write_npy(folder / "a.npy", kMap);
  EXPECT_EQ(read_npy(folder / "a.npy"), kMap);
}

TEST(Npy, NumbersBeginAtAMultipleOf64) {
  const test::TempDir folder;
  write_npy(folder / "a.npy", kMap);
  EXPECT_EQ(read_bytes(folder / "a.npy").size(), 128 + 6 * sizeof(float));
}

TEST(Npy, OtherFilesAreRefusedWithTheReason) {
  const test::TempDir folder;
  write_npy(folder / "a.npy", kMap);
  const std::string whole = read_bytes(folder / "a.npy");
  const auto refused = [&](std::string bytes, const std::string& reason) {
    write_bytes(folder / "b.npy", bytes);
    expect_error(ErrorCode::kBadFile, {"b.npy", reason},
                 [&] { return read_npy(folder / "b.npy"); });
  };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string bytes = whole;
    return bytes.replace(bytes.find(from), from.size(), to);
  };
  refused("", "too short");
  refused("no map at all", "does not begin");
  refused(whole.substr(0, 40), "ends too early");
  refused(whole.substr(0, whole.size() - 1), "a 3x2 map takes 152 bytes, it has 151");
  refused(whole + "x", "it has 153");
  refused(with("<f4", "<f8"), "32-bit");
  refused(with("(2, 3)", "(2, x)"), "shape");
  refused(with("(2, 3), ", "(-2, 3),"), "shape");
  refused(with("(2, 3)", "(0, 3)"), "shape");
  expect_error(ErrorCode::kNotFound, {"nowhere.npy"},
               [&] { return read_npy(folder / "nowhere.npy"); });
}

}  // namespace
}  // namespace uad
