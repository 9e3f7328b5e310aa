// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/files/safetensors.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/files/sha256.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace {

using uad::ErrorCode;
using uad::test::expect_error;
using uad::test::TempDir;

std::string with_header(const std::string& header, const std::string& data) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return bytes + header + data;
}

TEST(Safetensors, EveryTypeSurvives) {
  const TempDir dir;
  uad::TensorMap tensors;
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong,
                                    at::kInt, at::kShort, at::kChar, at::kByte, at::kBool}) {
    tensors[at::toString(type)] = at::arange(6, at::kFloat).reshape({2, 3}).to(type);
  }
  tensors["scalar"] = at::scalar_tensor(2.5, at::kFloat);
  tensors["empty"] = at::empty({0, 4}, at::kInt);
  const std::string sha = uad::write_safetensors(dir / "a", tensors, {{"key", "välue"}});
  const uad::Safetensors back = uad::read_safetensors(dir / "a");
  EXPECT_EQ(back.sha256, sha);
  EXPECT_EQ(back.sha256, uad::sha256_of_file(dir / "a"));
  EXPECT_EQ(back.metadata.at("key"), "välue");
  ASSERT_EQ(back.tensors.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(back.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(back.tensors.at(name).equal(tensor)) << name;
  }
}

TEST(Safetensors, StridedTensorsAreWrittenPacked) {
  const TempDir dir;
  const at::Tensor turned = at::arange(6, at::kFloat).reshape({2, 3}).t();
  uad::write_safetensors(dir / "a", {{"t", turned}}, {});
  EXPECT_TRUE(uad::read_safetensors(dir / "a").tensors.at("t").equal(turned));
}

TEST(Safetensors, WritingTwiceGivesTheSameBytes) {
  const TempDir dir;
  const uad::TensorMap tensors{{"b", at::ones({3})}, {"a", at::zeros({1}, at::kLong)}};
  EXPECT_EQ(uad::write_safetensors(dir / "a", tensors, {}),
            uad::write_safetensors(dir / "b", tensors, {}));
}

TEST(Safetensors, TypeThatTheFormatLacksIsRefused) {
  const TempDir dir;
  expect_error(ErrorCode::kFailed, {"'c'", "ComplexFloat"}, [&] {
    return uad::write_safetensors(dir / "a", {{"c", at::zeros({1}, at::kComplexFloat)}}, {});
  });
  EXPECT_EQ(dir.entries(), 0);
}

TEST(Safetensors, ProgressCoversTheFileAndMayStopIt) {
  const TempDir dir;
  uad::write_safetensors(dir / "a", {{"t", at::zeros({3 << 20})}}, {});
  std::vector<double> seen;
  (void)uad::read_safetensors(dir / "a", [&](double done) { seen.push_back(done); });
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen.back(), 1);
  expect_error(ErrorCode::kCancelled, {}, [&] {
    return uad::read_safetensors(dir / "a",
                                 [](double) { throw uad::Error(ErrorCode::kCancelled, "enough"); });
  });
}

struct Damaged {
  const char* what;
  const char* header;
  std::size_t data_bytes;
  const char* said;
};
void PrintTo(const Damaged& damaged, std::ostream* out) { *out << damaged.what; }

class DamagedFile : public testing::TestWithParam<Damaged> {};

TEST_P(DamagedFile, IsRefused) {
  const TempDir dir;
  const Damaged& d = GetParam();
  uad::test::write_bytes(dir / "bad", with_header(d.header, std::string(d.data_bytes, 'x')));
  expect_error(ErrorCode::kBadFile, {"bad", d.said},
               [&] { return uad::read_safetensors(dir / "bad"); });
}

INSTANTIATE_TEST_SUITE_P(
    Safetensors, DamagedFile,
    testing::Values(
        Damaged{"no JSON", "{\"a\":", 0, "JSON"}, Damaged{"no object", "[]", 0, "object"},
        Damaged{"unknown type", R"({"a":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}})", 1,
                "unknown type 'F8'"},
        Damaged{"wrong size", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4,
                "needs 8 bytes"},
        Damaged{"backwards", R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[4,0]}})", 4,
                "lies at 4 to 0"},
        Damaged{"out of range", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4,
                "need 8 bytes and 4 follow"},
        Damaged{"trailing bytes", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 2,
                "need 1 bytes and 2 follow"},
        Damaged{"overlap",
                R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},
                    "b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                3, "'b' starts at byte 1"},
        Damaged{"gap",
                R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
                    "b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                3, "'b' starts at byte 2"},
        Damaged{"name twice",
                R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
                    "a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                1, "'a' twice"},
        Damaged{"overflowing shape",
                R"({"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0,
                "impossible shape"},
        Damaged{"negative side", R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1,
                "whole number"},
        Damaged{"huge offset",
                R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[18446744073709551615,0]}})", 0,
                "whole number"},
        Damaged{"no offsets", R"({"a":{"dtype":"U8","shape":[1]}})", 1, "lacks"},
        Damaged{"metadata of numbers", R"({"__metadata__":{"n":1}})", 0, "'n' is not a text"}));

}  // namespace
