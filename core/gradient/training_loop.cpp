// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/training_loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/distributed/exchange.h"
#include "core/distributed/shared_batch.h"
#include "core/exec/thread_pool.h"
#include "core/gradient/batch_loader.h"
#include "core/gradient/run_checkpoint.h"

namespace uad {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kLast = "last.ckpt";
constexpr const char* kBest = "best.ckpt";
constexpr const char* kOptimiser = "optimiser.";

BatchOrder make_order(const LoopOptions& options, std::size_t samples) {
  return BatchOrder({.samples = samples,
                     .batch_size = options.batch_size,
                     .drop_last = options.drop_last,
                     .endless = options.epochs == 0,
                     .task_size = options.task_size,
                     .task_passes = options.task_passes,
                     .seed = options.seed});
}

void add(Figures& sums, const Figures& means, std::int64_t images) {
  for (const auto& [name, mean] : means) sums[name] += mean * static_cast<double>(images);
}

bool is_checkpoint(const std::string& name) {
  return name == kLast || name == kBest || (name.starts_with("step-") && name.ends_with(".ckpt"));
}

/// Files of an earlier run in this folder go into one named "earlier", so that a forgotten --resume
/// costs nothing. What an even earlier one left there goes.
void set_aside(const std::filesystem::path& folder) {
  if (folder.empty() || !std::filesystem::is_directory(folder)) return;
  std::vector<std::string> own;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (is_checkpoint(name) || is_curve_file(name)) own.push_back(name);
  }
  if (own.empty()) return;
  const std::filesystem::path earlier = folder / "earlier";
  std::filesystem::remove_all(earlier);
  std::filesystem::create_directories(earlier);
  for (const std::string& name : own) std::filesystem::rename(folder / name, earlier / name);
  log(LogLevel::kInfo, fmt::format("What an earlier run left in \"{}\" is now in \"{}\".",
                                   folder.string(), earlier.string()));
}

Figures divided(Figures sums, std::int64_t images) {
  for (auto& [name, sum] : sums) sum /= static_cast<double>(images);
  return sums;
}

}  // namespace

void to_json(nlohmann::json& json, const TrainingLoop::Progress& progress) {
  json = {{"step", progress.step},
          {"seconds", progress.seconds},
          {"first_loss", progress.first_loss},
          {"hopeless", progress.hopeless},
          {"best_step", progress.best_step},
          {"stale", progress.stale},
          {"sums", progress.sums},
          {"images", progress.images}};
  if (progress.best) json["best"] = *progress.best;
}

void from_json(const nlohmann::json& json, TrainingLoop::Progress& progress) {
  json.at("step").get_to(progress.step);
  json.at("seconds").get_to(progress.seconds);
  json.at("first_loss").get_to(progress.first_loss);
  json.at("hopeless").get_to(progress.hopeless);
  json.at("best_step").get_to(progress.best_step);
  json.at("stale").get_to(progress.stale);
  json.at("sums").get_to(progress.sums);
  json.at("images").get_to(progress.images);
  if (json.contains("best")) progress.best = json.at("best").get<double>();
}

TrainingLoop::TrainingLoop(Learner& learner, const LoopOptions& options,
                           const SampleStore& training, const SampleStore& validation,
                           const RunFolder& run, nlohmann::json identity)
    : learner_(learner),
      options_(options),
      training_(training),
      validation_(validation),
      run_(is_first_process() ? run : RunFolder()),
      identity_(std::move(identity)),
      order_(make_order(options, training.size())),
      round_(options.epochs > 0 ? order_.steps_per_epoch() : options.round_steps),
      total_(options.epochs > 0 ? options.epochs * order_.steps_per_epoch() : options.steps) {
  options_.schedule.total = total_;
  if (run_.path.empty()) return;  // nothing is stored, so nothing has to be recognised
  identity_["training images"] = training.sha256();
  identity_["validation images"] = validation.sha256();
}

