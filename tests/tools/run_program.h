// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs the built `uad` program as a user would.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include <sys/wait.h>

#include "tests/support/temp_dir.h"

namespace uad::test {

struct ProgramResult {
  int code = -1;
  std::string out;
  std::string err;
};

/// @param before  shell words in front of the program, e.g. "ulimit -f 8;".
inline ProgramResult run_uad(const std::vector<std::string>& args, const std::string& before = "") {
  const TempDir folder;
  std::string line = before + " \"" + std::getenv("UAD_PROGRAM") + "\"";
  for (const std::string& arg : args) line += " '" + arg + "'";
  line += " >'" + (folder / "out").string() + "' 2>'" + (folder / "err").string() + "'";
  const int status = std::system(line.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_bytes(folder / "out"),
          read_bytes(folder / "err")};
}

}  // namespace uad::test
