// SPDX-License-Identifier: LGPL-2.1-or-later
// The folder of a protocol: what is where, and whose it is.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "core/method.h"

namespace uad::tools {

class ProtocolFolder {
 public:
  explicit ProtocolFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::filesystem::path model(std::size_t task) const;
  [[nodiscard]] std::filesystem::path record() const { return folder_ / "protocol.json"; }
  [[nodiscard]] std::filesystem::path page() const { return folder_ / "protocol.html"; }
  [[nodiscard]] std::filesystem::path final_model() const { return folder_ / "final.uad"; }
  /// Of a task, gone on with where begin() was told to and the task was begun.
  [[nodiscard]] RunFolder run(std::size_t task) const;

  /// Makes the folder. @param setup  what two runs must share to be the same (key `setup`).
  /// @return the record to go on from; null = a new run, with the files of an earlier one set
  /// aside.
  /// @throws Error(kNotFound) if there is nothing to go on from; UsageError naming the first thing
  /// in which `setup` differs.
  nlohmann::json begin(const nlohmann::json& setup, bool resume);

  void write(const nlohmann::json& record) const;
  /// The report, once a task is finished.
  void write_page(const nlohmann::json& record) const;
  /// A copy of a task's model, whole or not at all. @return its file name.
  [[nodiscard]] std::string write_final(std::size_t task) const;

  /// A model of another run as that of task 0, likewise.
  void take_first(const std::filesystem::path& file) const;

 private:
  void set_aside() const;
  static void copy_whole(const std::filesystem::path& from, const std::filesystem::path& to);

  std::filesystem::path folder_;
  bool resumed_ = false;
};

}  // namespace uad::tools
