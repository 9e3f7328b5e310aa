// SPDX-License-Identifier: LGPL-2.1-or-later
// Every reader of foreign files, over every truncation and many seeded byte flips of a small valid
// file: each ends in a valid load or in uad::Error, whatever the bytes.
#include <functional>
#include <random>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/files/manifest.h"
#include "core/data/image_io.h"
#include "core/files/model_file.h"
#include "core/files/safetensors.h"
#include "core/files/state_dict.h"
#include "tests/support/temp_dir.h"

namespace {

using uad::test::TempDir;
using Reader = std::function<void(const std::filesystem::path&)>;

struct Outcome {
  int loads = 0;
  int errors = 0;
};

Outcome try_all(const std::string& good, const Reader& read, int flips) {
  const TempDir dir;
  const std::filesystem::path file = dir / "damaged";
  Outcome outcome;
  const auto attempt = [&](const std::string& bytes) {
    uad::test::write_bytes(file, bytes);
    try {
      read(file);
      ++outcome.loads;
    } catch (const uad::Error& e) {
      EXPECT_NE(std::string(e.what()), "");
      ++outcome.errors;
    }
  };
  for (std::size_t length = 0; length < good.size(); ++length) attempt(good.substr(0, length));
  EXPECT_EQ(outcome.loads, 0) << "a truncated file was taken for a whole one";
  std::mt19937 random(11);
  for (int i = 0; i < flips; ++i) {
    std::string bad = good;
    const auto count = 1 + random() % 4;
    for (unsigned n = 0; n < count; ++n) {
      bad[random() % bad.size()] = static_cast<char>(random() % 256);
    }
    attempt(bad);
  }
  return outcome;
}

std::string golden(const std::string& name) {
  return uad::test::read_bytes(std::filesystem::path(UAD_GOLDEN_DIR) / "weights" / name);
}

TEST(DamagedFiles, ZipWeights) {
  const Outcome outcome = try_all(
      golden("small_zip.pth"), [](const auto& f) { (void)uad::load_state_dict(f); }, 2000);
  EXPECT_GT(outcome.errors, 1800);
}

TEST(DamagedFiles, OldWeights) {
  // No checksum hides the pickle from the flips here, unlike in the zip form.
  const Outcome outcome = try_all(
      golden("all_old.pth"), [](const auto& f) { (void)uad::load_state_dict(f); }, 5000);
  EXPECT_GT(outcome.errors, 4000);
}

TEST(DamagedFiles, Safetensors) {
  const TempDir dir;
  uad::write_safetensors(dir / "good", {{"a", at::ones({2, 2})}, {"b", at::ones({3}, at::kBool)}},
                         {{"key", "value"}});
  const Outcome outcome = try_all(
      uad::test::read_bytes(dir / "good"), [](const auto& f) { (void)uad::read_safetensors(f); },
      2000);
  EXPECT_GT(outcome.errors, 1500);
}

TEST(DamagedFiles, ModelFileAndItsManifest) {
  const TempDir dir;
  uad::ModelFile model;
  model.manifest.method = "patchcore";
  model.tensors = {{"bank", at::ones({2, 2})}};
  uad::save_model_file(dir / "good", model);
  const std::string good = uad::test::read_bytes(dir / "good");
  const Outcome whole = try_all(
      good, [](const auto& f) { (void)uad::load_model_file(f, {}, {}); }, 1000);
  EXPECT_GT(whole.errors, 1000 + static_cast<int>(good.size()) - 100);
  const Outcome header = try_all(
      good, [](const auto& f) { (void)uad::read_manifest(f); }, 1000);
  EXPECT_GT(header.errors, 1000);
}

TEST(DamagedFiles, PngImage) {
  const TempDir dir;
  uad::write_png(dir / "good.png", uad::Image{4, 4, 3, std::vector<std::uint8_t>(48, 77)});
  const Outcome outcome = try_all(
      uad::test::read_bytes(dir / "good.png"), [](const auto& f) { (void)uad::read_image(f); },
      2000);
  EXPECT_GT(outcome.errors, 2000);
}

}  // namespace
