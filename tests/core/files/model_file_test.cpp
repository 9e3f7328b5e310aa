// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/files/model_file.h"

#include <cmath>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/files/safetensors.h"
#include "core/files/sha256.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace {

using nlohmann::json;
using uad::ErrorCode;
using uad::test::expect_error;
using uad::test::TempDir;

uad::ModelFile sample() {
  uad::ModelFile model;
  model.manifest.method = "patchcore";
  model.manifest.self_test.scores = {1.5, 2.5};
  model.tensors = {{"bank", at::arange(12, at::kFloat).reshape({3, 4})}};
  model.self_test_frames = {uad::Image{2, 1, 3, {1, 2, 3, 4, 5, 6}},
                            uad::Image{1, 1, 3, {7, 8, 9}}};
  model.mask = uad::Image{3, 1, 1, {0, 255, 255}};
  model.sensitivity = {2, 1, {0.5F, 4.0F}};
  model.training_frames = {-1, 1LL << 40};
  return model;
}

class ModelFileTest : public testing::Test {
 protected:
  void SetUp() override { sha_ = uad::save_model_file(file_, sample()); }
  uad::ModelFile load() const { return uad::load_model_file(file_, {}, {}); }
  void expect_refused(std::initializer_list<std::string> parts) const {
    expect_error(ErrorCode::kBadFile, parts, [this] { return load(); });
  }
  /// Writes the same content again after `change` had its way.
  void rewrite(const std::function<void(uad::Safetensors&)>& change) const {
    uad::Safetensors content = uad::read_safetensors(file_);
    change(content);
    uad::write_safetensors(file_, content.tensors, content.metadata);
  }

  TempDir dir_;
  std::filesystem::path file_ = dir_ / "line3.uad";
  std::string sha_;
};

TEST_F(ModelFileTest, SurvivesSavingAndLoading) {
  const uad::ModelFile expected = sample();
  const uad::ModelFile found = load();
  EXPECT_EQ(found.sha256, sha_);
  EXPECT_EQ(found.sha256, uad::sha256_of_file(file_));
  EXPECT_TRUE(found.tensors.at("bank").equal(expected.tensors.at("bank")));
  EXPECT_EQ(found.tensors.size(), 1U);
  EXPECT_EQ(found.self_test_frames, expected.self_test_frames);
  EXPECT_EQ(found.mask, expected.mask);
  EXPECT_EQ(found.sensitivity, expected.sensitivity);
  EXPECT_EQ(found.training_frames, expected.training_frames);
  EXPECT_EQ(found.manifest.self_test, expected.manifest.self_test);
  EXPECT_EQ(uad::read_manifest(file_).tensor_sha256.size(), 6U);
}

TEST_F(ModelFileTest, WithoutMaskTheMaskIsEmpty) {
  uad::ModelFile model = sample();
  model.mask = {};
  uad::save_model_file(file_, model);
  EXPECT_TRUE(load().mask.pixels.empty());
}

TEST_F(ModelFileTest, EveryFlippedByteIsNoticed) {
  const std::string good = uad::test::read_bytes(file_);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 0x11;
    uad::test::write_bytes(file_, bad);
    expect_refused({"line3.uad"});
  }
}

TEST_F(ModelFileTest, EveryTruncationIsNoticed) {
  const std::string good = uad::test::read_bytes(file_);
  for (std::size_t length = 0; length < good.size(); ++length) {
    uad::test::write_bytes(file_, good.substr(0, length));
    expect_refused({"line3.uad"});
  }
}

TEST_F(ModelFileTest, AlteredMissingAndExtraTensorsAreNamed) {
  rewrite([](auto& content) { content.tensors["model.bank"] = at::zeros({3, 4}); });
  expect_refused({"'model.bank' was altered"});
  rewrite([](auto& content) { content.tensors.erase("model.bank"); });
  expect_refused({"'model.bank' is missing"});
  uad::save_model_file(file_, sample());
  rewrite([](auto& content) { content.tensors["model.more"] = at::zeros({1}); });
  expect_refused({"'model.more' is not listed"});
}

