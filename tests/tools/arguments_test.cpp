// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace uad::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ArgumentsTest : public ::testing::Test {
 protected:
  ArgumentsTest() {
    syntax_.name = "train";
    syntax_.positional = "PATH";
    syntax_.options = {
        {.name = "seed", .type = OptionType::kInt, .default_value = 3, .help = "seed"},
        {.name = "resize", .type = OptionType::kSize, .help = "size"},
        {.name = "reduction", .default_value = "coreset", .help = "how"},
        {.name = "no_refit", .type = OptionType::kBool, .default_value = false, .help = "flag"},
        {.name = "weights_dir", .help = "folder", .aliases = {"weights"}},
        {.name = "eval_pro", .help = ""},
    };
    syntax_.elsewhere = {"img_path"};
  }

  std::string config(const std::string& text) {
    test::write_bytes(folder_ / "x.yaml", text);
    return folder_ / "x.yaml";
  }

  std::string refusal(const std::vector<std::string>& args) {
    try {
      (void)parse_arguments(syntax_, args);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "no error";
  }

  test::TempDir folder_;
  Syntax syntax_;
};

TEST_F(ArgumentsTest, TheCommandLineWinsOverYaml) {
  const auto args = parse_arguments(
      syntax_, {"--config", config("seed: 9\nresize: [640, 256]\n"), "--seed", "4"});
  EXPECT_EQ(args.options["seed"], 4);
  EXPECT_EQ(args.options["resize"], nlohmann::json({640, 256}));
  EXPECT_EQ(args.options["reduction"], "coreset");
}

TEST_F(ArgumentsTest, ShortNamesStandForLongOnesWhereTheyAreKnown) {
  syntax_.short_names = {{"sd", "seed"}, {"nr", "no_refit"}};
  const auto args = parse_arguments(syntax_, {"-sd", "5", "-nr", "yes", "-nr=no"});
  EXPECT_EQ(args.options["seed"], 5);
  EXPECT_EQ(args.options["no_refit"], false);
  EXPECT_TRUE(args.was_given("seed"));
  EXPECT_THAT(refusal({"-zz", "5"}), HasSubstr("-zz"));
  syntax_.short_names.clear();
  EXPECT_THAT(refusal({"-sd", "5"}), HasSubstr("-sd"));
}

TEST_F(ArgumentsTest, KeysOfOtherMethodsAreToldOf) {
  syntax_.in_vain = {"k"};
  const auto args = parse_arguments(syntax_, {"--config", config("k: 10\nimg_path: a.png\n")});
  ASSERT_EQ(args.notes.size(), 1U);
  EXPECT_NE(args.notes[0].find("\"k\""), std::string::npos);
  EXPECT_NE(args.notes[0].find("another method"), std::string::npos);
  EXPECT_FALSE(args.options.contains("k"));
}

TEST_F(ArgumentsTest, SizesAreWidthFirstOnTheCommandLine) {
  const auto args = parse_arguments(syntax_, {"--resize", "256x640"});
  EXPECT_EQ(args.options["resize"], nlohmann::json({640, 256}));
}

TEST_F(ArgumentsTest, DashesUnderscoresAndAliasesAreOneKey) {
  EXPECT_EQ(parse_arguments(syntax_, {"--weights_dir", "a"}).options["weights_dir"], "a");
  EXPECT_EQ(parse_arguments(syntax_, {"--weights-dir=a"}).options["weights_dir"], "a");
  EXPECT_EQ(parse_arguments(syntax_, {"--weights", "a"}).options["weights_dir"], "a");
  EXPECT_EQ(parse_arguments(syntax_, {"--eval_PRO", "a"}).options["eval_pro"], "a");
}

