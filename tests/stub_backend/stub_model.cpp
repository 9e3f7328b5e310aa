// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/stub_backend/stub_model.h"

#include <cstdint>
#include <fstream>

#include "core/base/files/model_mask.h"

namespace uad::testing {

void write_stub_model(const std::filesystem::path& file, const StubOptions& options,
                      const InputSpec& input) {
  Manifest manifest;
  manifest.method = "stub";
  manifest.options = {{"load_delay_ms", options.load_delay_ms},
                      {"load_error", options.load_error},
                      {"delay_ms", options.delay_ms},
                      {"throw_at", options.throw_at},
                      {"offset", options.offset},
                      {"learn_delay_ms", options.learn_delay_ms}};
  manifest.input = input;
  manifest.thresholds = {{0, 0.5, 1}, {0, 0.5, 1}, 0.4, 0};
  manifest.training.created_utc = "2026-01-01T00:00:00Z";
  if (options.mask) manifest.tensor_sha256[kMaskTensor] = std::string(64, '0');
  nlohmann::json header = {{"__metadata__", {{"uad", to_json_text(manifest)}}}};
  if (options.mask) {
    header[kMaskTensor] = {{"dtype", "U8"}, {"shape", {1, 2}}, {"data_offsets", {0, 2}}};
  }
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  const std::filesystem::path fresh = file.string() + ".new";  // as uad does: never half a model
  {
    std::ofstream out(fresh, std::ios::binary);
    out.write(reinterpret_cast<const char*>(&length), sizeof length);
    out << text;
    if (options.mask) out.write("\0\377", 2);
  }
  std::filesystem::rename(fresh, file);
}

StubOptions stub_options(const Manifest& manifest) {
  const nlohmann::json& o = manifest.options;
  return {o.at("load_delay_ms"), o.at("load_error"),     o.at("delay_ms"),      o.at("throw_at"),
          o.at("offset"),        o.value("mask", false), o.at("learn_delay_ms")};
}

}  // namespace uad::testing
