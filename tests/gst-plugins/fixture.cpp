// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/gst-plugins/fixture.h"

#include <thread>

#include <dlfcn.h>
#include <gst/video/video.h>

namespace uad::testing {
namespace {

using Clock = std::chrono::steady_clock;

std::filesystem::path fresh_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "uad-test-XXXXXX").string();
  return mkdtemp(pattern.data());
}

}  // namespace

ElementTest::ElementTest() : folder_(fresh_folder()) { gst_init(nullptr, nullptr); }

ElementTest::~ElementTest() { std::filesystem::remove_all(folder_); }

std::string ElementTest::model(const StubOptions& options, const std::string& name,
                               const InputSpec& input) {
  write_stub_model(folder_ / name, options, input);
  return (folder_ / name).string();
}

Harness::Harness(const std::string& launch, const std::string& caps, bool live)
    : bus_(gst_bus_new()), caps_(caps) {
  const auto bin = gst::ObjectPtr<GstElement>::adopt(
      gst_parse_bin_from_description(launch.c_str(), TRUE, nullptr));
  if (!bin) throw std::runtime_error("cannot parse: " + launch);
  gst_element_set_bus(bin.get(), bus_);  // before it starts: a loader may fail at once
  harness_ = gst_harness_new_with_element(bin.get(), "sink", "src");
  gst_harness_set_live(harness_, live);
  if (!caps.empty()) set_caps(caps);
}

Harness::~Harness() {
  gst_harness_teardown(harness_);
  gst_bus_set_flushing(bus_, TRUE);  // messages hold the element, which holds the bus
  gst_object_unref(bus_);
}

gst::ObjectPtr<GstElement> Harness::element(const std::string& factory) const {
  return gst::ObjectPtr<GstElement>::adopt(gst_harness_find_element(harness_, factory.c_str()));
}

void Harness::set_caps(const std::string& caps) {
  caps_ = caps;
  gst_harness_set_src_caps_str(harness_, caps.c_str());
}

BufferPtr Harness::frame(int value, int number) const {
  const auto caps = gst::CapsPtr::adopt(gst_caps_from_string(caps_.c_str()));
  GstVideoInfo info;
  gst_video_info_from_caps(&info, caps.get());
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr);
  gst_buffer_memset(buffer, 0, static_cast<guint8>(value), GST_VIDEO_INFO_SIZE(&info));
  GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(number) * 40 * GST_MSECOND;
  GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
  return BufferPtr::adopt(buffer);
}

GstFlowReturn Harness::push(int value, int number) {
  return gst_harness_push(harness_, frame(value, number).release());
}

BufferPtr Harness::through(int value, int number) {
  if (push(value, number) != GST_FLOW_OK) return {};
  return BufferPtr::adopt(gst_harness_try_pull(harness_));
}

MessagePtr Harness::message(GstMessageType type, const std::string& name,
                            std::chrono::milliseconds deadline) {
  const auto end = Clock::now() + deadline;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::nanoseconds>(end - Clock::now()).count();
    auto found = MessagePtr::adopt(gst_bus_timed_pop_filtered(
        bus_, static_cast<GstClockTime>(std::max<std::int64_t>(0, left)), type));
    if (!found || name.empty() || gst_message_has_name(found.get(), name.c_str())) return found;
  }
}

std::vector<MessagePtr> Harness::messages(const std::string& name) {
  std::vector<MessagePtr> found;
  while (auto next = message(GST_MESSAGE_ELEMENT, name, std::chrono::milliseconds(0))) {
    found.push_back(next);
  }
  return found;
}

bool Harness::wait_for_model() {
  const auto infer = element("uadinfer");
  for (const auto end = Clock::now() + std::chrono::seconds(5); Clock::now() < end;) {
    gchar* device = nullptr;
    g_object_get(infer.get(), "active-device", &device, nullptr);
    if (!gst::take_string(device).empty()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

std::string text_of(const MessagePtr& message) {
  if (!message) return "";
  GError* error = nullptr;
  if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_WARNING) {
    gst_message_parse_warning(message.get(), &error, nullptr);
  } else {
    gst_message_parse_error(message.get(), &error, nullptr);
  }
  std::string text = error->message;
  g_error_free(error);
  return text;
}

std::string field(const MessagePtr& message, const char* name) {
  const GstStructure* structure = message ? gst_message_get_structure(message.get()) : nullptr;
  const char* text = structure != nullptr ? gst_structure_get_string(structure, name) : nullptr;
  return text != nullptr ? text : "";
}

std::string run_pipeline(const std::string& line, std::chrono::seconds deadline) {
  GError* error = nullptr;
  const auto pipeline = gst::ObjectPtr<GstElement>::adopt(gst_parse_launch(line.c_str(), &error));
  if (error != nullptr) {
    std::string text = error->message;
    g_error_free(error);
    return text;
  }
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline.get());
  const auto end = MessagePtr::adopt(
      gst_bus_timed_pop_filtered(bus, static_cast<GstClockTime>(deadline.count()) * GST_SECOND,
                                 static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  gst_object_unref(bus);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  if (!end) return "no end of stream in time";
  return GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS ? "" : text_of(end);
}

int stub_counter(const char* name) {
  void* stub = dlopen(std::getenv("UAD_BACKEND"), RTLD_NOW | RTLD_NOLOAD);
  if (stub == nullptr) return -1;
  auto* counter = reinterpret_cast<int (*)()>(dlsym(stub, name));
  return counter != nullptr ? counter() : -1;
}

}  // namespace uad::testing
