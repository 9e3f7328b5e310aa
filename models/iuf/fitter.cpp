// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/fitter.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/gradient/batch_order.h"
#include "models/iuf/start_weights.h"

namespace uad::models::iuf {

namespace {

constexpr std::size_t kBatch = 8;      // images that are looked at together
constexpr std::size_t kFewest = 5;     // held-out images that tell what is usual
constexpr double kLeastSpread = 0.01;  // of the mean: so even are no images
constexpr const char* kUnnamed = "product";

const IufModel* as_iuf(const AnomalyModel* model) {
  return model == nullptr ? nullptr : &dynamic_cast<const IufModel&>(*model);
}

Level level_of(const std::vector<double>& scores) {
  double mean = 0;
  for (const double score : scores) mean += score / static_cast<double>(scores.size());
  double square = 0;
  for (const double score : scores) square += (score - mean) * (score - mean);
  const auto count = static_cast<double>(std::max<std::size_t>(2, scores.size()));
  return {mean, std::max(std::sqrt(square / (count - 1)), kLeastSpread * std::abs(mean) + 1e-9)};
}

/// What may differ between a run and the one that goes on from its checkpoint.
nlohmann::json lasting(nlohmann::json options) {
  for (const char* key : {"epochs", "patience", "lr", "increment_lr"}) options.erase(key);
  return options;
}

}  // namespace

IufFitter::IufFitter(const FitContext& context)
    : context_(context),
      settings_(context.options),
      start_(as_iuf(context.start.get())),
      training_(context.input),
      validation_(context.input) {
  if (start_ != nullptr) {
    features_ = start_->features();
    for (const Product& product : start_->knowledge().products) products_.push_back(product.name);
    known_ = products_.size();
  } else {
    features_.emplace(context);
  }
}

std::int64_t IufFitter::class_of(const std::string& told) {
  const std::string given = told.empty() ? settings_.product : told;
  const std::string product = given.empty() ? kUnnamed : given;
  const auto found = std::ranges::find(products_, product);
  const auto index = found - products_.begin();
  if (index < static_cast<std::ptrdiff_t>(known_)) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("The model knows product \"{}\" already. Name another product, or "
                            "train a new model without continue-from.",
                            product));
  }
  if (found != products_.end()) return index;
  if (product.find('\n') != std::string::npos) {
    throw Error(ErrorCode::kBadOption, "The name of a product must be one line.");
  }
  if (settings_.classes > 0 && static_cast<std::int64_t>(products_.size()) >= settings_.classes) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Option \"classes\" leaves room for {} products, all taken ({}), but "
                            "\"{}\" is one more. Train with a larger \"classes\", or with 0.",
                            settings_.classes, fmt::join(products_, ", "), product));
  }
  products_.push_back(product);
  return index;
}

at::Tensor IufFitter::classes_of(const Tiles& tiles) {
  std::vector<std::int64_t> classes;
  for (std::int64_t i = 0; i < tiles.images.size(0); ++i) {
    classes.push_back(
        class_of(tiles.products.empty() ? "" : tiles.products.at(static_cast<std::size_t>(i))));
  }
  return at::tensor(classes, at::kLong);
}

void IufFitter::add(const Tiles& tiles, SampleStore& store) {
  Tiles labelled = tiles;
  labelled.labels = classes_of(tiles);
  store.add(labelled);
}

void IufFitter::observe(const Tiles& tiles) { add(tiles, training_); }

void IufFitter::validate(const Tiles& tiles) { add(tiles, validation_); }

Knowledge IufFitter::first_knowledge() const {
  const Image& image = training_.sample(0).image;
  const auto classes = std::max(static_cast<std::int64_t>(products_.size()), settings_.classes);
  Knowledge knowledge;
  if (start_ != nullptr) {
    knowledge = start_->knowledge();
    const NetworkShape& shape = knowledge.shape;
    if (image.height != shape.height * kCellSide || image.width != shape.width * kCellSide) {
      throw Error(ErrorCode::kBadOption,
                  fmt::format("The model to go on from sees {}x{} pixels, but the new frames give "
                              "{}x{}. Leave --resize and --window as the model has them.",
                              shape.width * kCellSide, shape.height * kCellSide, image.width,
                              image.height));
    }
    grow_classes(knowledge, classes, context_.seed);
  } else {
    knowledge.shape = settings_.shape(features_->channels(), classes, image.height, image.width);
    knowledge.weights = initial_weights(knowledge.shape, context_.seed);
    if (!context_.load_path.empty()) take_start_weights(context_.load_path, knowledge.weights);
    knowledge.memory.resize(constrained_layers().size());
  }
  for (std::size_t i = known_; i < products_.size(); ++i) {
    knowledge.products.push_back({products_[i], {}, {}});
  }
  return knowledge;
}