TEST_F(ArgumentsTest, FlagsTakeAWordOrNone) {
  EXPECT_EQ(parse_arguments(syntax_, {"--no-refit"}).options["no_refit"], true);
  EXPECT_EQ(parse_arguments(syntax_, {"--no-refit", "False"}).options["no_refit"], false);
  EXPECT_EQ(parse_arguments(syntax_, {"--no-refit=yes"}).options["no_refit"], true);
  const auto args = parse_arguments(syntax_, {"--no-refit", "a.png", "b.png"});
  EXPECT_EQ(args.options["no_refit"], true);
  EXPECT_THAT(args.paths, ElementsAre("a.png", "b.png"));
}

TEST_F(ArgumentsTest, UnknownOptionsNameTheNearestOne) {
  EXPECT_THAT(refusal({"--rezise", "4"}), HasSubstr("Did you mean \"--resize\"?"));
  EXPECT_THAT(refusal({"--config", config("sede: 4\n")}), HasSubstr("Did you mean \"seed\"?"));
}

TEST_F(ArgumentsTest, KeysOfOtherCommandsAreAllowedInYamlOnly) {
  EXPECT_EQ(parse_arguments(syntax_, {"--config", config("img_path: a.png\n")}).options.size(),
            syntax_.options.size());
  EXPECT_THAT(refusal({"--img-path", "a.png"}), HasSubstr("Unknown option"));
}

TEST_F(ArgumentsTest, WrongValuesAreUsageErrors) {
  EXPECT_THAT(refusal({"--seed", "many"}), HasSubstr("must be a whole number"));
  EXPECT_THAT(refusal({"--config", config("resize: 12xx3\n")}), HasSubstr("must be a size"));
  EXPECT_THAT(refusal({"--seed"}), HasSubstr("seed"));
}

TEST_F(ArgumentsTest, ANameTwiceUnderTwoSpellingsIsRefused) {
  EXPECT_THAT(refusal({"--config", config("weights: a\nweights_dir: b\n")}), HasSubstr("twice"));
}

TEST_F(ArgumentsTest, QualityInspectorsMethodIsReadAsReduction) {
  const auto args = parse_arguments(syntax_, {"--config", config("method: sample\n")});
  EXPECT_EQ(args.options["reduction"], "sample");
  EXPECT_THAT(args.notes, ElementsAre(HasSubstr("read as \"reduction: sample\"")));
}

TEST_F(ArgumentsTest, BrokenYamlNamesTheLine) {
  EXPECT_THAT(refusal({"--config", config("seed: 3\nresize: [1, 2\n")}), HasSubstr("line"));
  EXPECT_THAT(refusal({"--config", config("model:\n  seed: 3\n")}), HasSubstr("nested"));
  EXPECT_THAT(refusal({"--config", "/nowhere/x.yaml"}), HasSubstr("cannot be opened"));
}

TEST_F(ArgumentsTest, HelpIsNoErrorAndHidesWhatHasNoHelp) {
  try {
    (void)parse_arguments(syntax_, {"--help"});
    FAIL() << "no help";
  } catch (const HelpRequest& help) {
    EXPECT_THAT(help.text, HasSubstr("--weights-dir"));
    EXPECT_THAT(help.text, ::testing::Not(HasSubstr("--eval-pro")));
  }
}

TEST(PeekOption, FindsBothForms) {
  EXPECT_EQ(peek_option({"--data", "x", "--method", "padim"}, "method"), "padim");
  EXPECT_EQ(peek_option({"--method=padim"}, "method"), "padim");
  EXPECT_EQ(peek_option({"--data", "x"}, "method"), "");
}

TEST(ReadYaml, ListsBecomeTexts) {
  const test::TempDir folder;
  test::write_bytes(folder / "x.yaml", "crop-size: [224, 224]\nsave_path: output/\nempty:\n");
  EXPECT_EQ(read_yaml(folder / "x.yaml"),
            (nlohmann::json{{"crop_size", "[224, 224]"}, {"save_path", "output/"}}));
}

}  // namespace
}  // namespace uad::tools
