// SPDX-License-Identifier: LGPL-2.1-or-later
// A model that learnt product by product, as a report shows it. It travels as the protocol.json of
// `uad train --protocol`, so runs are compared without running any of them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/eval/continual.h"
#include "core/eval/report/run.h"

namespace uad::report {

struct ProtocolRun {
  std::string name;               ///< unique among the runs of a report
  std::string protocol;           ///< its name
  std::string method;             ///< "padim on gabor"
  std::size_t planned = 0;        ///< tasks of the protocol, of which `tasks` are done
  std::vector<TaskResult> tasks;  ///< at least one
  std::vector<Fact> facts;        ///< how it was made
};

/// Whether a file of a report is one of these.
bool is_protocol_record(const nlohmann::json& record);

/// Tasks that are not judged on all products yet are left out.
/// @param source  names the file in messages. @throws Error(kBadFile).
ProtocolRun parse_protocol_run(const nlohmann::json& record, const std::string& source);

}  // namespace uad::report
