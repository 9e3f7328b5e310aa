// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/registry.h"

#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/methods.h"
#include "core/method.h"
#include "tests/support/expect_error.h"

namespace uad {
namespace {

TEST(Registry, EveryAnnouncedMethodHasARowThatSaysTheSame) {
  using Row = std::tuple<std::string, bool, bool>;  // name, needs labels, needs masks
  std::vector<Row> rows;
  for (const Method& method : models::method_table()) {
    rows.emplace_back(method.name, method.needs != Needs::kGood, method.needs == Needs::kMasks);
  }
  std::vector<Row> announced;
  for (const MethodInfo& info : known_methods()) {
    announced.emplace_back(info.name, info.needs_labels, info.needs_masks);
  }
  EXPECT_EQ(rows, announced);
}

TEST(Registry, UnknownMethodIsAnsweredWithTheNearest) {
  test::expect_error(ErrorCode::kBadOption,
                     {"patchcor", "did you mean \"patchcore\"? This build has: "},
                     [] { static_cast<void>(models::find_method("patchcor")); });
}

}  // namespace
}  // namespace uad
