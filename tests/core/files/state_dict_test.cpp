// SPDX-License-Identifier: LGPL-2.1-or-later
// The small files come from tests/golden/make_weights.py, which says what they hold.
#include "core/files/state_dict.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/files/safetensors.h"
#include "tests/support/expect_error.h"
#include "tests/support/shared_data.h"
#include "tests/support/temp_dir.h"

namespace {

using uad::ErrorCode;
using uad::TensorMap;
using uad::test::expect_error;
using uad::test::TempDir;

std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(UAD_GOLDEN_DIR) / "weights" / name;
}

template <class Value>
void expect_values(const TensorMap& tensors, const std::string& name, at::IntArrayRef shape,
                   std::vector<Value> expected) {
  ASSERT_TRUE(tensors.contains(name)) << name;
  const at::Tensor& tensor = tensors.at(name);
  EXPECT_EQ(tensor.sizes(), shape) << name;
  EXPECT_TRUE(tensor.is_contiguous()) << name;
  ASSERT_EQ(tensor.scalar_type(), c10::CppTypeToScalarType<Value>::value) << name;
  ASSERT_EQ(tensor.numel(), static_cast<std::int64_t>(expected.size()));
  const Value* found = tensor.const_data_ptr<Value>();
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(found[i], expected[i]) << name;
}

class BothForms : public testing::TestWithParam<const char*> {};

TEST_P(BothForms, FloatsOfAnyLayoutAreRead) {
  const TensorMap t = uad::load_state_dict(golden(GetParam()));
  EXPECT_EQ(t.size(), 16U);
  expect_values<float>(t, "plain", {2, 3}, {0, 1, 2, 3, 4, 5});
  expect_values<float>(t, "transposed", {3, 2}, {0, 3, 1, 4, 2, 5});
  expect_values<float>(t, "shared_a", {4}, {4, 5, 6, 7});
  expect_values<float>(t, "shared_b", {2, 4}, {8, 9, 10, 11, 12, 13, 14, 15});
  expect_values<float>(t, "every_third", {8}, {1, 4, 7, 10, 13, 16, 19, 22});
  expect_values<float>(t, "parameter", {2}, {1.5, -2.5});
  expect_values<float>(t, "empty", {0, 3}, {});
}

TEST_P(BothForms, EveryTypeIsKept) {
  const TensorMap t = uad::load_state_dict(golden(GetParam()));
  expect_values<at::Half>(t, "half", {2}, {0.5F, -1.0F});
  expect_values<at::BFloat16>(t, "bfloat", {2}, {2.0F, 3.0F});
  expect_values<double>(t, "double", {1}, {1e300});
  expect_values<std::int64_t>(t, "long", {}, {-(1LL << 40)});
  expect_values<std::int32_t>(t, "int", {1}, {-7});
  expect_values<std::int16_t>(t, "short", {1}, {-300});
  expect_values<std::int8_t>(t, "char", {1}, {-8});
  expect_values<std::uint8_t>(t, "byte", {1}, {200});
  expect_values<bool>(t, "bool", {3}, {true, false, true});
}

INSTANTIATE_TEST_SUITE_P(StateDict, BothForms, testing::Values("all_zip.pth", "all_old.pth"));

TEST(StateDict, IsFoundInsideATrainingState) {
  for (const char* file : {"small_zip.pth", "small_protocol4.pth", "nested.pth"}) {
    const TensorMap t = uad::load_state_dict(golden(file));
    EXPECT_EQ(t.size(), 2U) << file;
    expect_values<float>(t, "weight", {2}, {1, 2});
    expect_values<float>(t, "bias", {1}, {3});
  }
}

TEST(StateDict, SafetensorsAreReadToo) {
  const TempDir dir;
  uad::write_safetensors(dir / "w.safetensors", {{"w", at::tensor({1.5F})}}, {});
  expect_values<float>(uad::load_state_dict(dir / "w.safetensors"), "w", {1}, {1.5});
}

TEST(StateDict, CodeIsRefusedByNameAndNotRun) {
  for (const char* file : {"evil_zip.pth", "evil_old.pth"}) {
    testing::internal::CaptureStdout();
    expect_error(ErrorCode::kBadFile, {file, "holds code", "system", "state_dict()"},
                 [&] { return uad::load_state_dict(golden(file)); });
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  }
  expect_error(ErrorCode::kBadFile, {"torch.nn.modules.linear.Linear"},
               [] { return uad::load_state_dict(golden("whole_module.pth")); });
}

TEST(StateDict, AmbiguousAndForeignContentIsNamed) {
  expect_error(ErrorCode::kBadFile, {"student, teacher"},
               [] { return uad::load_state_dict(golden("two_networks.pth")); });
  expect_error(ErrorCode::kBadFile, {"no dictionary of tensors"},
               [] { return uad::load_state_dict(golden("list.pth")); });
  const TempDir dir;
  uad::test::write_bytes(dir / "a.pth", "an HTML page, perhaps, or a pointer of Git LFS");
  expect_error(ErrorCode::kBadFile, {"a.pth", "neither"},
               [&] { return uad::load_state_dict(dir / "a.pth"); });
  uad::test::write_bytes(dir / "empty.pth", "");
  expect_error(ErrorCode::kBadFile, {"empty.pth"},
               [&] { return uad::load_state_dict(dir / "empty.pth"); });
  expect_error(ErrorCode::kNotFound, {"none.pth"},
               [&] { return uad::load_state_dict(dir / "none.pth"); });
}

