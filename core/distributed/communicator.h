// SPDX-License-Identifier: LGPL-2.1-or-later
// What the processes of one run say to each other. Everything else in this folder is made of it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/base/error.h"

namespace uad {

/// The other processes are gone or cannot be reached.
class ProcessesLost final : public Error {
 public:
  explicit ProcessesLost(const std::string& message) : Error(ErrorCode::kFailed, message) {}
};

/// The processes of one run, numbered from 0. Every process makes the same calls in the same order,
/// with as many values. @throws ProcessesLost as all members that wait. @note One thread.
class Communicator {
 public:
  virtual ~Communicator() = default;
  [[nodiscard]] virtual int rank() const noexcept = 0;  ///< number of this process
  [[nodiscard]] virtual int size() const noexcept = 0;
  /// The sums over all processes, the same bits in each, in place of what each had.
  virtual void sum(std::span<float> values) = 0;
  virtual void sum(std::span<double> values) = 0;
  /// What process 0 has, in place of what the others had.
  virtual void broadcast(std::span<std::byte> bytes) = 0;
  /// Until all are here, however long it takes: one of them may be writing or judging alone.
  virtual void wait_for_all() = 0;
};

}  // namespace uad
