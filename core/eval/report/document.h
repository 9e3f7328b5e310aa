// SPDX-License-Identifier: LGPL-2.1-or-later
// The frame of every page: one HTML file that needs no other and no network.
#pragma once

#include <string>

namespace uad::report {

/// @param title, body  HTML.
std::string section(const std::string& title, const std::string& body, int level = 2);

/// The whole file. @param title, made_by  texts. @param body  HTML.
std::string document(const std::string& title, const std::string& body, const std::string& made_by);

}  // namespace uad::report
