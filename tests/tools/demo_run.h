// SPDX-License-Identifier: LGPL-2.1-or-later
// One run of `uad demo`, shared by the tests of a program: it takes a minute.
#pragma once

#include "tests/support/temp_dir.h"
#include "tests/tools/run_program.h"

namespace uad::test {

struct DemoRun {
  TempDir folder;
  std::filesystem::path output = folder / "demo-output";  ///< the name that README.md uses
  ProgramResult result = run_uad({"demo", "--output", output});
};

/// Runs at the first call; the files go at the end of the program.
inline const DemoRun& demo_run() {
  static const DemoRun run;
  return run;
}

}  // namespace uad::test