TEST_F(ModelFileTest, GainsOutOfRangeAreRefused) {
  for (const float gain : {0.1F, 5.0F, std::nanf("")}) {
    uad::ModelFile model = sample();
    model.sensitivity.values[0] = gain;
    uad::save_model_file(file_, model);
    expect_refused({"sensitivity", "0.25 to 4"});
  }
}

TEST_F(ModelFileTest, AlteredThresholdIsNoticed) {
  rewrite([](auto& content) {
    json manifest = json::parse(content.metadata["uad"]);
    manifest["warn"] = 0.25;
    content.metadata["uad"] = manifest.dump();
  });
  expect_refused({"manifest was altered"});
}

TEST_F(ModelFileTest, AnotherFormatVersionIsNamedBeforeAnythingElse) {
  rewrite([](auto& content) { content.metadata["uad"] = R"({"format_version": 2})"; });
  expect_refused({"version 2", "version 1"});
}

TEST_F(ModelFileTest, ForeignSafetensorsIsNoModel) {
  uad::write_safetensors(file_, {{"w", at::zeros({1})}}, {});
  expect_refused({"line3.uad", "manifest"});
}

TEST_F(ModelFileTest, StopEndsLoading) {
  std::stop_source source;
  source.request_stop();
  expect_error(ErrorCode::kCancelled, {},
               [&] { return uad::load_model_file(file_, {}, source.get_token()); });
}

TEST_F(ModelFileTest, ProgressNamesItsStages) {
  std::map<std::string, double> seen;
  (void)uad::load_model_file(
      file_, [&](double done, const std::string& stage) { seen[stage] = done; }, {});
  EXPECT_EQ(seen, (std::map<std::string, double>{{"reading", 1.0}, {"verifying", 1.0}}));
}

TEST_F(ModelFileTest, AModelThatCouldNotBeLoadedIsNotWritten) {
  const std::string before = uad::test::read_bytes(file_);
  uad::ModelFile model = sample();
  model.manifest.thresholds.warn = std::nan("");
  expect_error(ErrorCode::kFailed, {"line3.uad"}, [&] { return save_model_file(file_, model); });
  model = sample();
  model.self_test_frames.pop_back();
  expect_error(ErrorCode::kFailed, {"2 scores and 1 frames"},
               [&] { return save_model_file(file_, model); });
  EXPECT_EQ(uad::test::read_bytes(file_), before);
}

TEST(Checkpoint, ReaderDemandsTypeAndShape) {
  uad::CheckpointWriter writer;
  writer.add("bank", at::zeros({3, 4}).t());
  writer.add("backbone.conv.weight", at::ones({1}));
  expect_error(ErrorCode::kFailed, {"'bank'"}, [&] { writer.add("bank", at::zeros({1})); });
  const uad::CheckpointReader reader(writer.tensors(), {{"k", 9}}, "m.uad");
  EXPECT_TRUE(reader.get("bank", at::kFloat, {4, -1}).is_contiguous());
  EXPECT_EQ(reader.with_prefix("backbone.").begin()->first, "conv.weight");
  EXPECT_EQ(reader.with_prefix("backbone.").size(), 1U);
  expect_error(ErrorCode::kBadFile, {"m.uad", "'means'"},
               [&] { return reader.get("means", at::kFloat, {1}); });
  expect_error(ErrorCode::kBadFile, {"m.uad", "'bank'", "Float [4, 9]", "Float [4, 3]"}, [&] {
    return reader.get("bank", at::kFloat, {4, 9});
  });
  expect_error(ErrorCode::kBadFile, {"Long [any, 3]"}, [&] {
    return reader.get("bank", at::kLong, {-1, 3});
  });
  expect_error(ErrorCode::kBadFile, {"[4, 3, any]"}, [&] {
    return reader.get("bank", at::kFloat, {4, 3, -1});
  });
}

}  // namespace
