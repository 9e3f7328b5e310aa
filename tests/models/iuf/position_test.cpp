// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/position.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace uad::models::iuf {
namespace {

TEST(IufPosition, SinesAreTheSpecifications) {
  const at::Tensor code = position_code({}, {.sine = true});
  ASSERT_EQ(code.sizes(), at::IntArrayRef({196, 256}));
  const double first[]{0.433884, 0.900969, 0.378934, 0.925424};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(code[0][i].item<double>(), first[i], 1e-6);
  EXPECT_NEAR(code[195][2].item<double>(), -0.746090, 2e-6);
  EXPECT_NEAR(code[195][3].item<double>(), 0.665845, 2e-6);
}

TEST(IufPosition, SinesTellTheRowFirst) {
  const at::Tensor code = position_code({}, {.height = 3, .width = 4, .sine = true});
  ASSERT_EQ(code.size(0), 12);
  // Tokens 5 and 7 lie in row 1; tokens 5 and 9 in column 1.
  EXPECT_TRUE(at::equal(code[5].slice(0, 0, 128), code[7].slice(0, 0, 128)));
  EXPECT_FALSE(at::equal(code[5].slice(0, 128), code[7].slice(0, 128)));
  EXPECT_TRUE(at::equal(code[5].slice(0, 128), code[9].slice(0, 128)));
}

TEST(IufPosition, LearnedCodesTellTheColumnFirst) {
  const at::Tensor rows = at::rand({3, 128});
  const at::Tensor columns = at::rand({4, 128});
  const at::Tensor code =
      position_code({{"pos_embed.row_embed.weight", rows}, {"pos_embed.col_embed.weight", columns}},
                    {.height = 3, .width = 4});
  ASSERT_EQ(code.sizes(), at::IntArrayRef({12, 256}));
  EXPECT_TRUE(at::equal(code[6].slice(0, 0, 128), columns[2]));
  EXPECT_TRUE(at::equal(code[6].slice(0, 128), rows[1]));
}

TEST(IufPosition, NeighboursAndTheTokenItselfAreHidden) {
  const at::Tensor mask = neighbour_mask({});
  ASSERT_EQ(mask.sizes(), at::IntArrayRef({196, 196}));
  const at::Tensor hidden = at::isinf(mask);
  EXPECT_EQ(hidden[0].sum().item<int>(), 16);
  EXPECT_EQ(hidden[7 * 14 + 7].sum().item<int>(), 49);
  EXPECT_EQ(hidden.sum().item<int>(), 7396);
  EXPECT_TRUE(hidden.diagonal().all().item<bool>());
  EXPECT_TRUE(at::equal(hidden, hidden.t()));
  EXPECT_TRUE((mask.masked_select(hidden) < 0).all().item<bool>());
  EXPECT_TRUE((mask.masked_select(hidden.logical_not()) == 0).all().item<bool>());
  EXPECT_FALSE(hidden[0][4].item<bool>());       // four columns on
  EXPECT_TRUE(hidden[0][3 * 14].item<bool>());   // three rows down
  EXPECT_FALSE(hidden[0][4 * 14].item<bool>());  // four
}

TEST(IufPosition, AMaskThatHidesEverythingIsRefused) {
  test::expect_error(ErrorCode::kBadOption, {"7x7", "7x6"},
                     [] { return neighbour_mask({.height = 7, .width = 6}); });
  for (const auto& [height, width] : {std::pair{8, 2}, {2, 8}}) {
    const at::Tensor mask = neighbour_mask({.height = height, .width = width});
    EXPECT_TRUE((mask == 0).any(1).all().item<bool>());
  }
}

}  // namespace
}  // namespace uad::models::iuf
