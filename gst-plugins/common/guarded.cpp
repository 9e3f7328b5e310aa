// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/common/guarded.h"

#include <string>

#include "core/base/error.h"

namespace uad::gst {
namespace {

/// What GST_ELEMENT_ERROR wants to know.
struct Report {
  GQuark domain = 0;
  gint code = 0;
  std::string text;
  std::string detail;
  bool cancelled = false;
};

Report from_error(const Error& error) {
  Report report{GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED, error.what(), error.detail()};
  switch (error.code()) {
    case ErrorCode::kNotFound:
    case ErrorCode::kNoDevice:
      report.domain = GST_RESOURCE_ERROR;
      report.code = GST_RESOURCE_ERROR_NOT_FOUND;
      break;
    case ErrorCode::kBadFile:
      report.domain = GST_RESOURCE_ERROR;
      report.code = GST_RESOURCE_ERROR_READ;
      break;
    case ErrorCode::kBadOption:
      report.code = GST_LIBRARY_ERROR_SETTINGS;
      break;
    case ErrorCode::kShapeMismatch:
      report.domain = GST_STREAM_ERROR;
      report.code = GST_STREAM_ERROR_FORMAT;
      break;
    case ErrorCode::kCancelled:
      report.cancelled = true;
      break;
    case ErrorCode::kFailed:
      break;
  }
  return report;
}

Report describe(const std::exception_ptr& reason) {
  try {
    std::rethrow_exception(reason);
  } catch (const Error& error) {
    return from_error(error);
  } catch (const std::bad_alloc&) {
    return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
            "Out of memory: close other programs, or use a smaller model or frame.",
            "std::bad_alloc"};
  } catch (const std::exception& error) {
    return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
            "Internal error; please report it with the details.", error.what()};
  } catch (...) {
    return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
            "Internal error; please report it with the details.", "not a C++ exception"};
  }
}

void post(GstElement* element, GstMessageType type, const Report& report) {
  gst_element_message_full(element, type, report.domain, report.code, g_strdup(report.text.c_str()),
                           report.detail.empty() ? nullptr : g_strdup(report.detail.c_str()),
                           __FILE__, GST_FUNCTION, __LINE__);
}

}  // namespace

void post_error(GstElement* element, const std::exception_ptr& reason) noexcept {
  const Report report = describe(reason);
  if (!report.cancelled) post(element, GST_MESSAGE_ERROR, report);
}

void post_warning(GstElement* element, const std::exception_ptr& reason,
                  const char* prefix) noexcept {
  Report report = describe(reason);
  if (report.cancelled) return;
  report.text.insert(0, prefix);
  post(element, GST_MESSAGE_WARNING, report);
}

}  // namespace uad::gst
