// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes what the fuzzers start from: a small valid input for each reader.
//
// usage: fuzz-seeds FOLDER      (tests/golden/weights serves the weight reader)
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "core/data/npy.h"
#include "tests/stub_backend/stub_model.h"

namespace {

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

/// See fuzz_scores.cpp: an even first byte is a map, an odd one a file of scores.
void write_scores(const std::filesystem::path& folder) {
  uad::write_npy(folder / "map", {3, 2, {0, 1, 2, 3, 4, 5}});
  std::ifstream map(folder / "map", std::ios::binary);
  write(folder / "map", "0" + std::string(std::istreambuf_iterator<char>(map), {}));
  const std::string scale = R"({"lo":0,"thr":1,"hi":2})";
  const std::string thresholds =
      R"("warn":0.5,"reject":1,"min_area":0,"image_norm":)" + scale + R"(,"map_norm":)" + scale;
  write(
      folder / "predict",
      R"(1[{"path":"a.png","score":1.5,"verdict":"REJECT","thresholds":{"region":1,)" + thresholds +
          R"(},"map":{"file":"a.npy","size":[2,3],"placement":{"x":0,"y":0,"width":6,"height":4}}}])");
  write(folder / "eval",
        R"(1{"categories":{"nut":{"manifest":{)" + thresholds +
            R"(},"images":[{"path":"a.png","score":0.5,"kind":"good","defective":false}]}}})");
  write(folder / "lines", "1{\"frame\":1,\"verdict\":\"PASS\",\"score\":0.1}\n{\"ver");
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
  write_scores(folder / "scores");
  return 0;
}
