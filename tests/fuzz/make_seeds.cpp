// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes what the fuzzers start from: a small valid input for each reader.
//
// usage: fuzz-seeds FOLDER      (tests/golden/weights serves the weight reader)
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/stub_backend/stub_model.h"

namespace {

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) return 2;
  const std::filesystem::path folder = words[1];
  std::filesystem::create_directories(folder / "model");
  uad::testing::write_stub_model(folder / "model" / "plain.uad", {});
  uad::testing::write_stub_model(folder / "model" / "mask.uad", {.mask = true});
  write(folder / "yaml" / "all.yml",
        "resize: [256, 256]\nk: 10\nseed: 3\ndo-eval: yes\nbackbone: resnet18\n");
  write(folder / "yaml" / "nested.yml", "a: {b: [1, 2]}\n--- \n- x\n");
  write(folder / "yaml" / "anchor.yml", "seed: &a 3\nk: *a\nresize: \"64x32\"\n");
  for (const char* text :
       {"\0320x240", "\001-10,20,300,400", "\0021/2", "\003[256, 256]", "\003yes", "\0031e-3"}) {
    write(folder / "lists" / std::to_string(std::hash<std::string>{}(text)), text);
  }
  return 0;
}
