// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads TensorBoard's event files back, checking every CRC.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/gradient/event_file.h"
#include "tests/support/temp_dir.h"

namespace uad::test {

struct Event {
  double wall_time = 0;
  std::int64_t step = 0;
  std::string version;
  std::map<std::string, float> scalars;
};

class Message {
 public:
  explicit Message(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool done() const { return bytes_.empty(); }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(take(1)[0]);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
  }
  template <class Value>
  Value fixed() {
    Value value;
    std::memcpy(&value, take(sizeof(Value)).data(), sizeof(Value));
    return value;
  }
  std::string_view text() { return take(varint()); }
  std::string_view take(std::size_t count) {
    if (count > bytes_.size()) throw std::runtime_error("the record ends early");
    const std::string_view part = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return part;
  }

 private:
  std::string_view bytes_;
};

inline void read_summary(Message summary, Event& event) {
  while (!summary.done()) {
    summary.varint();
    Message value(summary.text());
    std::string tag;
    while (!value.done()) {
      if (value.varint() == (1U << 3 | 2U)) {
        tag = value.text();
      } else {
        event.scalars[tag] = value.fixed<float>();
      }
    }
  }
}

inline Event read_event(Message message) {
  Event event;
  while (!message.done()) {
    const std::uint64_t key = message.varint();
    if (key >> 3 == 1) event.wall_time = message.fixed<double>();
    if (key >> 3 == 2) event.step = static_cast<std::int64_t>(message.varint());
    if (key >> 3 == 3) event.version = message.text();
    if (key >> 3 == 5) read_summary(Message(message.text()), event);
  }
  return event;
}

inline std::vector<Event> read_events(const std::filesystem::path& file) {
  const std::string bytes = read_bytes(file);
  Message rest(bytes);
  const auto check = [](std::string_view part, std::uint32_t masked) {
    if (std::rotr(crc32c(part), 15) + 0xA282EAD8U != masked) throw std::runtime_error("wrong CRC");
  };
  std::vector<Event> events;
  while (!rest.done()) {
    const std::string_view length = rest.take(8);
    check(length, rest.fixed<std::uint32_t>());
    std::uint64_t size = 0;
    std::memcpy(&size, length.data(), 8);
    const std::string_view record = rest.take(size);
    check(record, rest.fixed<std::uint32_t>());
    events.push_back(read_event(Message(record)));
  }
  return events;
}

}  // namespace uad::test
