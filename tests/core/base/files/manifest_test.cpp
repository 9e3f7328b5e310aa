// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/files/manifest.h"

#include <cmath>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace {

using nlohmann::json;
using uad::ErrorCode;
using uad::test::expect_error;
using uad::test::TempDir;

uad::Manifest sample() {
  uad::Manifest m;
  m.method = "patchcore";
  m.options = {{"backbone", "resnet18"}, {"coreset_ratio", 0.1}};
  m.input.roi = {10, 20, 300, 200};
  m.input.resize = {256, 640};
  m.input.window = {64, 32};
  m.thresholds = {{0.5, 2.25, 4.0}, {0.1, 0.2, 0.4}, 1.75, 12.5};
  m.threshold_origin = {"mean + 3 sd", 12, {{"mean", 1.0}}};
  m.training = {60,
                2,
                std::string(64, 'a'),
                18446744073709551615ULL,
                "2026-01-02T03:04:05Z",
                {{"uad", "0.1.0"}}};
  m.backbone = {"resnet18", std::string(64, 'b')};
  m.products = {"bracket", "hinge"};
  m.precision = "bf16";
  m.tensor_sha256 = {{"model.bank", std::string(64, 'c')}};
  m.self_test = {"bf16", 1e-2, {1.5, 2.5}};
  return m;
}

std::string altered(const std::string& pointer, const json& value) {
  json root = json::parse(uad::to_json_text(sample()));
  root[json::json_pointer(pointer)] = value;
  return root.dump();
}

/// A safetensors file without tensors around one manifest text.
std::string container(const std::string& manifest) {
  const std::string header = json({{"__metadata__", {{"uad", manifest}}}}).dump();
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return bytes + header;
}

TEST(Manifest, SurvivesWritingAndReading) {
  const uad::Manifest m = sample();
  const uad::Manifest back = uad::parse_manifest(uad::to_json_text(m), "x.uad");
  EXPECT_EQ(back.method, m.method);
  EXPECT_EQ(back.options, m.options);
  EXPECT_EQ(back.input, m.input);
  EXPECT_EQ(back.thresholds, m.thresholds);
  EXPECT_EQ(back.threshold_origin, m.threshold_origin);
  EXPECT_EQ(back.training, m.training);
  EXPECT_EQ(back.backbone, m.backbone);
  EXPECT_EQ(back.products, m.products);
  EXPECT_EQ(back.precision, m.precision);
  EXPECT_EQ(back.tensor_sha256, m.tensor_sha256);
  EXPECT_EQ(back.self_test, m.self_test);
}

TEST(Manifest, WritesSizesHeightFirstAndRejectForReaders) {
  const json root = json::parse(uad::to_json_text(sample()));
  EXPECT_EQ(root["input"]["resize"], json({640, 256}));
  EXPECT_EQ(root["reject"], 2.25);
}

TEST(Manifest, FilesFromBeforeCoverAndAntialiasAreReadAsTheyWereMeant) {
  json root = json::parse(uad::to_json_text(sample()));
  root["input"].erase("cover");
  root["input"].erase("antialias");
  const uad::InputSpec input = uad::parse_manifest(root.dump(), "x.uad").input;
  EXPECT_FALSE(input.cover);
  EXPECT_TRUE(input.antialias);
}

TEST(Manifest, FilesFromBeforeProductsKnowNone) {
  json root = json::parse(uad::to_json_text(sample()));
  root.erase("products");
  EXPECT_TRUE(uad::parse_manifest(root.dump(), "x.uad").products.empty());
}

TEST(Manifest, EmptyRoiIsNull) {
  uad::Manifest m = sample();
  m.input.roi = {};
  const std::string text = uad::to_json_text(m);
  EXPECT_TRUE(json::parse(text)["input"]["roi"].is_null());
  EXPECT_EQ(uad::parse_manifest(text, "x.uad").input.roi, uad::Rect());
}

TEST(Manifest, NewerFormatNamesBothVersionsAndTheFix) {
  expect_error(ErrorCode::kBadFile, {"x.uad", "version 7", "version 1", "newer gst-uad"}, [] {
    return uad::parse_manifest(R"({"format_version": 7, "unknown": true})", "x.uad");
  });
}

struct BadField {
  const char* pointer;
  json value;
};
void PrintTo(const BadField& field, std::ostream* out) {
  *out << field.pointer << " = " << field.value.dump();
}

class BadFieldTest : public testing::TestWithParam<BadField> {};

TEST_P(BadFieldTest, IsRefusedByName) {
  const std::string pointer = GetParam().pointer;
  const std::string last = pointer.substr(pointer.rfind('/') + 1);
  const bool index = last.size() == 1 && std::isdigit(last[0]);
  expect_error(ErrorCode::kBadFile, {"x.uad", index ? "field" : last},
               [&] { return uad::parse_manifest(altered(pointer, GetParam().value), "x.uad"); });
}