void TrainingLoop::run(const FitControl& control) {
  join_pool();
  if (!curves_) {
    begin();
    begin_alike();
  }
  try {
    take_steps(control);
  } catch (const ProcessesLost& lost) {
    throw ProcessesLost(fmt::format("Training ended at step {} of {}. {}{}", progress_.step + 1,
                                    total_, lost.what(), left_to_go_on_from()));
  }
  save();
  use_best();
}

void TrainingLoop::take_steps(const FitControl& control) {
  BatchLoader loader(training_, order_,
                     {.augmentation = options_.augmentation,
                      .first = progress_.step,
                      .last = total_,
                      .processes = processes_});
  while (progress_.step < total_ && !ended_) {
    if (any_asked(control.cancel)) {
      save();
      throw Error(ErrorCode::kCancelled, "The training was cancelled.");
    }
    if (any_asked(control.enough) && progress_.step > 0) break;
    const auto start = Clock::now();
    take_step(loader.next());
    if (at_end_of_round()) end_round(control);
    progress_.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    report(control);
  }
}

void TrainingLoop::begin() {
  std::vector<TrainingRound> points;
  if (run_.logs.empty()) run_.logs = run_.path;
  if (!run_.path.empty()) {  // where it cannot be made, writing into it says so
    std::error_code failure;
    std::filesystem::create_directories(run_.path, failure);
  }
  if (!run_.resume) {
    set_aside(run_.path);
    if (run_.logs != run_.path) set_aside(run_.logs);
  }
  if (run_.resume && !run_.path.empty()) {
    const std::filesystem::path file = run_.path / kLast;
    if (!std::filesystem::exists(file)) {
      throw Error(ErrorCode::kNotFound,
                  fmt::format("There is nothing to go on from: \"{}\" does not exist. Start "
                              "without --resume, or name the folder of the run with --run-dir.",
                              file.string()));
    }
    const RunCheckpoint last = load_run_checkpoint(file, identity_);
    try {
      last.progress.at("points").get_to(points);
      last.progress.get_to(progress_);
    } catch (const nlohmann::json::exception&) {
      throw Error(ErrorCode::kBadFile,
                  fmt::format("The progress in checkpoint \"{}\" is damaged. Start anew without "
                              "--resume.",
                              file.string()));
    }
    restore(last.tensors, learner_.state(), file.string());
    if (progress_.best) {
      best_ = load_run_checkpoint(run_.path / kBest, identity_).tensors;
    }
    ended_ = !points.empty() && ends_early(points.back());  // by the limits of today
    saved_state_ = true;
    log(LogLevel::kInfo, fmt::format("Goes on from step {} of {} of \"{}\".", progress_.step,
                                     total_, file.string()));
  }
  curves_.emplace(run_.logs, std::move(points));
}

/// With the state that process 0 has: first weights, or those of a checkpoint.
void TrainingLoop::begin_alike() {
  if (processes_ == nullptr) return;
  const nlohmann::json first = share_json({{"progress", progress_},
                                           {"points", curves_->points()},
                                           {"ended", ended_},
                                           {"best", !best_.empty()}},
                                          *processes_);
  share_tensors(learner_.state(), *processes_);
  if (first.at("best").get<bool>() && best_.empty()) {
    for (const auto& [name, tensor] : weights()) best_[name] = tensor.detach().clone();
  }
  share_tensors(best_, *processes_);
  if (is_first_process()) return;
  first.at("progress").get_to(progress_);
  first.at("ended").get_to(ended_);
  curves_.emplace("", first.at("points").get<std::vector<TrainingRound>>());
}

/// Whether somebody asks any of the processes.
bool TrainingLoop::any_asked(const std::stop_token& stop) const {
  double asked = stop.stop_requested() ? 1 : 0;
  if (processes_ != nullptr) processes_->sum(std::span(&asked, 1));
  return asked > 0;
}

