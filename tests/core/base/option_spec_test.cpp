// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/option_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace uad {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const std::vector<OptionSpec>& specs() {
  static const std::vector<OptionSpec> table{
      {.name = "k",
       .type = OptionType::kFloat,
       .default_value = 10.0,
       .minimum = 0,
       .maximum = 100},
      {.name = "neighbours", .type = OptionType::kInt, .default_value = 9, .minimum = 1},
      {.name = "reweight", .default_value = "paper", .choices = {"paper", "qi", "none"}},
      {.name = "crop_size", .type = OptionType::kSize, .aliases = {"crop"}},
      {.name = "do_eval", .type = OptionType::kBool, .default_value = true},
  };
  return table;
}

std::string message_of(const json& values) {
  try {
    (void)complete_options(specs(), values);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadOption);
    return error.what();
  }
  return "no error";
}

TEST(CompleteOptions, MissingKeysGetTheirDefaults) {
  EXPECT_EQ(complete_options(specs(), json::object()), (json{{"k", 10.0},
                                                             {"neighbours", 9},
                                                             {"reweight", "paper"},
                                                             {"crop_size", nullptr},
                                                             {"do_eval", true}}));
}

TEST(CompleteOptions, AliasesBecomeTheName) {
  EXPECT_EQ(complete_options(specs(), {{"crop", {224, 320}}})["crop_size"], json({224, 320}));
}

TEST(CompleteOptions, NullMeansUnset) {
  EXPECT_EQ(complete_options(specs(), {{"neighbours", nullptr}})["neighbours"], 9);
}

TEST(CompleteOptions, TextsAreReadAsTheOptionsType) {
  const json result = complete_options(
      specs(), {{"k", "2.5"}, {"neighbours", "3"}, {"do_eval", "No"}, {"crop_size", "640x480"}});
  EXPECT_EQ(result["k"], 2.5);
  EXPECT_EQ(result["neighbours"], 3);
  EXPECT_EQ(result["do_eval"], false);
  EXPECT_EQ(result["crop_size"], json({480, 640}));
}

TEST(CompleteOptions, UnknownKeyNamesTheNearestKnownOne) {
  EXPECT_THAT(message_of({{"neighbors", 3}}), HasSubstr("Did you mean \"neighbours\"?"));
  EXPECT_THAT(message_of({{"croop", 3}}), HasSubstr("Did you mean \"crop\"?"));
}

TEST(CompleteOptions, AKeyFarFromAllListsTheKnownOnes) {
  EXPECT_THAT(message_of({{"completely_different", 3}}), HasSubstr("Known: k, neighbours"));
}

TEST(CompleteOptions, KeyAndAliasTogetherAreRefused) {
  EXPECT_THAT(message_of({{"crop", {8, 8}}, {"crop_size", {9, 9}}}), HasSubstr("given twice"));
}

TEST(CompleteOptions, WrongTypesAreNamedWithWhatWasFound) {
  EXPECT_EQ(message_of({{"neighbours", 2.5}}),
            "Option \"neighbours\" must be a whole number, but is 2.5.");
  EXPECT_THAT(message_of({{"do_eval", 3}}), HasSubstr("must be true or false, but is 3"));
  EXPECT_THAT(message_of({{"reweight", 3}}), HasSubstr("must be a text"));
  EXPECT_THAT(message_of({{"crop", {1, 2, 3}}}), HasSubstr("must be a size"));
  EXPECT_THAT(message_of({{"crop", {-1, 2}}}), HasSubstr("must be a size"));
}

TEST(CompleteOptions, ValuesOutOfRangeNameTheRange) {
  EXPECT_THAT(message_of({{"k", 101}}), HasSubstr("from 0 to 100, but is 101"));
  EXPECT_THAT(message_of({{"neighbours", 0}}), HasSubstr("at least 1, but is 0"));
}

TEST(CompleteOptions, WrongChoiceListsTheChoices) {
  EXPECT_EQ(message_of({{"reweight", "papers"}}),
            "Option \"reweight\" must be one of paper, qi, none, but is \"papers\". "
            "Did you mean \"paper\"?");
}

TEST(ParseOption, BooleansUnderstandTheUsualWords) {
  const OptionSpec& spec = specs()[4];
  for (const char* yes : {"true", "YES", "t", "y", "1"}) EXPECT_EQ(parse_option(spec, yes), true) << yes;
  for (const char* no : {"False", "no", "f", "n", "0"}) EXPECT_EQ(parse_option(spec, no), false) << no;
  EXPECT_THROW((void)parse_option(spec, "maybe"), Error);
  EXPECT_THROW((void)parse_option(spec, ""), Error);
}

TEST(ParseOption, SizesAreWidthFirstInTextAndHeightFirstInLists) {
  const OptionSpec& spec = specs()[3];
  EXPECT_EQ(parse_option(spec, "256x640"), json({640, 256}));
  EXPECT_EQ(parse_option(spec, "[640, 256]"), json({640, 256}));
  EXPECT_EQ(parse_option(spec, "256"), json({256, 256}));
  for (const char* bad : {"[640]", "[a, 2]", "[1, 2", "x640", "12xx3"}) {
    EXPECT_THROW((void)parse_option(spec, bad), Error) << bad;
  }
}

TEST(ParseOption, NumbersMustFillTheWholeText) {
  EXPECT_EQ(parse_option(specs()[0], " 1e1 "), 10.0);
  EXPECT_EQ(parse_option(specs()[1], "+7"), 7);
  for (const char* bad : {"3 apples", "", "0x10", "1,5"}) {
    EXPECT_THROW((void)parse_option(specs()[0], bad), Error) << bad;
  }
  EXPECT_THROW((void)parse_option(specs()[0], "nan"), Error);
  EXPECT_THROW((void)parse_option(specs()[1], "99999999999999999999"), Error);
}

TEST(NearestName, PicksTheSmallestEditDistance) {
  EXPECT_EQ(nearest_name("rezise", {"roi", "resize", "reduction"}), "resize");
  EXPECT_EQ(nearest_name("Backbone", {"backbone"}), "backbone");
  EXPECT_EQ(nearest_name("zzzzzzzz", {"roi", "resize"}), "");
}

}  // namespace
}  // namespace uad
