// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/gradient_fitter.h"

#include <set>
#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/data/split.h"

namespace uad {
namespace {

constexpr double kValidationShare = 0.2;

Tiles only(const Tiles& tiles, std::int64_t label) {
  const at::Tensor chosen = (tiles.labels == label).nonzero().flatten();
  const auto pick = [&](const at::Tensor& all) {
    return all.defined() ? all.index_select(0, chosen) : at::Tensor();
  };
  Tiles some{pick(tiles.images), pick(tiles.keep)};
  some.labels = pick(tiles.labels);
  some.masks = pick(tiles.masks);
  for (std::int64_t i = 0; i < chosen.size(0) && !tiles.names.empty(); ++i) {
    some.names.push_back(tiles.names.at(static_cast<std::size_t>(chosen[i].item<std::int64_t>())));
  }
  return some;
}

/// A run that is made longer, or goes on in smaller steps, stays the same run.
nlohmann::json without_what_may_change(nlohmann::json options) {
  if (!options.is_object()) return options;
  for (const char* key : {"epochs", "steps", "patience", "lr"}) options.erase(key);
  return options;
}

}  // namespace

GradientFitter::GradientFitter(const FitContext& context, LearnsFrom from, LoopOptions options,
                               std::unique_ptr<Learner> learner)
    : context_(context),
      from_(from),
      options_(std::move(options)),
      learner_(std::move(learner)),
      training_(context.input),
      validation_(context.input) {
  options_.seed = context.seed;
}

void GradientFitter::observe(const Tiles& tiles) {
  labelled_ = labelled_ || tiles.labels.defined();
  const bool all = from_ == LearnsFrom::kAll || !tiles.labels.defined();
  training_.add(all ? tiles : only(tiles, from_ == LearnsFrom::kDefective ? 1 : 0));
}

void GradientFitter::validate(const Tiles& tiles) { validation_.add(tiles); }

void GradientFitter::hold_out_for_validation() {
  if (validation_.size() > 0 || options_.best_by.empty()) return;
  if (training_.size() < 2) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Training needs at least 2 images to learn from, one of them to choose "
                            "the best epoch by, but saw {}. Add images.",
                            training_.size()));
  }
  // Seed 0 whatever that of the run, so that runs can be compared.
  const std::vector<std::string> kinds(training_.size());
  training_.move_to(validation_, stratified_hold_out(kinds, kValidationShare, 0).held_out);
}

/// Frames may have labels and yet leave nothing to learn from, where their masks are missing.
void GradientFitter::check_labels() const {
  if (training_.size() == 0 && from_ == LearnsFrom::kDefective) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Method {} learns from defective images with masks, but no defective "
                            "image had a mask. Add masks to --data.",
                            context_.method));
  }
  if (from_ != LearnsFrom::kAll || !labelled_) return;
  std::set<std::int64_t> labels;
  for (std::size_t i = 0; i < training_.size(); ++i) labels.insert(training_.label(i));
  if (labels.size() > 1) return;
  throw Error(ErrorCode::kBadOption,
              fmt::format("Method {} learns from good and from defective images, but what is left "
                          "to learn from is all {}. With --window, defective images need masks: "
                          "add them to --data, or leave --window out.",
                          context_.method, labels.contains(1) ? "defective" : "good"));
}

std::unique_ptr<AnomalyModel> GradientFitter::finish(const FitControl& control) {
  if (!loop_) {
    check_labels();
    hold_out_for_validation();
    loop_.emplace(*learner_, options_, training_, validation_, context_.run,
                  nlohmann::json{{"method", context_.method},
                                 {"options", without_what_may_change(context_.options)},
                                 {"weights", learner_->weights_sha256()},
                                 {"seed", context_.seed}});
  }
  loop_->run(control);
  return learner_->model();
}

std::int64_t GradientFitter::peak_bytes(std::int64_t times) const {
  if (training_.size() == 0) return 0;
  const Image& image = training_.sample(0).image;
  const Size crop = options_.augmentation.crop;
  const Size size = crop == Size{} ? Size{image.width, image.height} : crop;
  return times * training_.bytes() +
         learner_->step_bytes(static_cast<std::int64_t>(options_.batch_size), size.height,
                              size.width);
}

}  // namespace uad
