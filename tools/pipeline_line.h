// SPDX-License-Identifier: LGPL-2.1-or-later
// The gst-launch-1.0 line that runs a model with chosen settings.
#pragma once

#include <cstdint>
#include <string>

namespace uad::tools {

struct LineSettings {
  std::string model;   ///< path as it will be typed
  std::string source;  ///< element with its properties; "{n}" becomes the camera's number
  std::string precision;
  std::string device;
  int threads = 1;
  int cameras = 1;
  std::int64_t interval = 1;
};

/// One branch a camera, ready for a shell.
std::string pipeline_line(const LineSettings& settings);

}  // namespace uad::tools
