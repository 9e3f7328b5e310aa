// SPDX-License-Identifier: LGPL-2.1-or-later
// What the processes of one run say to each other. Everything else in this folder is made of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "core/base/error.h"

namespace uad {

/// The other processes are gone or cannot be reached.
class ProcessesLost final : public Error {
 public:
  explicit ProcessesLost(const std::string& message) : Error(ErrorCode::kFailed, message) {}
  /// Nothing came from them for so long.
  explicit ProcessesLost(std::chrono::seconds timeout)
      : ProcessesLost("The other processes did not answer within " +
                      std::to_string(timeout.count()) +
                      " s (--process-timeout). See whether all of them run and whether the network "
                      "between their machines lets them connect; if they are only slow, raise "
                      "--process-timeout.") {}
};

/// Sums of what lies in the GPUs of the processes, without the way through main memory.
/// @note One thread.
class DeviceSums {
 public:
  virtual ~DeviceSums() = default;
  /// The sums over all processes, the same bits in each, in place of what each had.
  /// @param values  in this process's GPU, and worked on by its default stream alone.
  /// @throws ProcessesLost
  virtual void sum(std::span<float> values) = 0;
  virtual void sum(std::span<double> values) = 0;
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
  /// How long each of these waits at most, wait_for_all() apart.
  [[nodiscard]] virtual std::chrono::seconds timeout() const noexcept = 0;

  /// Null: what lies in GPUs goes through main memory.
  [[nodiscard]] DeviceSums* device_sums() const noexcept { return device_sums_.get(); }
  void set_device_sums(std::unique_ptr<DeviceSums> sums) { device_sums_ = std::move(sums); }

 private:
  std::unique_ptr<DeviceSums> device_sums_;
};

}  // namespace uad
