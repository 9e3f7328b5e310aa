// SPDX-License-Identifier: LGPL-2.1-or-later
// A data set made for a test: a folder that images, empty files and texts are put into.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/base/log.h"
#include "core/data/dataset.h"
#include "core/data/image_io.h"
#include "core/data/image_source.h"
#include "tests/support/temp_dir.h"

namespace uad::test {

class ImageTree : public testing::Test {
 protected:
  /// An image of one grey level, two rows high.
  void put(const std::string& name, std::uint8_t level = 7, int width = 4) const {
    make_parent(name);
    const Image image{width, 2, 1,
                      std::vector<std::uint8_t>(static_cast<std::size_t>(width) * 2, level)};
    write_png(dir_ / name, image);
  }
  void put_text(const std::string& name, const std::string& text) const {
    make_parent(name);
    write_bytes(dir_ / name, text);
  }
  /// `count` empty files, `pattern` with their number in place of {}.
  void put_empty(const std::string& pattern, int count, int first = 0) const {
    for (int i = first; i < first + count; ++i) put_text(fmt::format(fmt::runtime(pattern), i), "");
  }
  [[nodiscard]] std::string relative(const std::filesystem::path& path) const {
    return path.empty() ? "" : path.lexically_relative(dir_.path()).string();
  }
  [[nodiscard]] std::vector<std::string> images(const std::vector<ImageItem>& items) const {
    std::vector<std::string> found;
    for (const ImageItem& item : items) found.push_back(relative(item.image));
    return found;
  }
  /// "image kind ok|bad mask".
  [[nodiscard]] std::vector<std::string> rows(const std::vector<ImageItem>& items) const {
    std::vector<std::string> found;
    for (const ImageItem& item : items) {
      found.push_back(relative(item.image) + " " + item.kind + (item.defective ? " bad " : " ok ") +
                      relative(item.mask));
    }
    return found;
  }
  TempDir dir_;

 private:
  void make_parent(const std::string& name) const {
    std::filesystem::create_directories((dir_ / name).parent_path());
  }
};

inline std::vector<LabelledFrame> all_frames(FrameSource& source) {
  std::vector<LabelledFrame> frames;
  while (auto frame = source.next()) frames.push_back(std::move(*frame));
  return frames;
}

inline std::size_t count_defective(const std::vector<ImageItem>& items) {
  return static_cast<std::size_t>(std::ranges::count_if(items, &ImageItem::defective));
}

/// What is logged while it lives.
class CapturedLog {
 public:
  CapturedLog() {
    set_log_sink([this](LogLevel, const std::string& line) { lines.push_back(line); });
  }
  ~CapturedLog() { set_log_sink({}); }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;
  std::vector<std::string> lines;
};

}  // namespace uad::test
