// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/protocol_folder.h"

#include <algorithm>
#include <fstream>
#include <vector>

#include <fmt/format.h>

#include "core/eval/report/protocol_run.h"
#include "core/files/atomic_file.h"
#include "tools/arguments.h"
#include "tools/console.h"
#include "tools/report_file.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// "options.k is 5, but was 1": the first thing that differs.
std::string difference(const json& before, const json& now) {
  if (before.value("protocol", json()) != now["protocol"]) return "its protocol is another";
  const json first = json::diff(before, now).at(0);
  const auto place = first.at("path").get<std::string>();
  const auto text = [&](const json& whole) {
    const json::json_pointer at(place);
    return whole.contains(at) ? whole.at(at).dump() : std::string("missing");
  };
  std::string name = place.substr(1);
  std::ranges::replace(name, '/', '.');
  return fmt::format("{} is {}, but was {}", name, text(now), text(before));
}

bool is_of_a_run(const std::string& name) {
  return name.starts_with("task-") || name.starts_with("protocol.") || name == "final.uad";
}

}  // namespace

std::string ProtocolFolder::name() const {
  const fs::path whole = fs::absolute(folder_).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

fs::path ProtocolFolder::model(std::size_t task) const {
  return folder_ / fmt::format("task-{}.uad", task);
}

RunFolder ProtocolFolder::run(std::size_t task) const {
  const fs::path run = folder_ / fmt::format("task-{}.run", task);
  return {run, resumed_ && fs::exists(run / "last.ckpt")};
}

json ProtocolFolder::begin(const json& setup, bool resume) {
  prepare_output(record(), "--output");
  resumed_ = resume;
  if (!resume) {
    set_aside();
    return nullptr;
  }
  if (!fs::exists(record())) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("There is nothing to go on from: \"{}\" does not exist. Start without "
                            "--resume, or name the folder of the run with --output.",
                            record().string()));
  }
  json known = report::read_record(record());
  if (!report::is_protocol_record(known) || !known.contains("setup")) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("\"{}\" is of no protocol that can go on. Start without --resume.",
                            record().string()));
  }
  if (known["setup"] == setup) return known;
  throw UsageError(
      fmt::format("\"{}\" is of another run: {}. Give --resume what that run was given, or start "
                  "anew without it.",
                  record().string(), difference(known["setup"], setup)));
}

/// A forgotten --resume costs nothing; what an even earlier run left there goes.
void ProtocolFolder::set_aside() const {
  if (!fs::exists(record())) return;
  const fs::path earlier = folder_ / "earlier";
  fs::remove_all(earlier);
  fs::create_directories(earlier);
  std::vector<fs::path> own;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (is_of_a_run(entry.path().filename().string())) own.push_back(entry.path());
  }
  for (const fs::path& path : own) fs::rename(path, earlier / path.filename());
  note(fmt::format("what an earlier run left in \"{}\" is now in \"{}\".", folder_.string(),
                   earlier.string()));
}

void ProtocolFolder::write(const json& record) const {
  write_json(this->record().string(), record);
}

void ProtocolFolder::write_page(const json& record) const {
  const std::string source = this->record().string();
  write_report(page().string(), std::vector{report::parse_protocol_run(record, source)}, "");
}

std::string ProtocolFolder::write_final(std::size_t task) const {
  copy_whole(model(task), final_model());
  return final_model().filename().string();
}

void ProtocolFolder::take_first(const fs::path& file) const { copy_whole(file, model(0)); }

void ProtocolFolder::copy_whole(const fs::path& from, const fs::path& to) {
  std::ifstream in(from, std::ios::binary);
  AtomicFile out(to);
  std::vector<char> bytes(1 << 20);
  while (in) {
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.write(bytes.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (!in.eof()) {
    throw Error(ErrorCode::kFailed, fmt::format("\"{}\" cannot be read.", from.string()));
  }
  out.commit();
}

}  // namespace uad::tools
