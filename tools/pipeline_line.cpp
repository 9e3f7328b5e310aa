// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/pipeline_line.h"

#include <fmt/format.h>

namespace uad::tools {
namespace {

std::string with_number(std::string text, int number) {
  constexpr const char* kPlace = "{n}";
  for (std::size_t at = 0; (at = text.find(kPlace, at)) != std::string::npos;) {
    text.replace(at, 3, std::to_string(number));
  }
  return text;
}

/// A value of a property for gst-launch-1.0 in a shell: quoted for the one and for the other.
std::string quoted(const std::string& value) {
  if (value.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,") ==
      std::string::npos) {
    return value;
  }
  std::string result = "'\"";
  for (const char c : value) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      if (c == '"' || c == '\\') result += '\\';
      result += c;
    }
  }
  return result + "\"'";
}

}  // namespace

std::string pipeline_line(const LineSettings& settings) {
  std::string line = "gst-launch-1.0";
  for (int camera = 0; camera < settings.cameras; ++camera) {
    line += fmt::format(
        " \\\n  {} ! videoconvert ! uadinfer model={} device={} precision={} threads={} "
        "interval={} ! \\\n    uadoverlay ! videoconvert ! autovideosink",
        with_number(settings.source, camera), quoted(settings.model), settings.device,
        settings.precision, settings.threads, settings.interval);
  }
  return line;
}

}  // namespace uad::tools
