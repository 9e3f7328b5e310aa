// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/report/protocol_run.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"

namespace uad::report {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& source, const std::string& why) {
  throw Error(ErrorCode::kBadFile,
              fmt::format("\"{}\" cannot be shown: {}. Give a protocol.json of uad train "
                          "--protocol, of this version.",
                          source, why));
}

/// "30 images, 12.3 s" of one task.
std::string effort(const json& task) {
  return fmt::format("{} images, {:.1f} s", task.at("images").get<std::int64_t>(),
                     task.at("seconds").get<double>());
}

/// "a, b | c": what is learnt together.
std::string tasks_text(const std::vector<TaskResult>& tasks) {
  std::vector<std::string> texts;
  for (const TaskResult& task : tasks)
    texts.push_back(fmt::format("{}", fmt::join(task.learnt, ", ")));
  return fmt::format("{}", fmt::join(texts, " | "));
}

std::string options_text(const json& options) {
  std::vector<std::string> texts;
  for (const auto& [key, value] : options.items()) {
    if (value.is_null()) continue;
    texts.push_back(key + " " + (value.is_string() ? value.get<std::string>() : value.dump()));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

bool is_judged(const json& task, std::size_t products) {
  return task.at("results").size() == products;
}

}  // namespace

bool is_protocol_record(const json& record) {
  return record.is_object() && record.contains("protocol") && record.contains("tasks");
}

ProtocolRun parse_protocol_run(const json& record, const std::string& source) {
  ProtocolRun run;
  try {
    record.at("run").get_to(run.name);
    record.at("protocol").at("name").get_to(run.protocol);
    run.planned = record.at("protocol").at("tasks").size();
    record.at("method").get_to(run.method);
    std::vector<std::string> efforts;
    std::size_t products = 0;
    for (const json& task : record.at("tasks")) {
      products += task.at("learnt").size();
      if (!is_judged(task, products)) break;
      run.tasks.push_back(parse_task_result(task, source));
      efforts.push_back(effort(task));
    }
    const json& setup = record.at("setup");
    run.facts = {{"Protocol", run.protocol},
                 {"Tasks", tasks_text(run.tasks)},
                 {"Method", run.method},
                 {"Options", options_text(setup.at("options"))},
                 {"Seed", setup.at("seed").dump()},
                 {"Data", record.at("data").get<std::string>()},
                 {"Learning", fmt::format("{}", fmt::join(efforts, "; "))}};
  } catch (const json::exception& error) {
    const std::string text = error.what();  // "[json.exception.…] key 'run' not found"
    refuse(source, text.substr(std::min(text.size(), text.find("] ") + 2)));
  }
  if (run.tasks.empty()) refuse(source, "no task of it is finished yet");
  return run;
}

}  // namespace uad::report
