// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/files/strict_json.h"

#include <set>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

constexpr int kMaxDepth = 32;

/// Watches the parser: one set of keys for each object that is still open.
class Watcher {
 public:
  explicit Watcher(const std::string& file_name) : file_name_(file_name) {}

  bool operator()(int depth, nlohmann::json::parse_event_t event, const nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > kMaxDepth) refuse(fmt::format("is nested deeper than {} levels", kMaxDepth));
    if (event == Event::object_start) open_.emplace_back();
    if (event == Event::object_end) open_.pop_back();
    if (event == Event::key && !open_.back().insert(value.get<std::string>()).second) {
      refuse(fmt::format("names '{}' twice", value.get<std::string>()));
    }
    return true;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::kBadFile,
                fmt::format("File '{}' is damaged: its JSON part {}.", file_name_, what));
  }
  const std::string& file_name_;
  std::vector<std::set<std::string>> open_;
};

}  // namespace

nlohmann::json parse_strict_json(const std::string& text, const std::string& file_name) {
  Watcher watcher(file_name);
  try {
    return nlohmann::json::parse(text, std::ref(watcher));
  } catch (const nlohmann::json::exception& e) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("File '{}' is damaged: its JSON part cannot be read.", file_name),
                e.what());
  }
}

}  // namespace uad
