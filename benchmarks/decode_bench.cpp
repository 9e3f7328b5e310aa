// SPDX-License-Identifier: LGPL-2.1-or-later
// What decoding ahead is worth: images per second that reach the network's input size, one after
// the other and with worker threads, in turns.
//
// Run: build/benchmarks/decode-bench FOLDER [--threads 2] [--rounds 5] [--work 0]
//   FOLDER  a data set of any layout; --work  milliseconds that each image is computed on
//   afterwards
#include <string>
#include <vector>

#include <fmt/format.h>

#include "benchmarks/measuring.h"
#include "core/data/image_source.h"
#include "core/preprocessor.h"

namespace {

using uad::benchmarks::median;
using uad::benchmarks::seconds;

struct Settings {
  std::string folder;
  std::size_t threads = 2;
  int rounds = 5;
  int work_ms = 0;
};

/// Keeps this thread busy, as a network would.
void work(int ms) {
  const double end = seconds() + ms * 1e-3;
  while (seconds() < end) continue;
}

/// @param ahead  false: each image is decoded when it is asked for.
double images_per_second(const std::vector<uad::ImageItem>& items, const Settings& settings,
                         bool ahead) {
  const uad::TilePreprocessor preprocessor({});
  const double start = seconds();
  std::size_t count = 0;
  const auto take = [&](const uad::LabelledFrame& frame) {
    static_cast<void>(preprocessor.cut(frame.view));
    work(settings.work_ms);
    ++count;
  };
  if (ahead) {
    const auto source = uad::open_images(items, {.threads = settings.threads});
    while (const auto frame = source->next()) take(*frame);
  } else {
    for (const uad::ImageItem& item : items) {
      // A set of one is decoded by a worker too, but nobody works meanwhile.
      const auto source = uad::open_images({item}, {.threads = 1});
      if (const auto frame = source->next()) take(*frame);
    }
  }
  return static_cast<double>(count) / (seconds() - start);
}

Settings parse(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (!name.starts_with("--")) {
      settings.folder = name;
    } else if (i + 1 < argc) {
      const int value = std::stoi(argv[++i]);
      if (name == "--threads") settings.threads = static_cast<std::size_t>(value);
      if (name == "--rounds") settings.rounds = value;
      if (name == "--work") settings.work_ms = value;
    }
  }
  return settings;
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings = parse(argc, argv);
  if (settings.folder.empty()) {
    fmt::print(stderr, "Usage: decode-bench FOLDER [--threads 2] [--rounds 5] [--work 0]\n");
    return 2;
  }
  const auto items = uad::everything(uad::list_dataset(settings.folder));
  images_per_second(items, settings, true);  // files into the cache
  std::vector<double> plain;
  std::vector<double> ahead;
  for (int i = 0; i < settings.rounds; ++i) {
    plain.push_back(images_per_second(items, settings, false));
    ahead.push_back(images_per_second(items, settings, true));
  }
  fmt::print(
      "{} images, {} ms of work each: {:.1f} images/s one after the other, {:.1f} with {} "
      "threads ahead: {:.2f} times as many\n",
      items.size(), settings.work_ms, median(plain), median(ahead), settings.threads,
      median(ahead) / median(plain));
  return 0;
}
