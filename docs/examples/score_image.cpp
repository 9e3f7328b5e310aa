// SPDX-License-Identifier: LGPL-2.1-or-later
// Judges image files with a model, from C++ and without GStreamer.
//   c++ -std=c++20 score_image.cpp -o score_image $(pkg-config --cflags --libs uad)
//   ./score_image part.uad a.png b.png
#include <cstdio>
#include <string>

#include "core/base/engine/analyser.h"
#include "core/base/error.h"
#include "core/data/image_io.h"
#include "models/backend_entry.h"

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s MODEL.uad IMAGE…\n", argv[0]);
    return 2;
  }
  const uad::AnalyserPtr model = uad::Analyser::load(*uad_backend_4(), argv[1]);
  for (int i = 2; i < argc; ++i) {
    const uad::Image image = uad::read_image(argv[i]);
    const uad::AnalysisPtr result = model->analyse(*model->cut(uad::view(image)));
    const std::string verdict(uad::to_string(result->verdict));
    std::printf("%s %s %.6g\n", argv[i], verdict.c_str(), result->score);
    for (const uad::Region& region : result->regions) {
      std::printf("  %.0f square pixels around %.0f,%.0f\n", region.area, region.centroid_x,
                  region.centroid_y);
    }
  }
  return 0;
} catch (const uad::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
