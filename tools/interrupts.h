// SPDX-License-Identifier: LGPL-2.1-or-later
// Ctrl-C during a fit: the first ends it with what was seen, the second without a model.
#pragma once

#include <csignal>
#include <stop_token>
#include <string>
#include <thread>

namespace uad::tools {

/// Takes over SIGINT while it lives; one at a time.
class Interrupts {
 public:
  /// @param first  told at the first Ctrl-C.
  explicit Interrupts(
      std::string first = "Ending early with what was seen; Ctrl-C again ends without a model.");
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  [[nodiscard]] std::stop_token enough() const noexcept { return enough_.get_token(); }
  [[nodiscard]] std::stop_token cancel() const noexcept { return cancel_.get_token(); }

 private:
  void listen(int end);

  std::string first_;
  std::stop_source enough_;
  std::stop_source cancel_;
  struct sigaction before_ {};
  std::jthread listener_;  // stop tokens are not for signal handlers
};

}  // namespace uad::tools
