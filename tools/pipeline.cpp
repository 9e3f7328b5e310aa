// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/pipeline.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad::tools {
namespace {

/// What a GError says; frees it.
std::string take_text(GError* error) {
  std::string text = error != nullptr ? error->message : "unknown reason";
  g_clear_error(&error);
  return text;
}

[[noreturn]] void throw_message(GstMessage* message) {
  GError* error = nullptr;
  gchar* debug = nullptr;
  gst_message_parse_error(message, &error, &debug);
  const std::string detail = debug != nullptr ? debug : "";
  g_free(debug);
  const std::string source = GST_OBJECT_NAME(GST_MESSAGE_SRC(message));
  throw Error(ErrorCode::kFailed, fmt::format("{} ({})", take_text(error), source), detail);
}

}  // namespace

void init_gstreamer() {
  GError* error = nullptr;
  if (gst_init_check(nullptr, nullptr, &error) == 0) {
    throw Error(ErrorCode::kFailed,
                fmt::format("GStreamer cannot be started: {}", take_text(error)));
  }
}

Pipeline::Pipeline(const std::string& description) {
  init_gstreamer();
  GError* error = nullptr;
  pipeline_ = ElementPtr::adopt(
      gst_parse_launch_full(description.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error));
  if (!pipeline_) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("The GStreamer pipeline cannot be built: {}. Run scripts/setup for the "
                            "plug-ins.",
                            take_text(error)),
                description);
  }
}

Pipeline::~Pipeline() {
  if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

ElementPtr Pipeline::element(const char* name) const {
  return ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
}

void Pipeline::play() {
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) return;
  check_bus();
  throw Error(ErrorCode::kFailed, "The GStreamer pipeline does not start.");
}

void Pipeline::check_bus() const {
  const auto bus = gst::ObjectPtr<GstBus>::adopt(gst_element_get_bus(pipeline_.get()));
  const auto message = MessagePtr::adopt(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  if (message) throw_message(message.get());
}

void Pipeline::run_to_end(const std::function<void(GstMessage*)>& on_element_message) {
  const auto bus = gst::ObjectPtr<GstBus>::adopt(gst_element_get_bus(pipeline_.get()));
  const auto wanted =
      static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS | GST_MESSAGE_ELEMENT);
  while (true) {
    const auto message =
        MessagePtr::adopt(gst_bus_timed_pop_filtered(bus.get(), GST_CLOCK_TIME_NONE, wanted));
    if (!message || GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return;
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) throw_message(message.get());
    if (on_element_message) on_element_message(message.get());
  }
}

}  // namespace uad::tools
