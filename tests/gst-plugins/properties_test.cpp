// SPDX-License-Identifier: LGPL-2.1-or-later
// Every property of every element, walked.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "tests/gst-plugins/fixture.h"

namespace uad::testing {
namespace {

constexpr int kMutability =
    GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PAUSED | GST_PARAM_MUTABLE_PLAYING;

/// A GValue that clears itself.
class Value {
 public:
  explicit Value(GType type) { g_value_init(&value_, type); }
  ~Value() { g_value_unset(&value_); }
  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;
  GValue* get() { return &value_; }

 private:
  GValue value_ = G_VALUE_INIT;
};

bool same(GParamSpec* spec, const GValue* a, const GValue* b) {
  if (G_IS_PARAM_SPEC_DOUBLE(spec)) {  // GLib finds NaN equal to everything
    const bool nan = std::isnan(g_value_get_double(a));
    if (nan || std::isnan(g_value_get_double(b))) return nan == std::isnan(g_value_get_double(b));
  }
  if (G_VALUE_HOLDS(a, GST_TYPE_STRUCTURE)) {  // GLib compares the pointers
    const auto* one = static_cast<const GstStructure*>(g_value_get_boxed(a));
    const auto* other = static_cast<const GstStructure*>(g_value_get_boxed(b));
    return one == other ||
           (one != nullptr && other != nullptr && gst_structure_is_equal(one, other));
  }
  return g_param_values_cmp(spec, a, b) == 0;
}

/// A legal value that is not the default.
void set_other(GParamSpec* spec, GValue* value) {
  g_param_value_set_default(spec, value);
  if (G_IS_PARAM_SPEC_STRING(spec)) {
    g_value_set_string(value, "other");
  } else if (G_IS_PARAM_SPEC_BOOLEAN(spec)) {
    g_value_set_boolean(value, !g_value_get_boolean(value));
  } else if (G_IS_PARAM_SPEC_INT(spec)) {
    const int now = g_value_get_int(value);
    g_value_set_int(value, now < G_PARAM_SPEC_INT(spec)->maximum ? now + 1 : now - 1);
  } else if (G_IS_PARAM_SPEC_DOUBLE(spec)) {
    const auto* range = G_PARAM_SPEC_DOUBLE(spec);
    g_value_set_double(value, std::clamp(0.25, range->minimum, range->maximum));
  } else if (G_IS_PARAM_SPEC_ENUM(spec)) {
    g_value_set_enum(value, g_value_get_enum(value) + 1);
  } else if (G_IS_PARAM_SPEC_BOXED(spec)) {
    g_value_take_boxed(value, gst_structure_new(spec->name, "k", G_TYPE_STRING, "5", "a",
                                                G_TYPE_STRING, "b", nullptr));
  } else {
    ADD_FAILURE() << "a type this test does not know: " << spec->name;
  }
}

/// What the element needs to start.
std::string least(const std::string& element, const std::string& model) {
  if (element == "uadoverlay") return element;
  return element + (element == "uadtrain" ? " output=" : " model=") + model;
}

class Properties : public ElementTest, public ::testing::WithParamInterface<const char*> {
 protected:
  Properties() : element_(gst_element_factory_make(GetParam(), nullptr)) {
    EXPECT_NE(element_, nullptr);
    guint count = 0;
    GParamSpec** all = g_object_class_list_properties(G_OBJECT_GET_CLASS(element_), &count);
    for (guint i = 0; i < count; ++i) {
      if (all[i]->owner_type == G_OBJECT_TYPE(element_)) own_.push_back(all[i]);
    }
    g_free(all);
  }
  ~Properties() override { gst_object_unref(element_); }
  GstElement* element_;
  std::vector<GParamSpec*> own_;
};

TEST_P(Properties, HaveNickAndBlurb) {
  ASSERT_FALSE(own_.empty());
  for (GParamSpec* spec : own_) {
    EXPECT_GT(std::strlen(g_param_spec_get_nick(spec)), 3U) << spec->name;
    EXPECT_GT(std::strlen(g_param_spec_get_blurb(spec)), 15U) << spec->name;
  }
}

TEST_P(Properties, NumbersAndTextsShowTheirUnitInNickAndBlurb) {
  for (GParamSpec* spec : own_) {
    if (G_IS_PARAM_SPEC_BOOLEAN(spec) || (spec->flags & G_PARAM_WRITABLE) == 0) continue;
    EXPECT_EQ(g_param_spec_get_nick(spec)[std::strlen(g_param_spec_get_nick(spec)) - 1], ')')
        << spec->name;
    EXPECT_EQ(g_param_spec_get_blurb(spec)[std::strlen(g_param_spec_get_blurb(spec)) - 1], ')')
        << spec->name;
  }
}

TEST_P(Properties, WritableOnesHaveExactlyOneMutabilityFlag) {
  for (GParamSpec* spec : own_) {
    const int flags = spec->flags & kMutability;
    const bool one = flags != 0 && (flags & (flags - 1)) == 0;
    EXPECT_EQ(one, (spec->flags & G_PARAM_WRITABLE) != 0) << spec->name;
  }
}

TEST_P(Properties, FreshValueIsTheDefault) {
  for (GParamSpec* spec : own_) {
    if ((spec->flags & G_PARAM_WRITABLE) == 0) continue;
    Value value(spec->value_type);
    g_object_get_property(G_OBJECT(element_), spec->name, value.get());
    EXPECT_TRUE(same(spec, value.get(), g_param_spec_get_default_value(spec))) << spec->name;
  }
}

TEST_P(Properties, ValueSurvivesSetAndGet) {
  for (GParamSpec* spec : own_) {
    if ((spec->flags & G_PARAM_WRITABLE) == 0) continue;
    Value other(spec->value_type);
    Value found(spec->value_type);
    set_other(spec, other.get());
    g_object_set_property(G_OBJECT(element_), spec->name, other.get());
    g_object_get_property(G_OBJECT(element_), spec->name, found.get());
    EXPECT_TRUE(same(spec, other.get(), found.get())) << spec->name;
    EXPECT_FALSE(same(spec, found.get(), g_param_spec_get_default_value(spec))) << spec->name;
  }
}

TEST_P(Properties, ThatAreNotMutableWhilePlayingAreRefusedWithTheStateNamed) {
  Harness h(least(GetParam(), model()));
  const auto element = h.element(GetParam());
  GObject* object = G_OBJECT(element.get());
  for (GParamSpec* spec : own_) {
    if ((spec->flags & kMutability) != GST_PARAM_MUTABLE_READY) continue;
    Value before(spec->value_type);
    Value other(spec->value_type);
    Value after(spec->value_type);
    g_object_get_property(object, spec->name, before.get());
    set_other(spec, other.get());
    g_object_set_property(object, spec->name, other.get());
    g_object_get_property(object, spec->name, after.get());
    EXPECT_TRUE(same(spec, before.get(), after.get())) << spec->name;
    const std::string warning = text_of(h.message(GST_MESSAGE_WARNING));
    EXPECT_NE(warning.find(spec->name), std::string::npos) << warning;
    EXPECT_NE(warning.find("PLAYING"), std::string::npos) << warning;
  }
}

INSTANTIATE_TEST_SUITE_P(OfEveryElement, Properties,
                         ::testing::Values("uadpreproc", "uadinfer", "uadoverlay", "uadtrain"),
                         [](const auto& info) { return std::string(info.param); });

using Thresholds = ElementTest;

TEST_F(Thresholds, NanThresholdCanBeWrittenAgain) {
  GstElement* element = gst_element_factory_make("uadinfer", nullptr);
  gdouble value = 0;
  g_object_set(element, "warn-threshold", 3.0, nullptr);
  gst_util_set_object_arg(G_OBJECT(element), "warn-threshold", "nan");
  g_object_get(element, "warn-threshold", &value, nullptr);
  EXPECT_TRUE(std::isnan(value));
  gst_object_unref(element);
}

}  // namespace
}  // namespace uad::testing
