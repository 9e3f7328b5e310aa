// SPDX-License-Identifier: LGPL-2.1-or-later
// What `uad train` does when mpirun or a scheduler has started it several times at once.
#pragma once

#include <memory>
#include <optional>

#include "core/distributed/processes.h"
#include "tools/arguments.h"

namespace uad::tools {

OptionSpec process_timeout_option();

/// From before the options are read until all is done. Of what all processes have to say, the first
/// one says it, and of an error that only another has, that one a little later. mpirun ends the
/// others as soon as one has ended with an error.
class TrainingProcesses {
 public:
  TrainingProcesses() = default;
  /// Waits for the others, unless an error ends this process.
  ~TrainingProcesses();
  TrainingProcesses(const TrainingProcesses&) = delete;
  TrainingProcesses& operator=(const TrainingProcesses&) = delete;

  /// Nothing where this process was started alone. @throws as join_processes().
  void join(int timeout_s);
  /// What the first process does alone is done.
  void wait_for_all();

 private:
  std::optional<Launch> launch_ = find_launch();
  std::unique_ptr<Communicator> joined_;
  std::optional<ProcessesScope> scope_;
};

}  // namespace uad::tools