LoopOptions IufFitter::loop_options() const {
  const std::size_t batch = std::min(settings_.batch_size, training_.size());
  const auto steps = static_cast<std::int64_t>(training_.size() / batch);
  const bool constrained = start_ != nullptr && !settings_.finetune;
  LoopOptions options{.epochs = settings_.epochs,
                      .batch_size = batch,
                      .drop_last = true,
                      .seed = context_.seed,
                      .best_by = validation_.size() > 0 ? "error" : "",
                      .patience = settings_.patience};
  options.schedule.rate = constrained ? settings_.increment_rate : settings_.learning_rate;
  if (!constrained) {
    options.schedule.kind = Schedule::Kind::kStep;
    options.schedule.every = settings_.rate_epochs * steps;
  }
  options.augmentation.flip_horizontal = settings_.flip_horizontal;
  options.augmentation.flip_vertical = settings_.flip_vertical;
  options.augmentation.quarter_turns = settings_.rotate ? 3 : 0;
  return options;
}

void IufFitter::begin(const FitControl& control) {
  if (training_.size() == 0) {
    throw Error(ErrorCode::kBadOption, "IUF saw no image to learn from. Add images to --data.");
  }
  const LoopOptions options = loop_options();
  if (!settings_.augments()) kept_features_ = features_->of_all(training_, control);
  IufLearner::Task task{
      .start = first_knowledge(),
      .increment = start_ != nullptr,
      .known_classes = start_ != nullptr ? start_->knowledge().shape.classes : 0,
      .steps_per_epoch = static_cast<std::int64_t>(training_.size() / options.batch_size),
      .features = kept_features_,
      .validation_features =
          validation_.size() > 0 ? features_->of_all(validation_, control) : at::Tensor()};
  learner_.emplace(settings_, context_, *features_, std::move(task));
  loop_.emplace(*learner_, options, training_, validation_, context_.run,
                nlohmann::json{{"method", context_.method},
                               {"options", lasting(context_.options)},
                               {"products", products_},
                               {"known", known_},
                               {"weights", learner_->weights_sha256()},
                               {"seed", context_.seed}});
}

/// What the constrained layers put out for the products of this task joins what they did before.
void IufFitter::remember(Knowledge& knowledge) const {
  std::vector<std::vector<at::Tensor>> rows(knowledge.memory.size());
  for (std::size_t first = 0; first < training_.size(); first += kBatch) {
    const std::vector<at::Tensor> outputs =
        learner_->outputs(training_.range(first, first + kBatch));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].push_back(outputs[i].cpu());
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    knowledge.memory[i] = knowledge.memory[i].with(at::cat(rows[i]));
  }
}

/// By held-out images where there are enough, because those learnt from score lower.
void IufFitter::find_levels(Knowledge& knowledge, const FitControl& control) const {
  const IufModel raw(settings_, *features_, knowledge, {}, context_.execution);
  struct Scores {
    std::vector<double> score, peak;
  };
  std::vector<Scores> held_out(products_.size());
  std::vector<Scores> learnt(products_.size());
  for (const auto& [store, scores] :
       {std::pair{&validation_, &held_out}, std::pair{&training_, &learnt}}) {
    for (std::size_t i = 0; i < store->size(); ++i) {
      if (control.cancel.stop_requested()) {
        throw Error(ErrorCode::kCancelled, "The training was cancelled.");
      }
      const auto product = static_cast<std::size_t>(store->label(i));
      if (store == &training_ && held_out[product].score.size() >= kFewest) continue;
      const Batch batch = store->range(i, i + 1);
      const IufModel::Raw seen = raw.look(batch.images, batch.keep);
      scores->at(product).score.push_back(seen.score.item<double>());
      scores->at(product).peak.push_back(seen.peak.item<double>());
    }
  }
  for (std::size_t i = known_; i < products_.size(); ++i) {
    Scores& found = held_out[i];
    if (found.score.size() < kFewest) {
      found.score.insert(found.score.end(), learnt[i].score.begin(), learnt[i].score.end());
      found.peak.insert(found.peak.end(), learnt[i].peak.begin(), learnt[i].peak.end());
    }
    knowledge.products[i].score = level_of(found.score);
    knowledge.products[i].map = level_of(found.peak);
  }
}

std::unique_ptr<AnomalyModel> IufFitter::finish(const FitControl& control) {
  if (!loop_) begin(control);
  loop_->run(control);
  Knowledge knowledge = learner_->knowledge();
  remember(knowledge);
  find_levels(knowledge, control);
  return learner_->model(std::move(knowledge));
}

// Estimated: a sample's features besides its pixels, and what learning takes.
std::int64_t IufFitter::peak_bytes(std::int64_t times) const {
  if (training_.size() == 0) return 0;
  const Image& image = training_.sample(0).image;
  const std::int64_t tokens = image.height / kCellSide * (image.width / kCellSide);
  const auto features = static_cast<std::int64_t>(training_.size()) * tokens *
                        features_->channels() * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t batch =
      std::min<std::int64_t>(static_cast<std::int64_t>(settings_.batch_size),
                             times * static_cast<std::int64_t>(training_.size()));
  return times * (training_.bytes() + features) +
         training_bytes(settings_, batch, image.height, image.width);
}

}  // namespace uad::models::iuf
