// SPDX-License-Identifier: LGPL-2.1-or-later
// The HTML report: what it says, that it stands alone, and what it refuses.
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/eval/report/html.h"
#include "core/eval/report/page.h"
#include "core/eval/report/svg.h"
#include "tests/core/eval/red_model.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace uad::report {
namespace {

using nlohmann::json;
using test::expect_error;
using test::FrameList;
using test::ListedFrame;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

ListedFrame frame(int hundredths, const std::string& kind = "good") {
  ListedFrame result{test::picture(8, std::vector<int>(64, hundredths)), kind, {}};
  if (kind != "good") {
    std::vector<int> defect(64, 0);
    defect[27] = 1;
    result.mask = test::mask_of(8, defect);
  }
  return result;
}

/// Reject from 0.5: one of three defects is missed with a warning (0.45), one of four good parts is
/// rejected (0.55).
std::vector<ListedFrame> frames() {
  return {frame(10),          frame(20),          frame(30),         frame(55),
          frame(45, "crack"), frame(60, "crack"), frame(90, "stain")};
}

json record(std::vector<ListedFrame> listed, const std::string& model, std::size_t pictures = 6) {
  FrameList source(std::move(listed));
  const test::RedModel red;
  GalleryKeeper keeper(red.manifest().thresholds.map, pictures);
  const Evaluation evaluation = test::evaluate_red(
      red, source, {.visit = [&](const LabelledFrame& one, const ModelOutput& output) {
        keeper.offer(one, output);
      }});
  return make_record(evaluation, "/models/" + model + ".uad", "/data/" + model,
                     pictures > 0 ? &keeper.gallery() : nullptr);
}

std::string page_of(const std::vector<json>& records) {
  std::vector<Run> runs;
  for (const json& one : records) {
    for (Run& run : parse_runs(one, "run.json")) runs.push_back(std::move(run));
  }
  return report_page(runs, {"", "Made by a test."});
}

/// The first tag that is closed by another one, or never; "" if there is none.
std::string unbalanced_tag(const std::string& html) {
  static const std::regex tag("<(/?)([a-zA-Z0-9]+)[^>]*?(/?)>");
  static const std::set<std::string> kVoid{"meta", "img", "br"};
  std::vector<std::string> open;
  for (auto it = std::sregex_iterator(html.begin(), html.end(), tag); it != std::sregex_iterator();
       ++it) {
    const std::string name = (*it)[2];
    if ((*it)[3].length() > 0 || kVoid.contains(name)) continue;
    if ((*it)[1].length() == 0) {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != name) return name;
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

TEST(Report, ShowsFiguresThresholdsAndCounts) {
  const std::string page = page_of({record(frames(), "line")});
  for (const char* part :
       {"Inspection report: line",
        "<strong>66.7 %</strong><span>2 of 3; 95 % interval 20.8 to 93.9 %",
        "<strong>25.0 %</strong><span>1 of 4", "<dt>Image AUROC</dt><dd><strong>0.917</strong>",
        "reject 0.5", "warn 0.4", "mean + 3 sd of good images", "mean 0.25",
        "scores that the rule saw: 7", "1 of them WARN", "red on none", "Made by a test."}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  EXPECT_EQ(unbalanced_tag(page), "");
}

TEST(Report, NeedsNothingFromOutside) {
  const std::string page = page_of({record(frames(), "a"), record(frames(), "b")});
  for (const char* part : {"http:", "https:", "<script", "<link", "@import", "file:"}) {
    EXPECT_THAT(page, Not(HasSubstr(part)));
  }
  const std::regex source("(src|href)=\"(?!data:image/jpeg;base64,|#)");
  EXPECT_FALSE(std::regex_search(page, source));
  const std::regex url("url\\((?!#hatch)");
  EXPECT_FALSE(std::regex_search(page, url));
}

TEST(Report, TextsOfFilesAreEscaped) {
  json hostile = record(frames(), "line");
  hostile["model"] = "/m/<img src=x onerror=alert(1)>.uad";
  hostile["data"] = "/d/\"><script>alert(2)</script>";
  for (json& image : hostile["images"]) image["kind"] = "<b>'&\"";
  for (json& image : hostile["gallery"]["defective"]) image["path"] = "/x/<i>/\xFF\".png";
  hostile["manifest"]["threshold_origin"]["rule"] = "</p><h1>";
  const std::string page = page_of({hostile});
  EXPECT_THAT(page, HasSubstr("&lt;img src=x onerror=alert(1)&gt;"));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;&#39;&amp;&quot;"));
  EXPECT_THAT(page, HasSubstr("&lt;i&gt;/\xEF\xBF\xBD&quot;.png"));
  for (const char* part : {"<script", "<img src=x", "<b>", "<i>/", "</p><h1>"}) {
    EXPECT_THAT(page, Not(HasSubstr(part)));
  }
  EXPECT_EQ(unbalanced_tag(page), "");
}

TEST(Report, SaysWhyAFigureIsUndefined) {
  const std::string page = page_of({record({frame(10), frame(20), frame(55)}, "line")});
  EXPECT_THAT(page, HasSubstr("undefined: the test set has no defective image"));
  EXPECT_THAT(page, HasSubstr("Undefined: the test set has no defective image"));  // for a curve
  EXPECT_THAT(page, HasSubstr("The test set has no defective image."));            // in the gallery
  EXPECT_THAT(page, HasSubstr("<strong>33.3 %</strong>"));  // false rejects are known all the same
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_EQ(unbalanced_tag(page), "");
}

TEST(Report, RunsStandSideBySide) {
  auto worse = frames();
  const std::string page = page_of({record(frames(), "first"), record(worse, "second")});
  EXPECT_THAT(page, HasSubstr("Inspection report: 2 runs"));
  EXPECT_THAT(page, HasSubstr("first</a></th>"));
  EXPECT_THAT(page, HasSubstr("second</a></th>"));
  EXPECT_THAT(page, HasSubstr("class=\"best\""));
  EXPECT_THAT(page, Not(HasSubstr("different test images")));
  EXPECT_EQ(unbalanced_tag(page), "");
}

TEST(Report, RunsOfDifferentImagesAreNotRanked) {
  auto other = frames();
  other[0].image.pixels[0] = 200;
  const std::string page = page_of({record(frames(), "first"), record(other, "second")});
  EXPECT_THAT(page, HasSubstr("These runs saw different test images."));
  EXPECT_THAT(page, HasSubstr("/data/second"));
  EXPECT_THAT(page, Not(HasSubstr("class=\"best\"")));
}

TEST(Report, CategoriesOfAGroupAreRuns) {
  const json group{
      {"categories", {{"tile", record(frames(), "x")}, {"wood", record(frames(), "x")}}}};
  const auto runs = parse_runs(group, "group.json");
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].name, "tile");
  EXPECT_EQ(runs[1].name, "wood");
}

/// A category as `uad eval --category` writes it.
json record_of(const std::string& category, std::vector<ListedFrame> listed,
               const std::string& backbone, double image_auroc, double ms) {
  json one = record(std::move(listed), "x", 0);
  one["category"] = category;
  one["manifest"]["backbone"]["name"] = backbone;
  one["image_auroc"] = image_auroc;
  one["ms_per_image"] = ms;
  one["model_bytes"] = 1500000 * ms;
  return one;
}

TEST(Report, MethodsStandByCategoryWithTheBestOfEachRowAndTheMean) {
  auto other = frames();
  other[0].image.pixels[0] = 200;
  const auto file = [&](const std::string& backbone, double tile, double wood, double ms) {
    return json{{"categories",
                 {{"tile", record_of("tile", frames(), backbone, tile, ms)},
                  {"wood", record_of("wood", other, backbone, wood, ms)}}}};
  };
  const std::string page = page_of({file("large", 0.95, 0.85, 2), file("small", 0.75, 0.875, 1)});
  EXPECT_THAT(page, HasSubstr("Methods by category"));
  EXPECT_THAT(page,
              HasSubstr("<th scope=\"col\">red on large</th><th scope=\"col\">red on small</th>"));
  EXPECT_THAT(
      page,
      HasSubstr("<th scope=\"row\">tile</th><td class=\"best\"><a href=\"#run1\">0.950</a></td>"
                "<td><a href=\"#run3\">0.750</a></td>"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">wood</th><td><a href=\"#run2\">0.850</a></td>"
                              "<td class=\"best\"><a href=\"#run4\">0.875</a></td>"));
  EXPECT_THAT(page,
              HasSubstr("<th scope=\"row\">mean</th><td class=\"best\">0.900</td><td>0.812</td>"));
  EXPECT_THAT(page,
              HasSubstr("<th scope=\"row\">mean</th><td>2.0</td><td class=\"best\">1.0</td>"));
  EXPECT_THAT(page,
              HasSubstr("<th scope=\"row\">mean</th><td>3.0</td><td class=\"best\">1.5</td>"));
  EXPECT_THAT(page, HasSubstr("Curves: wood"));
  EXPECT_EQ(unbalanced_tag(page), "");
}

TEST(Report, AMissingCategoryLeavesAGapAndTheMeansUnranked) {
  const std::string page = page_of({record_of("tile", frames(), "large", 0.95, 2),
                                    record_of("wood", frames(), "large", 0.85, 2),
                                    record_of("tile", frames(), "small", 0.75, 1)});
  EXPECT_THAT(page, HasSubstr("0.850</a></td><td>–</td>"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">mean</th><td>0.900</td><td>0.750</td>"));
}

TEST(Report, TwoModelsOfAMethodAreToldApartByTheirFile) {
  const test::TempDir folder;
  for (const char* name : {"k1", "k10"}) {
    const json both{{"categories",
                     {{"tile", record_of("tile", frames(), "net", 0.9, 1)},
                      {"wood", record_of("wood", frames(), "net", 0.9, 1)}}}};
    test::write_bytes(folder / (std::string(name) + ".json"), both.dump());
  }
  const std::string page = report_page(read_runs({folder / "k1.json", folder / "k10.json"}), {});
  EXPECT_THAT(page, HasSubstr("red on net (k1)</th><th scope=\"col\">red on net (k10)</th>"));
}

TEST(Report, TheFileOfARunGivesTheSamePage) {
  const test::TempDir folder;
  const json one = record(frames(), "line");
  test::write_bytes(folder / "one.json", one.dump(2));
  test::write_bytes(folder / "two.json", one.dump());
  EXPECT_EQ(report_page(read_runs({folder / "one.json"}), {"", "Made by a test."}), page_of({one}));
  const auto runs = read_runs({folder / "one.json", folder / "two.json"});
  EXPECT_EQ(runs[1].name, "line (two)");
}

TEST(Report, WithoutPicturesItSaysSo) {
  const std::string page = page_of({record(frames(), "line", 0)});
  EXPECT_THAT(page, HasSubstr("stored without pictures"));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
}

TEST(Report, FilesThatAreNoRunsAreRefused) {
  const test::TempDir folder;
  const auto refused = [&](const std::string& bytes, std::initializer_list<std::string> parts) {
    test::write_bytes(folder / "x.json", bytes);
    expect_error(ErrorCode::kBadFile, parts, [&] { return read_runs({folder / "x.json"}); });
  };
  refused("", {"x.json", "it is no JSON", "uad eval --json"});
  refused("\x89PNG", {"x.json", "it is no JSON"});
  refused("{\"a\": ", {"x.json"});
  refused("[]", {"x.json", "it is no JSON"});  // what uad predict writes
  refused("{\"categories\": {}}", {"no category"});
  json run = record(frames(), "line");
  json bad = run;
  bad.erase("curves");
  refused(bad.dump(), {"x.json", "'curves' not found", "uad eval --json"});
  bad = run;
  bad["images"][0]["score"] = "high";
  refused(bad.dump(), {"must be number"});
  bad = run;
  bad["gallery"]["good"][0]["image"] = "https://example.org/x.jpg";
  refused(bad.dump(), {"gallery"});
  bad["gallery"]["good"][0]["image"] = "data:image/jpeg;base64,AA\" onload=\"x";
  refused(bad.dump(), {"gallery"});
  expect_error(ErrorCode::kNotFound, {"/nowhere/r.json"},
               [] { return read_runs({"/nowhere/r.json"}); });
}

TEST(Gallery, KeepsTheWorstOfBothSides) {
  const json gallery = record(frames(), "line", 2)["gallery"];
  ASSERT_EQ(gallery["defective"].size(), 2U);
  EXPECT_NEAR(gallery["defective"][0]["score"], 0.45, 0.01);
  EXPECT_NEAR(gallery["defective"][1]["score"], 0.60, 0.01);
  ASSERT_EQ(gallery["good"].size(), 2U);
  EXPECT_NEAR(gallery["good"][0]["score"], 0.55, 0.01);
  EXPECT_NEAR(gallery["good"][1]["score"], 0.30, 0.01);
}

TEST(Gallery, LargeFramesBecomeSmallPictures) {
  GalleryKeeper keeper({0, 0.5, 1}, 1);
  const Image large = test::flat_image(2000, 1000, 128);
  LabelledFrame one;
  one.view = view(large);
  keeper.offer(one, {.score = 1, .map = {2, 1, {0, 1}}, .placement = {0, 0, 2000, 1000}});
  const std::string& uri = keeper.gallery().good.at(0).image;
  EXPECT_THAT(uri, ::testing::StartsWith("data:image/jpeg;base64,/9j/"));
  EXPECT_LT(uri.size(), 20000U);
}

TEST(Heatmap, FollowsTheFixedScaleAndStaysInItsPlace) {
  const auto colours = heatmap_colours(3);
  EXPECT_EQ(colours.front(), "#440154");  // the ends of viridis
  EXPECT_EQ(colours.back(), "#fde725");
  Image frame = test::flat_image(4, 1, 100);
  frame.pixels[0] = 200;  // reddish, outside of the map
  const Image heat = draw_heatmap(frame, {2, 1, {-5, 99}}, {2, 0, 2, 1}, {0, 0.5, 1}, {});
  EXPECT_EQ(heat.pixels[0], heat.pixels[1]);  // grey
  EXPECT_EQ(heat.pixels[0], heat.pixels[2]);
  // 45 % of grey 100 and 55 % of the lowest and highest colour.
  EXPECT_THAT(std::vector<int>(heat.pixels.begin() + 6, heat.pixels.begin() + 9),
              ::testing::ElementsAre(82, 46, 91));
  EXPECT_THAT(std::vector<int>(heat.pixels.begin() + 9, heat.pixels.end()),
              ::testing::ElementsAre(184, 172, 65));
}

TEST(Heatmap, OutlinesTheLabelledDefect) {
  Image defect = test::flat_image(11, 11, 0, 1);
  defect.pixels[5 * 11 + 5] = 255;
  const Image heat =
      draw_heatmap(test::flat_image(11, 11, 100), {1, 1, {0}}, {0, 0, 11, 11}, {0, 0.5, 1}, defect);
  const auto red = [&](int x) {
    return static_cast<int>(heat.pixels[static_cast<std::size_t>(3 * (5 * 11 + x))]);
  };
  EXPECT_EQ(red(5), 82);   // the defect itself stays visible
  EXPECT_EQ(red(7), 255);  // white around it
  EXPECT_EQ(red(8), 0);    // black around that
  EXPECT_EQ(red(9), 82);
}

TEST(Wilson, KnownIntervals) {
  EXPECT_NEAR(likely_share(0, 20).low, 0, 1e-12);
  EXPECT_NEAR(likely_share(0, 20).high, 0.161125, 1e-6);
  EXPECT_NEAR(likely_share(29, 30).low, 0.833296, 1e-6);
  EXPECT_NEAR(likely_share(29, 30).high, 0.994091, 1e-6);
}

TEST(Escape, ReplacesBrokenTextOnly) {
  EXPECT_EQ(escape("Größe 5 € 😀"), "Größe 5 € 😀");
  for (const std::string broken :
       {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80", "\x07"}) {
    EXPECT_THAT(escape(broken), ::testing::StartsWith("\xEF\xBF\xBD"))
        << ::testing::PrintToString(broken);
  }
}

TEST(Ticks, AreRoundNumbersInside) {
  EXPECT_THAT(round_ticks(0.13, 0.97, 4),
              ::testing::ElementsAre(::testing::DoubleEq(0.2), ::testing::DoubleEq(0.4),
                                     ::testing::DoubleNear(0.6, 1e-9), ::testing::DoubleEq(0.8)));
  EXPECT_THAT(round_ticks(-50, 100, 3), ::testing::ElementsAre(-50, 0, 50, 100));
}

TEST(ThinCurve, LongCurvesKeepTheirShapeInFewPoints) {
  ThinCurve thin;
  constexpr int kPoints = 100000;
  for (int i = 0; i <= kPoints; ++i)
    thin.add({i / double{kPoints}, std::sqrt(i / double{kPoints})});
  const Curve points = thin.points();
  EXPECT_LT(points.size(), 600U);
  EXPECT_EQ(points.front(), (CurvePoint{0, 0}));
  EXPECT_EQ(points.back(), (CurvePoint{1, 1}));
  for (const CurvePoint& point : points) EXPECT_NEAR(point.y, std::sqrt(point.x), 1e-9);
}

TEST(ThinCurve, JumpsKeepBothEnds) {
  ThinCurve thin;
  for (const CurvePoint point : {CurvePoint{0, 0}, {0, 0.001}, {0, 0.002}, {0.9, 0.002}})
    thin.add(point);
  EXPECT_THAT(thin.points(), ::testing::ElementsAre(CurvePoint{0, 0}, CurvePoint{0, 0.002},
                                                    CurvePoint{0.9, 0.002}));
}

}  // namespace
}  // namespace uad::report