void TrainingLoop::take_step(const Batch& batch) {
  const Share share = share_of(std::ssize(order_.batch(progress_.step)), processes_);
  Figures figures;
  try {
    const BatchScope scope({share, processes_});
    const c10::AutoGradMode gradients(true);
    figures = learner_.step(batch, options_.schedule.at(progress_.step));
    average_over_batch(figures);
  } catch (const ProcessesLost&) {
    throw;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kFailed) throw;
    throw Error(
        ErrorCode::kFailed,
        fmt::format("Training stopped at {}: {}. Lower the learning rate, or look at these "
                    "images.{}",
                    where(), error.what(),
                    saved_state_ ? fmt::format(" \"{}\" holds a good state from before; --resume "
                                               "goes on from it, with another learning rate, too.",
                                               (run_.path / kLast).string())
                                 : ""));
  }
  if (progress_.step == 0) progress_.first_loss = figures.at("loss");
  add(progress_.sums, figures, share.total);
  progress_.images += share.total;
  ++progress_.step;
}

/// For an error; "" where nothing is stored.
std::string TrainingLoop::left_to_go_on_from() const {
  if (run_.path.empty()) return "";
  if (!saved_state_) return " No checkpoint was written yet: start again.";
  return fmt::format(
      " \"{}\" holds a whole state from before: the same command with --resume "
      "goes on from it.",
      (run_.path / kLast).string());
}

/// The step and its images, for an error.
std::string TrainingLoop::where() const {
  std::vector<std::string> names;
  for (const Draw& draw : order_.batch(progress_.step)) {
    names.push_back(training_.name(draw.sample));
  }
  constexpr std::size_t kShown = 8;
  std::string shown;
  for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i) {
    shown += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kShown) shown += fmt::format(" and {} more", names.size() - kShown);
  return fmt::format("step {} of {} (epoch {}, images {})", progress_.step + 1, total_,
                     progress_.step / order_.steps_per_epoch() + 1, shown);
}

bool TrainingLoop::at_end_of_round() const {
  return progress_.step % round_ == 0 || progress_.step == total_;
}

void TrainingLoop::end_round(const FitControl& control) {
  const TrainingRound point{
      .step = progress_.step,
      .epoch = static_cast<double>(progress_.step) / static_cast<double>(order_.steps_per_epoch()),
      .seconds = progress_.seconds,
      .learning_rate = options_.schedule.at(progress_.step - 1),
      .training = divided(std::exchange(progress_.sums, {}), progress_.images),
      .validation = validate()};
  progress_.images = 0;
  curves_->add(point);
  if (control.figure) {
    for (const auto& [name, value] : point.training) control.figure(name, value);
    for (const auto& [name, value] : point.validation) control.figure("val_" + name, value);
  }
  judge(point);
  save_now_and_then();
}

Figures TrainingLoop::validate() {
  Figures sums;
  const c10::NoGradGuard no_gradients;
  learner_.begin_validation();
  for (std::size_t first = 0; first < validation_.size(); first += options_.batch_size) {
    const Batch batch = validation_.range(first, first + options_.batch_size);
    add(sums, learner_.validate(batch), batch.images.size(0));
  }
  Figures figures = divided(std::move(sums), std::max<std::int64_t>(1, std::ssize(validation_)));
  figures.merge(learner_.end_validation());
  return processes_ == nullptr ? figures : share_json(figures, *processes_).get<Figures>();
}

