// SPDX-License-Identifier: LGPL-2.1-or-later
// Model files of a few kilobytes for the stub backend, which behaves as their options say.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/files/manifest.h"

namespace uad::testing {

/// How the stub behaves with this model; stored in the manifest's options.
struct StubOptions {
  int load_delay_ms = 0;   ///< loading takes so long, unless it is cancelled
  std::string load_error;  ///< not empty: loading fails with this sentence
  int delay_ms = 0;        ///< an analysis takes so long
  int throw_at = 0;        ///< the n-th analysis throws, from 1; 0 = never
  double offset = 0;       ///< added to every score and map value
  bool mask = false;       ///< the model ignores the left half
  int learn_delay_ms = 0;  ///< learning a frame takes so long, unless it is cancelled
};

/// The stub's score is the mean grey of the tile (0…1), its map is the grey image. Reject from 0.5,
/// warn from 0.4, regions from 0.5.
/// @param input  resize defaults to 32x32.
void write_stub_model(const std::filesystem::path& file, const StubOptions& options = {},
                      const InputSpec& input = {{}, {32, 32}});

StubOptions stub_options(const Manifest& manifest);

}  // namespace uad::testing
