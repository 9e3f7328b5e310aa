// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/protocol_file.h"

#include <filesystem>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "tools/arguments.h"

namespace uad::tools {
namespace {

constexpr int kDeepest = 8;
constexpr int kMostNodes = 100000;  // an alias may stand for a whole tree of others

/// Scalars as texts.
class Converter {
 public:
  nlohmann::json convert(const YAML::Node& node, int depth = 0) {
    if (depth > kDeepest || ++nodes_ > kMostNodes) {
      throw YAML::RepresentationException(node.Mark(), "too many or too deeply nested entries");
    }
    if (node.IsScalar()) return node.Scalar();
    if (node.IsSequence()) {
      nlohmann::json list = nlohmann::json::array();
      for (const YAML::Node& entry : node) list.push_back(convert(entry, depth + 1));
      return list;
    }
    if (!node.IsMap()) return nullptr;
    nlohmann::json object = nlohmann::json::object();
    for (const auto& entry : node) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : std::string();
      if (object.contains(key)) {
        throw YAML::RepresentationException(entry.first.Mark(), "\"" + key + "\" comes twice");
      }
      object[key] = convert(entry.second, depth + 1);
    }
    return object;
  }

 private:
  int nodes_ = 0;
};

nlohmann::json read_file(const std::string& file) {
  try {
    return Converter().convert(YAML::LoadFile(file));
  } catch (const YAML::BadFile&) {
    throw UsageError(fmt::format("Protocol \"{}\" cannot be opened. Check --protocol.", file));
  } catch (const YAML::Exception& error) {
    throw UsageError(fmt::format("Protocol \"{}\" cannot be read at line {}: {}.", file,
                                 error.mark.line + 1, error.msg));
  }
}

}  // namespace

Protocol read_protocol(const std::string& name) {
  const std::string extension = std::filesystem::path(name).extension().string();
  try {
    if (extension != ".yaml" && extension != ".yml") return find_protocol(name);
    return parse_protocol(read_file(name), name);
  } catch (const UsageError&) {
    throw;
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

}  // namespace uad::tools