/// Whether this was the best round, and whether it was the last.
void TrainingLoop::judge(const TrainingRound& point) {
  const double loss = point.training.at("loss");
  progress_.hopeless = loss > progress_.first_loss ? progress_.hopeless + 1 : 0;
  if (options_.hopeless_rounds > 0 && progress_.hopeless >= options_.hopeless_rounds) {
    throw Error(ErrorCode::kFailed,
                fmt::format("The loss has been above its first value {:.4g} for {} epochs, last "
                            "{:.4g}, so nothing is learnt. Lower the learning rate.",
                            progress_.first_loss, progress_.hopeless, loss));
  }
  const auto value = point.validation.find(options_.best_by);
  if (value != point.validation.end()) {
    if (!std::isfinite(value->second)) {
      throw Error(ErrorCode::kFailed,
                  fmt::format("Training stopped after step {} of {}: on held-out images the {} "
                              "became {}. Lower the learning rate.",
                              progress_.step, total_, value->first, value->second));
    }
    if (is_better(value->second)) {
      progress_.best = value->second;
      keep_best();
    } else {
      ++progress_.stale;
    }
  }
  ended_ = ends_early(point);
}

bool TrainingLoop::is_better(double value) const {
  if (progress_.step <= options_.best_after) return false;
  if (!options_.best_is_highest) return !progress_.best || value < *progress_.best;
  return value >= progress_.best.value_or(options_.best_at_least);
}

/// @param point  the last round.
bool TrainingLoop::ends_early(const TrainingRound& point) const {
  if (options_.patience > 0 && progress_.stale >= options_.patience) return true;
  const auto reached = point.training.find(options_.target_figure);
  constexpr double kRounding = 1e-9;  // of a mean: 0.98 of the images is not more than 0.98
  return reached != point.training.end() && reached->second > options_.target + kRounding;
}

TensorMap TrainingLoop::weights() {
  TensorMap state = learner_.state();
  std::erase_if(state, [](const auto& one) { return one.first.starts_with(kOptimiser); });
  return state;
}

void TrainingLoop::keep_best() {
  progress_.best_step = progress_.step;
  progress_.stale = 0;
  for (const auto& [name, tensor] : weights()) best_[name] = tensor.detach().clone();
  best_is_saved_ = false;
}

// Writing to disk takes as long as an epoch of a small set.
void TrainingLoop::save_now_and_then() {
  const std::chrono::duration<double> since = Clock::now() - saved_;
  if (since.count() >= options_.checkpoint_seconds) save();
}

void TrainingLoop::use_best() {
  if (!best_.empty()) {
    restore(best_, weights(), kBest);
  } else if (options_.best_is_highest && !options_.best_by.empty()) {
    log(LogLevel::kWarning,
        fmt::format("No {} after step {} reached {}, so the last weights are used.",
                    options_.best_by, options_.best_after, options_.best_at_least));
  }
}

void TrainingLoop::save() {
  if (run_.path.empty()) return;
  // First the best weights: the other file tells of them.
  if (!best_is_saved_) save_run_checkpoint(run_.path / kBest, {identity_, progress_, best_});
  best_is_saved_ = true;
  TensorMap tensors;
  for (const auto& [name, tensor] : learner_.state()) tensors[name] = tensor.detach();
  nlohmann::json progress = progress_;
  progress["points"] = curves_->points();
  save_run_checkpoint(run_.path / kLast, {identity_, std::move(progress), std::move(tensors)});
  if (run_.keep_all) {
    std::filesystem::copy_file(run_.path / kLast,
                               run_.path / fmt::format("step-{}.ckpt", progress_.step),
                               std::filesystem::copy_options::overwrite_existing);
  }
  saved_ = Clock::now();
  saved_state_ = true;
}

void TrainingLoop::report(const FitControl& control) const {
  if (!control.progress) return;
  const double share = static_cast<double>(progress_.step) / static_cast<double>(total_);
  const std::vector<TrainingRound>& points = curves_->points();
  const std::string loss =
      points.empty() ? "" : fmt::format(", loss {:.4g}", points.back().training.at("loss"));
  control.progress(share, options_.epochs > 0
                              ? fmt::format("epoch {} of {}{}",
                                            (progress_.step - 1) / order_.steps_per_epoch() + 1,
                                            options_.epochs, loss)
                              : fmt::format("step {} of {}{}", progress_.step, total_, loss));
}

}  // namespace uad
