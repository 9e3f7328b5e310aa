// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/common/backend_loader.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>

#include <dlfcn.h>
#include <link.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "gst-plugins/common/elf_file.h"

namespace uad::gst {
namespace {

namespace fs = std::filesystem;

constexpr char kLibrary[] = "libuad.so.0";
constexpr char kTorch[] = "libtorch_cpu.so";

/// The file that holds the code at `address`.
fs::path file_of(const void* address) {
  Dl_info info{};
  return dladdr(address, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

fs::path find_backend() {
  if (const char* named = std::getenv("UAD_BACKEND")) {
    if (fs::exists(named)) return named;
    throw Error(ErrorCode::kNotFound, "UAD_BACKEND names \"" + std::string(named) +
                                          "\", which does not exist; correct or unset it.");
  }
  const fs::path base = file_of(reinterpret_cast<const void*>(&uad::log));
  const fs::path beside = base.parent_path() / kLibrary;
  if (fs::exists(beside)) return beside;
  const fs::path plugin = file_of(reinterpret_cast<const void*>(&find_backend));
  const fs::path found = find_library(kLibrary, read_elf(plugin));
  if (!found.empty()) return found;
  throw Error(ErrorCode::kNotFound,
              std::string(kLibrary) + " was not found in " + base.parent_path().string() +
                  "; install gst-uad completely, or set UAD_BACKEND to the file.",
              "plug-in: " + plugin.string());
}

/// The LibTorch that this process has mapped, or "".
fs::path mapped_torch() {
  fs::path found;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* result) {
        const fs::path file = info->dlpi_name;
        if (file.filename() != kTorch) return 0;
        *static_cast<fs::path*>(result) = file;
        return 1;
      },
      &found);
  return found;
}

/// The linker would give the backend whatever library of that name is there already, and two
/// builds of LibTorch do not agree on the layout of their objects.
void refuse_foreign_torch(const fs::path& library) {
  const fs::path mapped = mapped_torch();
  const ElfFile elf = read_elf(library);
  if (mapped.empty() || std::find(elf.needed.begin(), elf.needed.end(), kTorch) == elf.needed.end())
    return;
  const fs::path own = find_library(kTorch, elf);
  std::error_code ignored;
  if (!own.empty() && !fs::equivalent(mapped, own, ignored)) {
    throw Error(ErrorCode::kFailed,
                "This process already uses the LibTorch \"" + mapped.string() +
                    "\", but gst-uad was built for \"" + own.string() +
                    "\"; run the pipeline in a process of its own, or build gst-uad with "
                    "-Dlibtorch set to the first.");
  }
}

Backend& open_backend() {
  const fs::path library = find_backend();
  refuse_foreign_torch(library);
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char* reason = dlerror();
    throw Error(ErrorCode::kFailed,
                "\"" + library.string() +
                    "\" cannot be loaded; LibTorch may be missing or of another version than it "
                    "was built for (scripts/setup installs the right one).",
                reason != nullptr ? reason : "");
  }
  auto* factory = reinterpret_cast<BackendFunction>(dlsym(handle, kBackendSymbol));
  if (factory == nullptr) {
    throw Error(ErrorCode::kFailed, "\"" + library.string() +
                                        "\" belongs to another version of gst-uad than this "
                                        "plug-in; install both from the same build.");
  }
  Backend* backend = factory();
  log(LogLevel::kInfo, "backend " + library.string() + ": " + backend->version());
  return *backend;
}

}  // namespace

Backend& backend() {
  static std::mutex lock;  // guards `opened`; held while opening, so that it happens once
  static Backend* opened = nullptr;
  const std::lock_guard guard(lock);
  if (opened == nullptr) opened = &open_backend();
  return *opened;
}

std::shared_ptr<Batchers> batchers() {
  static const auto all = std::make_shared<Batchers>();
  return all;
}

}  // namespace uad::gst