INSTANTIATE_TEST_SUITE_P(
    Manifest, BadFieldTest,
    testing::Values(
        BadField{"/format_version", "1"}, BadField{"/format_version", -1}, BadField{"/method", ""},
        BadField{"/method", 3}, BadField{"/options", json::array()}, BadField{"/input", nullptr},
        BadField{"/input/roi", {{"x", 0}, {"y", 0}, {"width", 0}, {"height", 3}}},
        BadField{"/input/roi", "all"}, BadField{"/input/resize", 256},
        BadField{"/input/resize", {1, 2, 3}}, BadField{"/input/resize/0", 40000},
        BadField{"/input/crop/1", -1}, BadField{"/input/crop/1", 1.5},
        BadField{"/input/keep_aspect", 1}, BadField{"/input/cover", "yes"},
        BadField{"/input/antialias", 0}, BadField{"/input/std/2", 0},
        BadField{"/input/mean", {0.1, 0.2}}, BadField{"/image_norm/lo", 3},
        BadField{"/image_norm/thr", nullptr}, BadField{"/map_norm/hi", "high"},
        BadField{"/warn", 2.5}, BadField{"/reject", 2.0}, BadField{"/min_area", -1},
        BadField{"/threshold_origin/rule", 1}, BadField{"/threshold_origin/facts", 1},
        BadField{"/training/images", -1}, BadField{"/training/images", 1e300},
        BadField{"/training/seed", 1.5}, BadField{"/training/data_sha256", "abc"},
        BadField{"/training/versions/uad", 1}, BadField{"/backbone/weights_sha256", "X"},
        BadField{"/precision", "fp64"}, BadField{"/tensors/model.bank", ""},
        BadField{"/tensors", json::array()}, BadField{"/self_test/tolerance", 0},
        BadField{"/self_test/scores", {1, 2, 3, 4, 5}}, BadField{"/self_test/scores/0", nullptr}));

TEST(Manifest, EveryTopLevelFieldIsNeeded) {
  const json root = json::parse(uad::to_json_text(sample()));
  for (const auto& [key, value] : root.items()) {
    if (key == "products") continue;  // see FilesFromBeforeProductsKnowNone
    json less = root;
    less.erase(key);
    expect_error(ErrorCode::kBadFile, {"x.uad", key, "missing"},
                 [&] { return uad::parse_manifest(less.dump(), "x.uad"); });
  }
}

TEST(Manifest, NonFiniteThresholdIsRefused) {
  uad::Manifest m = sample();
  m.thresholds.warn = std::nan("");
  expect_error(ErrorCode::kBadFile, {"warn"},
               [&] { return uad::parse_manifest(uad::to_json_text(m), "x.uad"); });
}

TEST(Manifest, KeyGivenTwiceIsRefused) {
  expect_error(ErrorCode::kBadFile, {"'warn' twice"},
               [] { return uad::parse_manifest(R"({"warn": 1, "warn": 2})", "x.uad"); });
}

TEST(Manifest, DeepNestingIsRefused) {
  const std::string deep(100000, '[');
  expect_error(ErrorCode::kBadFile, {"nested"}, [&] { return uad::parse_manifest(deep, "x.uad"); });
}

TEST(Manifest, IsReadFromTheHeaderOfAFile) {
  const TempDir dir;
  uad::test::write_bytes(dir / "m.uad", container(uad::to_json_text(sample())));
  EXPECT_EQ(uad::read_manifest(dir / "m.uad").method, "patchcore");
}

TEST(Manifest, FileWithoutManifestSaysHowToMakeOne) {
  const TempDir dir;
  uad::test::write_bytes(dir / "m.uad", std::string("\x02\0\0\0\0\0\0\0{}", 10));
  expect_error(ErrorCode::kBadFile, {"m.uad", "no manifest", "uad train"},
               [&] { return uad::read_manifest(dir / "m.uad"); });
}

TEST(Manifest, OversizedHeaderIsRefusedBeforeItIsAllocated) {
  const TempDir dir;
  uad::test::write_bytes(dir / "m.uad", std::string("\0\0\0\0\0\0\0\x7f{}", 10));
  expect_error(ErrorCode::kBadFile, {"m.uad", "header"},
               [&] { return uad::read_manifest(dir / "m.uad"); });
}

TEST(Manifest, MissingFileAndFolderAreNamed) {
  const TempDir dir;
  expect_error(ErrorCode::kNotFound, {"none.uad", "does not exist"},
               [&] { return uad::read_manifest(dir / "none.uad"); });
  expect_error(ErrorCode::kBadFile, {"not a file"}, [&] { return uad::read_manifest(dir.path()); });
}

}  // namespace
