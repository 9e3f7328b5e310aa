// SPDX-License-Identifier: LGPL-2.1-or-later
// Nothing C++ ever unwinds through a C frame: every vfunc body runs in guarded().
#pragma once

#include <exception>
#include <utility>

#include <gst/gst.h>

namespace uad::gst {

/// Posts the exception as an element error: what() for the operator, the detail for the developer.
/// Error(kCancelled) is not posted: whoever cancelled knows. @note Thread-safe.
void post_error(GstElement* element, const std::exception_ptr& reason) noexcept;

/// The same as a warning; `prefix` says what goes on nevertheless ("Keeping the old model: ").
void post_warning(GstElement* element, const std::exception_ptr& reason,
                  const char* prefix) noexcept;

/// Runs `body`; whatever it throws becomes an element error and `on_error`.
template <class R, class F>
R guarded(GstElement* element, R on_error, F&& body) noexcept {
  try {
    return std::forward<F>(body)();
  } catch (...) {
    post_error(element, std::current_exception());
    return on_error;
  }
}

}  // namespace uad::gst
