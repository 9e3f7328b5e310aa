// SPDX-License-Identifier: LGPL-2.1-or-later
// The plug-in stays light: LibTorch is mapped when a model is wanted, not before, and its absence
// is an element error.
#include <cstdlib>
#include <fstream>

#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

class LightPlugin : public ElementTest {};

bool maps(const std::string& name) {
  std::ifstream in("/proc/self/maps");
  for (std::string line; std::getline(in, line);) {
    if (line.find(name) != std::string::npos) return true;
  }
  return false;
}

TEST_F(LightPlugin, InspectingEveryElementMapsNoLibTorch) {
  setenv("UAD_BACKEND", UAD_REAL_BACKEND, 1);
  for (const char* name : {"uadpreproc", "uadinfer", "uadoverlay", "uadtrain"}) {
    GstElement* element = gst_element_factory_make(name, nullptr);
    ASSERT_NE(element, nullptr) << name;
    gst_object_unref(element);
  }
  ASSERT_TRUE(maps("libgstuad.so"));
  EXPECT_FALSE(maps("libtorch"));
  EXPECT_FALSE(maps("libc10"));
  EXPECT_FALSE(maps("libuad.so"));
}

TEST_F(LightPlugin, MissingBackendIsAnElementErrorNotAMissingElement) {
  setenv("UAD_BACKEND", "/nowhere/libuad.so", 1);
  const std::string error =
      run_pipeline("videotestsrc num-buffers=1 ! uadinfer model=" + model() + " ! fakesink");
  EXPECT_NE(error.find("/nowhere/libuad.so"), std::string::npos) << error;
}

TEST_F(LightPlugin, OverlayNeedsNoBackend) {
  setenv("UAD_BACKEND", "/nowhere/libuad.so", 1);
  EXPECT_EQ(run_pipeline("videotestsrc num-buffers=2 ! uadoverlay ! fakesink"), "");
}

}  // namespace
}  // namespace uad::testing
