// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/interrupts.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace uad::tools {
namespace {

int signals = -1;  // the end of a pipe that the handler writes to

void tell(char what) {
  const int kept = errno;
  static_cast<void>(!write(signals, &what, 1));
  errno = kept;
}

}  // namespace

Interrupts::Interrupts(std::string first) : first_(std::move(first)) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "Ctrl-C cannot be listened to");
  }
  signals = ends[1];
  listener_ = std::jthread([this, end = ends[0]] { listen(end); });
  struct sigaction action {};
  action.sa_handler = [](int) { tell('i'); };
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, &before_);
}

Interrupts::~Interrupts() {
  sigaction(SIGINT, &before_, nullptr);
  tell('q');
  listener_.join();
  close(signals);
}

void Interrupts::listen(int end) {
  char what = 'q';
  while (read(end, &what, 1) == 1 && what != 'q') {
    if (enough_.request_stop()) {
      if (!first_.empty()) fmt::print(stderr, "\n{}\n", first_);
    } else {
      cancel_.request_stop();
    }
  }
  close(end);
}

}  // namespace uad::tools
