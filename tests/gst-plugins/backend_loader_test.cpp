// SPDX-License-Identifier: LGPL-2.1-or-later
// Opening the backend: what is refused, and how it is said. One process; a failure is not kept.
#include "gst-plugins/common/backend_loader.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "gst-plugins/common/elf_file.h"

namespace {

using uad::ErrorCode;

/// What backend() says with this UAD_BACKEND; fails the test if it opens.
uad::Error refusal(const std::string& library) {
  setenv("UAD_BACKEND", library.c_str(), 1);
  try {
    uad::gst::backend();
  } catch (const uad::Error& error) {
    return error;
  }
  ADD_FAILURE() << library << " was opened";
  return {ErrorCode::kFailed, ""};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The search path of the test runner would hide the libraries' own.
class BackendLoader : public ::testing::Test {
 protected:
  BackendLoader() { unsetenv("LD_LIBRARY_PATH"); }
};
using ElfFile = BackendLoader;

TEST_F(BackendLoader, MissingFileIsNamedWithTheVariable) {
  const uad::Error error = refusal("/nowhere/libuad.so");
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_TRUE(contains(error.what(), "/nowhere/libuad.so")) << error.what();
  EXPECT_TRUE(contains(error.what(), "UAD_BACKEND")) << error.what();
}

TEST_F(BackendLoader, FileThatIsNoLibraryIsRefused) {
  const std::string file = ::testing::TempDir() + "/no-library.so";
  std::ofstream(file) << "text";
  const uad::Error error = refusal(file);
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_TRUE(contains(error.what(), file)) << error.what();
}

TEST_F(BackendLoader, LibraryOfAnotherVersionIsRefused) {
  const uad::Error error = refusal(UAD_OTHER_LIBRARY);  // a library without the backend's function
  EXPECT_TRUE(contains(error.what(), "another version")) << error.what();
}

TEST_F(BackendLoader, LibraryWithUnresolvedSymbolsTellsTheLinkersReason) {
  const uad::Error error = refusal(UAD_STUB_BROKEN);
  EXPECT_EQ(error.code(), ErrorCode::kFailed);
  EXPECT_TRUE(contains(error.detail(), "uad_nobody_has_this")) << error.detail();
}

TEST_F(BackendLoader, OtherLibTorchInTheProcessIsRefusedNamingBoth) {
  ASSERT_NE(dlopen(UAD_FOREIGN_TORCH, RTLD_NOW), nullptr) << dlerror();
  const uad::Error error = refusal(UAD_STUB_TORCH);
  EXPECT_TRUE(contains(error.what(), UAD_FOREIGN_TORCH)) << error.what();
  EXPECT_TRUE(contains(error.what(), UAD_OWN_TORCH)) << error.what();
}

TEST_F(BackendLoader, RightFileOpensAfterAllTheseFailures) {
  setenv("UAD_BACKEND", UAD_STUB, 1);
  EXPECT_EQ(uad::gst::backend().version(), "stub");
  EXPECT_EQ(&uad::gst::backend(), &uad::gst::backend());
}

TEST_F(ElfFile, TellsWhatALibraryNeedsAndWhereItLooks) {
  const auto elf = uad::gst::read_elf(UAD_STUB_TORCH);
  EXPECT_NE(std::find(elf.needed.begin(), elf.needed.end(), "libtorch_cpu.so"), elf.needed.end());
  EXPECT_TRUE(
      std::filesystem::equivalent(uad::gst::find_library("libtorch_cpu.so", elf), UAD_OWN_TORCH));
}

TEST_F(ElfFile, CutOffFileIsRefused) {
  const std::string file = ::testing::TempDir() + "/short.so";
  std::ofstream(file) << "\177ELF";
  EXPECT_THROW(uad::gst::read_elf(file), uad::Error);
}

}  // namespace
