// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/training_processes.h"

#include <array>
#include <chrono>
#include <csignal>
#include <exception>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "tools/console.h"

namespace uad::tools {
namespace {

constexpr std::chrono::seconds kFirstSpeaks{2};

/// mpirun sends SIGTERM to all when one of them has ended.
void tell_end(int signal) {
  constexpr std::string_view kText =
      "uad: Ended from outside: another process of this run ended, or somebody stopped it; what "
      "mpirun says tells which. The last checkpoint is whole: with a method that learns by "
      "gradient, the same command with --resume goes on from it.\n";
  static_cast<void>(!write(STDERR_FILENO, kText.data(), kText.size()));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

std::string host() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

OptionSpec process_timeout_option() {
  return {.name = "process_timeout",
          .type = OptionType::kInt,
          .default_value = 300,
          .help = "seconds that one of several processes, started by mpirun, waits for the others",
          .minimum = 1,
          .maximum = 1e6};
}

TrainingProcesses::~TrainingProcesses() {
  if (!launch_) return;
  if (std::uncaught_exceptions() == 0) {
    try {
      wait_for_all();
    } catch (const Error& error) {  // what was to be done is done
      note(error.what());
    }
    return;
  }
  static_cast<void>(joined_.release());  // leaving would wait for the others
  if (launch_->rank == 0) return;
  std::this_thread::sleep_for(kFirstSpeaks);
  fmt::print(stderr, "uad: Process {} of {}, on {}:\n", launch_->rank, launch_->size, host());
}

void TrainingProcesses::join(int timeout_s) {
  if (!launch_) return;
  if (launch_->rank == 0) std::signal(SIGTERM, tell_end);
  joined_ = join_processes(*launch_, timeout_s);
  scope_.emplace(joined_.get());
}

void TrainingProcesses::wait_for_all() {
  if (joined_) joined_->wait_for_all();
}

}  // namespace uad::tools
