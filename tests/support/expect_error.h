// SPDX-License-Identifier: LGPL-2.1-or-later
// Failure is tested as carefully as success: the code and the words an operator needs.
#pragma once

#include <initializer_list>
#include <string>
#include <type_traits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace uad::test {

/// `body` throws uad::Error with this code, and its message holds every one of `parts`.
template <class Body>
void expect_error(ErrorCode code, std::initializer_list<std::string> parts, Body&& body) {
  try {
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
    } else {
      (void)body();
    }
    ADD_FAILURE() << "no error was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    for (const std::string& part : parts) EXPECT_THAT(e.what(), testing::HasSubstr(part));
  }
}

}  // namespace uad::test
