// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/event_file.h"

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "core/base/error.h"

namespace uad {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

template <class Value>
void append(std::string& bytes, Value value) {
  std::array<char, sizeof(Value)> raw{};
  std::memcpy(raw.data(), &value, sizeof(Value));
  bytes.append(raw.data(), raw.size());
}

/// Base-128 number of protocol buffers.
void append_varint(std::string& bytes, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(0x80 | (value & 0x7F));
  bytes += static_cast<char>(value);
}

enum class Wire { kVarint = 0, kEightBytes = 1, kText = 2, kFourBytes = 5 };

void append_key(std::string& bytes, int field, Wire wire) {
  append_varint(bytes, static_cast<std::uint64_t>(field * 8 + static_cast<int>(wire)));
}

void append_text(std::string& bytes, int field, std::string_view text) {
  append_key(bytes, field, Wire::kText);
  append_varint(bytes, text.size());
  bytes += text;
}

/// An Event up to its content: wall_time = 1, step = 2.
std::string event(std::int64_t step) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  std::string bytes;
  append_key(bytes, 1, Wire::kEightBytes);
  append(bytes, now.count());
  append_key(bytes, 2, Wire::kVarint);
  append_varint(bytes, static_cast<std::uint64_t>(step));
  return bytes;
}

/// CRCs of data that hold CRCs are weak, so the format turns and shifts each.
std::uint32_t masked_crc(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U;
}

[[noreturn]] void fail(const fs::path& path, const std::string& reason) {
  throw Error(ErrorCode::kFailed,
              fmt::format("Curves cannot be written to \"{}\": {}. Name another folder with "
                          "--run-dir.",
                          path.string(), reason));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) noexcept {
  static const auto table = [] {
    std::array<std::uint32_t, 256> values{};
    for (std::uint32_t i = 0; i < values.size(); ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82F63B78U : 0);
      values[i] = value;
    }
    return values;
  }();
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc = (crc >> 8) ^ table[(crc ^ static_cast<std::uint8_t>(byte)) & 0xFF];
  }
  return ~crc;
}

EventFile::EventFile(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) fail(folder, failure.message());
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  // Nanoseconds, so that a run and its continuation in one process do not share a file.
  path_ = folder / fmt::format("events.out.tfevents.{}.uad.{}", now.count(), ::getpid());
  file_.open(path_, std::ios::binary | std::ios::trunc);
  if (!file_) fail(path_, std::strerror(errno));
  std::string first = event(0);
  append_text(first, 3, "brain.Event:2");  // file_version
  write(first);
}

void EventFile::add(std::int64_t step, const std::map<std::string, double>& scalars) {
  std::string summary;
  for (const auto& [tag, number] : scalars) {
    std::string value;
    append_text(value, 1, tag);
    append_key(value, 2, Wire::kFourBytes);  // simple_value
    append(value, static_cast<float>(number));
    append_text(summary, 1, value);
  }
  std::string one = event(step);
  append_text(one, 5, summary);
  write(one);
}

void EventFile::write(const std::string& event) {
  std::string record;
  append(record, static_cast<std::uint64_t>(event.size()));
  append(record, masked_crc(record));
  record += event;
  append(record, masked_crc(event));
  errno = 0;
  file_.write(record.data(), static_cast<std::streamsize>(record.size()));
  file_.flush();
  if (!file_) fail(path_, errno != 0 ? std::strerror(errno) : "the disk did not take all of it");
}

}  // namespace uad
