// SPDX-License-Identifier: LGPL-2.1-or-later
// What element tests share: a folder with stub models, harnesses, frames, messages.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include "gst-plugins/common/ptr.h"
#include "gst-plugins/meta/gstuadresultmeta.h"
#include "tests/stub_backend/stub_model.h"

namespace uad::testing {

using gst::BufferPtr;
using gst::MessagePtr;

/// A folder of its own for each test, removed afterwards.
class ElementTest : public ::testing::Test {
 protected:
  ElementTest();
  ~ElementTest() override;
  /// Writes a stub model and returns its path.
  std::string model(const StubOptions& options = {}, const std::string& name = "line3.uad",
                    const InputSpec& input = {{}, {32, 32}});
  [[nodiscard]] std::filesystem::path folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

/// One element between two pads, with a bus that collects its messages.
class Harness {
 public:
  /// @param live  what upstream answers to a LATENCY query.
  explicit Harness(const std::string& launch, const std::string& caps = kGrey, bool live = false);
  ~Harness();
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  static constexpr char kGrey[] = "video/x-raw,format=GRAY8,width=64,height=48,framerate=25/1";

  [[nodiscard]] GstHarness* get() const { return harness_; }
  /// The element with this factory's name.
  [[nodiscard]] gst::ObjectPtr<GstElement> element(const std::string& factory) const;
  void set_caps(const std::string& caps);
  /// A frame filled with one byte value, stamped as the n-th of 25 a second.
  [[nodiscard]] BufferPtr frame(int value, int number) const;
  GstFlowReturn push(int value, int number);
  /// Pushes and takes what comes out; empty if nothing did.
  BufferPtr through(int value, int number);
  /// The next message of this type, and of this name where one is given; empty at the deadline.
  MessagePtr message(GstMessageType type, const std::string& name = "",
                     std::chrono::milliseconds deadline = std::chrono::seconds(5));
  /// Every element message of this name that is there now.
  std::vector<MessagePtr> messages(const std::string& name);
  /// Waits until the model of uadinfer is in service. @return false after 5 s.
  bool wait_for_model();

 private:
  GstBus* bus_;
  GstHarness* harness_;
  std::string caps_;
};

/// The operator's sentence of an error or warning message; "" if there is no message.
std::string text_of(const MessagePtr& message);
std::string field(const MessagePtr& message, const char* name);

/// Runs a launch line to its end. @return the error's text, or "" after EOS.
std::string run_pipeline(const std::string& line,
                         std::chrono::seconds deadline = std::chrono::seconds(30));

/// A counter of the stub backend ("uad_stub_loads" …), which must be loaded.
int stub_counter(const char* name);

}  // namespace uad::testing
