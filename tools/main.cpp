// SPDX-License-Identifier: LGPL-2.1-or-later
// uad: train, evaluate and use anomaly detection models from the command line.
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>

#include <fmt/format.h>
#include <gst/gst.h>

#include "core/base/error.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/console.h"

namespace uad::tools {
namespace {

struct Command {
  const char* name;
  int (*run)(const Args&);
  const char* summary;
};

constexpr std::array kCommands{
    Command{"train", run_train, "learn from good images or a good stretch of video"},
    Command{"calibrate", run_calibrate, "set thresholds that keep a promised false-reject rate"},
    Command{"eval", run_eval, "measure a model on labelled images"},
    Command{"val", run_eval, "another name for eval"},
    Command{"report", run_report, "compare evaluations in one HTML file"},
    Command{"replay", run_replay, "try other thresholds on stored scores, without running a model"},
    Command{"predict", run_predict, "score images or the frames of a video"},
    Command{"info", run_info, "show what a model file holds"},
    Command{"bench", run_bench, "measure what models cost on this machine"},
    Command{"tune", run_tune, "find the settings that keep up with the cameras"},
    Command{"make-lists", run_make_lists, "write the list files of an MVTec AD or VisA tree"},
    Command{"demo", run_demo, "draw a small production line, train, evaluate and run it"},
    Command{"draw-mura", run_draw_mura, "draw a synthetic set of display panels with mura"},
};

std::string help() {
  std::string text = "Usage: uad COMMAND [OPTIONS]\n\nCommands:\n";
  for (const Command& command : kCommands) {
    text += fmt::format("  {:<11}{}\n", command.name, command.summary);
  }
  return text +
         "\nOptions of a command: uad COMMAND --help\n"
         "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 rejected (predict --fail-on-reject).\n";
}

const Command& find_command(const std::string& name) {
  const auto command =
      std::ranges::find_if(kCommands, [&](const Command& c) { return name == c.name; });
  if (command != kCommands.end()) return *command;
  std::vector<std::string> names;
  for (const Command& known : kCommands) names.emplace_back(known.name);
  const std::string near = nearest_name(name, names);
  throw UsageError(
      fmt::format("Unknown command \"{}\". {}", name,
                  near.empty() ? "See: uad --help" : fmt::format("Did you mean \"{}\"?", near)));
}

int dispatch(const Args& args) {
  if (args.empty()) throw UsageError("A command is missing. See: uad --help");
  if (args[0] == "--help" || args[0] == "-h" || args[0] == "help") throw HelpRequest{help()};
  if (args[0] == "--version") throw HelpRequest{fmt::format("uad {}\n", UAD_VERSION)};
  return find_command(args[0]).run({args.begin() + 1, args.end()});
}

int fail(const std::string& what, const std::string& detail, int code) {
  fmt::print(stderr, "uad: {}\n", what);
  if (!detail.empty() && std::getenv("UAD_DEBUG") != nullptr) {
    fmt::print(stderr, "  {}\n", detail);
  }
  return code;
}

int run(const Args& args) {
  try {
    return dispatch(args);
  } catch (const HelpRequest& request) {
    fmt::print("{}", request.text);
    return 0;
  } catch (const UsageError& error) {
    return fail(error.what(), error.detail(), 2);
  } catch (const Error& error) {
    return fail(error.what(), error.detail(), 1);
  } catch (const std::bad_alloc&) {
    return fail("The machine has too little memory for this. Use a smaller --resize or --k.", "",
                1);
  } catch (const std::exception& error) {
    const std::string text = error.what();
    return fail(text.substr(0, text.find('\n')), text, 1);
  }
}

}  // namespace
}  // namespace uad::tools

int main(int argc, char** argv) {
  uad::tools::log_to_stderr();
  return uad::tools::run({argv + 1, argv + argc});
}