TEST(StateDict, AFlippedWeightIsNoticed) {
  std::string bytes = uad::test::read_bytes(golden("small_zip.pth"));
  const float two = 2;
  const std::size_t at = bytes.find(std::string(reinterpret_cast<const char*>(&two), sizeof two));
  ASSERT_NE(at, std::string::npos);
  bytes[at] ^= 1;
  const TempDir dir;
  uad::test::write_bytes(dir / "w.pth", bytes);
  expect_error(ErrorCode::kBadFile, {"w.pth", "checksum"},
               [&] { return uad::load_state_dict(dir / "w.pth"); });
}

/// A file of the older form around one hand-made object pickle.
std::string old_form(const std::string& object) {
  constexpr std::string_view kMagicVersionMachine(
      "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e"
      "\x80\x02M\xe9\x03."
      "\x80\x02}.",
      25);
  return std::string(kMagicVersionMachine) + object;
}

TEST(StateDict, HostileTensorsAreRefused) {
  // {"w": _rebuild_tensor_v2(storage "0" of 4 floats, offset, (shape,), (stride,))}
  const auto file_with = [](const std::string& offset_shape_stride) {
    std::string object =
        "\x80\x02}U\x01wctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\n"
        "U\x01"
        "0U\x03"
        "cpuK\x04tQ";
    object += offset_shape_stride + "\x89}tRs.";
    const std::string keys = std::string("\x80\x02]U\x01") + "0a.";
    return old_form(object + keys) + std::string("\4\0\0\0\0\0\0\0", 8) + std::string(16, '\0');
  };
  const TempDir dir;
  const auto load = [&](const std::string& numbers) {
    uad::test::write_bytes(dir / "w.pth", file_with(numbers));
    return uad::load_state_dict(dir / "w.pth");
  };
  EXPECT_EQ(load("K\1K\3\x85K\1\x85").at("w").numel(), 3);
  for (const char* numbers :
       {"K\2K\3\x85K\1\x85", "K\1K\3\x85K\2\x85", "K\1K\5\x85K\x01\x85",
        "J\xff\xff\xff\xffK\3\x85K\1\x85", "K\1J\xff\xff\xff\xff\x85K\1\x85",
        "K\1K\3\x85K\1K\1\x86", "K\1K\3\x85\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85"}) {
    expect_error(ErrorCode::kBadFile, {"w.pth", "'w' does not lie inside its storage"},
                 [&] { return load(numbers); });
  }
}

struct RealWeights {
  const char* file;
  std::size_t keys;
  const char* name;
  std::vector<std::int64_t> shape;
  at::ScalarType type;
};

TEST(StateDict, RealWeightsAreRead) {
  const std::vector<RealWeights> known{
      {"resnet18_imagenet_to_layer3.pth", 118, "conv1.weight", {64, 3, 7, 7}, at::kFloat},
      {"efficientnet_b4_imagenet_to_block21.pth",
       478,
       "features.0.0.weight",
       {48, 3, 3, 3},
       at::kFloat},
      {"mobilenet_v2_imagenet_dequant_half.pth",
       314,
       "features.0.0.weight",
       {32, 3, 3, 3},
       at::kHalf},
      {"squeezenet1_1_imagenet.pth", 52, "features.0.weight", {64, 3, 3, 3}, at::kFloat}};
  for (const RealWeights& weights : known) {
    const auto file = uad::test::shared_data(std::filesystem::path("weights") / weights.file);
    if (file.empty()) GTEST_SKIP() << "no real weights in UAD_SHARED_DATA";
    const TensorMap tensors = uad::load_state_dict(file);
    EXPECT_EQ(tensors.size(), weights.keys) << weights.file;
    EXPECT_EQ(tensors.at(weights.name).sizes(), at::IntArrayRef(weights.shape)) << weights.file;
    EXPECT_EQ(tensors.at(weights.name).scalar_type(), weights.type);
    for (const auto& [name, tensor] : tensors) {
      EXPECT_TRUE(tensor.to(at::kDouble).isfinite().all().item<bool>()) << name;
    }
  }
}

TEST(StateDict, FoldedBatchNormOfTheRealResnetHasItsKnownValue) {
  const auto file = uad::test::shared_data("weights/resnet18_imagenet_to_layer3.pth");
  if (file.empty()) GTEST_SKIP() << "no real weights in UAD_SHARED_DATA";
  const TensorMap t = uad::load_state_dict(file);
  EXPECT_FALSE(t.contains("layer4.0.conv1.weight"));
  EXPECT_NEAR(t.at("bn1.weight")[0].item<float>(), std::sqrt(1 + 1e-5), 1e-6);
  EXPECT_EQ(t.at("bn1.running_mean").abs().max().item<float>(), 0);
}

}  // namespace
