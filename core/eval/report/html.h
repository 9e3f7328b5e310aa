// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts and numbers for an HTML page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace uad::report {

/// Safe as text and inside a quoted attribute, whatever the bytes: `& < > " '` become entities,
/// control characters and broken UTF-8 the replacement character.
std::string escape(std::string_view text);

/// "0.998", "–" where undefined (nothing or not a number).
std::string metric_text(std::optional<double> value);
/// Four significant digits.
std::string score_text(double value);
/// "96.7 %"; "–" of nothing.
std::string percent_text(std::int64_t part, std::int64_t whole);
/// "29 of 30 (96.7 %)"; "none" of nothing.
std::string share_text(std::int64_t part, std::int64_t whole);

/// Where a share may really lie. Source: Wilson, J. Am. Stat. Assoc. 22 (1927), at 95 %.
struct Interval {
  double low = 0;
  double high = 1;
};
/// @param whole  above 0.
Interval likely_share(std::int64_t part, std::int64_t whole);

/// A table that scrolls where it does not fit. @param head, body  cells and rows as HTML.
std::string table(const std::string& caption, const std::string& head, const std::string& body);

/// Folder of the kind and file name: "scratch/003.png" of "/data/set/test/scratch/003.png".
std::string short_name(const std::string& path);

}  // namespace uad::report
