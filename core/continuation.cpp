// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/continuation.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/input_options.h"
#include "core/loaded_model.h"

namespace uad {
namespace {

using nlohmann::json;

/// What of `given` belongs to `specs`, under the options' own names.
json part_of(const json& given, const std::vector<OptionSpec>& specs) {
  json part = json::object();
  for (const OptionSpec& spec : specs) {
    if (const auto value = given.find(spec.name); value != given.end() && !value->is_null()) {
      part[spec.name] = *value;
    }
  }
  return part;
}

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& option,
                         const std::string& wanted, const std::string& stored) {
  throw Error(ErrorCode::kBadOption,
              fmt::format("Option \"{}\" is {}, but model \"{}\", which is to go on learning, was "
                          "made with {}. Leave the option out, or train a new model without "
                          "continue-from.",
                          option, wanted, file.string(), stored));
}

/// The stored options, with what may change.
json merged_options(const std::filesystem::path& file, const Method& method, const json& given,
                    const json& stored) {
  const json wanted = complete_options(method.options, part_of(given, method.options));
  json merged = stored;
  for (const OptionSpec& spec : method.options) {
    if (!given.contains(spec.name) || given[spec.name].is_null()) continue;
    const json& value = wanted.at(spec.name);
    if (!spec.of_fit && value != stored.at(spec.name)) {
      refuse(file, spec.name, value.dump(), stored.at(spec.name).dump());
    }
    merged[spec.name] = value;
  }
  return merged;
}

void check_input(const std::filesystem::path& file, const json& given, const ModelFile& model) {
  const std::vector<OptionSpec>& specs = input_option_specs();
  const json part = part_of(given, specs);
  for (const auto& [name, value] : part.items()) {
    const json one = complete_options(specs, {{name, value}});
    const PreprocessOptions wanted = read_input_options(one, model.manifest.input);
    if (wanted.spec == model.manifest.input &&
        (wanted.mask.pixels.empty() || wanted.mask == model.mask)) {
      continue;
    }
    refuse(file, name, value.dump(), "another (see uad info)");
  }
}

}  // namespace

void continue_from(const std::filesystem::path& file, const json& given, TrainRequest& request) {
  ModelFile model = load_model_file(file, [](double, const std::string&) {}, {});
  const Method& method = *request.method;
  if (model.manifest.method != method.name) {
    throw Error(
        ErrorCode::kBadOption,
        fmt::format("Model \"{}\", which is to go on learning, is one of method {}, not {}. "
                    "Set method to {}.",
                    file.string(), model.manifest.method, method.name, model.manifest.method));
  }
  if (!method.incremental) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Method {} cannot go on learning from a model; leave out continue-from "
                            "to train a new one.",
                            method.name));
  }
  model.manifest.options = stored_options(file, method, model.manifest.options);
  check_input(file, given, model);
  request.options = merged_options(file, method, given, model.manifest.options);
  request.preprocess = {model.manifest.input, std::move(model.mask)};
  CheckpointReader reader(std::move(model.tensors), model.manifest.options, file.string());
  request.start = Continuation{method.load(reader, request.execution), std::move(model.manifest),
                               std::move(model.sensitivity), std::move(model.sha256),
                               std::move(model.training_frames)};
}

}  // namespace uad
