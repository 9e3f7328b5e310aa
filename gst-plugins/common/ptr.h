// SPDX-License-Identifier: LGPL-2.1-or-later
// Owning handles of GStreamer objects. A raw pointer elsewhere is borrowed and never stored.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <gst/gst.h>

namespace uad::gst {

/// Owns one reference. `Traits` says how T is referenced and let go.
template <class T, class Traits>
class Ptr {
 public:
  Ptr() = default;
  ~Ptr() { reset(); }
  Ptr(const Ptr& other) : Ptr(retain(other.pointer_)) {}
  Ptr(Ptr&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
  Ptr& operator=(Ptr other) noexcept {
    std::swap(pointer_, other.pointer_);
    return *this;
  }

  /// Takes over the caller's reference; null is allowed.
  static Ptr adopt(T* pointer) {
    Ptr owner;
    owner.pointer_ = pointer;
    return owner;
  }
  /// Adds a reference of its own; null is allowed.
  static Ptr retain(T* pointer) {
    if (pointer != nullptr) Traits::ref(pointer);
    return adopt(pointer);
  }

  [[nodiscard]] T* get() const noexcept { return pointer_; }
  T* operator->() const noexcept { return pointer_; }
  explicit operator bool() const noexcept { return pointer_ != nullptr; }
  /// Gives the reference to the caller.
  [[nodiscard]] T* release() noexcept { return std::exchange(pointer_, nullptr); }
  void reset() {
    if (pointer_ != nullptr) Traits::unref(std::exchange(pointer_, nullptr));
  }

 private:
  T* pointer_ = nullptr;
};

template <class T>
struct MiniObjectTraits {
  static void ref(T* object) { gst_mini_object_ref(GST_MINI_OBJECT_CAST(object)); }
  static void unref(T* object) { gst_mini_object_unref(GST_MINI_OBJECT_CAST(object)); }
};
template <class T>
struct ObjectTraits {
  static void ref(T* object) { gst_object_ref(object); }
  static void unref(T* object) { gst_object_unref(object); }
};

using BufferPtr = Ptr<GstBuffer, MiniObjectTraits<GstBuffer>>;
using SamplePtr = Ptr<GstSample, MiniObjectTraits<GstSample>>;
using CapsPtr = Ptr<GstCaps, MiniObjectTraits<GstCaps>>;
using EventPtr = Ptr<GstEvent, MiniObjectTraits<GstEvent>>;
using QueryPtr = Ptr<GstQuery, MiniObjectTraits<GstQuery>>;
using MessagePtr = Ptr<GstMessage, MiniObjectTraits<GstMessage>>;
template <class T>
using ObjectPtr = Ptr<T, ObjectTraits<T>>;

struct StructureDeleter {
  void operator()(GstStructure* structure) const { gst_structure_free(structure); }
};
using StructurePtr = std::unique_ptr<GstStructure, StructureDeleter>;

/// Takes over the caller's string.
inline std::string take_string(char* text) {
  std::string copy = text != nullptr ? text : "";
  g_free(text);
  return copy;
}

}  // namespace uad::gst
