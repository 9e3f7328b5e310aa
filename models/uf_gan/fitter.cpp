// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/fitter.h"

#include <algorithm>
#include <array>
#include <random>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "models/uf_gan/crop.h"

namespace uad::models::uf_gan {

namespace {

constexpr std::size_t kChunk = 1000;          // images; section 2
constexpr std::size_t kJudgedOfAClass = 100;  // the same
constexpr double kFairAuroc = 0.7;            // a best state has at least that; section 9, row 7
constexpr std::int64_t kUnsettled = 300;      // iterations before which nothing is judged

/// First and end of a chunk of nearly equal ones; the first are longer by one.
std::pair<std::size_t, std::size_t> chunk_of(std::size_t count, std::size_t number) {
  const std::size_t chunks = (count + kChunk - 1) / kChunk;
  if (number >= chunks) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Option \"no_dataset\" is {}, but {} images make {} chunk(s) of a "
                            "thousand, counted from 0. Set it to {} or less.",
                            number, count, chunks, chunks - 1));
  }
  const std::size_t length = count / chunks;
  const std::size_t longer = count % chunks;
  const std::size_t first = number * length + std::min(number, longer);
  return {first, first + length + (number < longer ? 1 : 0)};
}

template <class Value>
std::vector<Value> picked(const std::vector<Value>& all, const std::vector<std::size_t>& indices) {
  std::vector<Value> some;
  for (const std::size_t i : indices) some.push_back(all[i]);
  return some;
}

SampleStore picked(SampleStore& all, const std::vector<std::size_t>& indices,
                   const InputSpec& input) {
  SampleStore some(input);
  all.move_to(some, indices);
  return some;
}

}  // namespace

MuraFitter::MuraFitter(const FitContext& context)
    : context_(context),
      settings_(context.options),
      crops_(context.input),
      judged_(context.input) {}

void MuraFitter::observe(const Tiles& tiles) {
  const std::int64_t window = settings_.window;
  const std::int64_t height = tiles.images.size(2);
  const std::int64_t width = tiles.images.size(3);
  for (std::int64_t i = 0; i < tiles.images.size(0); ++i) {
    const std::string name = tiles.names.empty() ? fmt::format("#{}", levels_.size() + 1)
                                                 : tiles.names.at(static_cast<std::size_t>(i));
    if (height < window || width < window) {
      throw Error(ErrorCode::kBadOption,
                  fmt::format("\"{}\" has {}x{} pixels, fewer than the window of {} that UF-GAN "
                              "learns from. Set --win_size to {} or less.",
                              name, width, height, window, std::min(width, height)));
    }
    const Image frame = to_levels(tiles.images[i], context_.input);
    const FlatPart part =
        find_flat_part(frame, static_cast<int>(window), static_cast<int>(settings_.step));
    Tiles crop;
    crop.images = tiles.images.slice(0, i, i + 1)
                      .slice(2, part.origin.y, part.origin.y + window)
                      .slice(3, part.origin.x, part.origin.x + window);
    crop.names = {name};
    crops_.add(crop);
    levels_.push_back(part.levels);
    means_.push_back(tiles.frame_means[i].item<float>());
  }
}

void MuraFitter::validate(const Tiles& tiles) {
  if (!tiles.labels.defined()) return;
  judged_.add(tiles);
  for (std::int64_t i = 0; i < tiles.images.size(0); ++i) {
    judged_means_.push_back(tiles.frame_means[i].item<float>());
    judged_frames_.push_back(tiles.names.at(static_cast<std::size_t>(i)));
  }
}

void MuraFitter::choose() {
  const auto [first, end] = chunk_of(crops_.size(), settings_.chunk);
  std::vector<std::size_t> chosen =
      choose_shots({levels_.begin() + static_cast<std::ptrdiff_t>(first),
                    levels_.begin() + static_cast<std::ptrdiff_t>(end)},
                   settings_.shots);
  for (std::size_t& one : chosen) one += first;
  std::ranges::sort(chosen);
  if (chosen.size() < settings_.shots) {
    log(LogLevel::kWarning,
        fmt::format("UF-GAN learns from {} images, not from the {} that --shots asks for: there "
                    "are no more.",
                    chosen.size(), settings_.shots));
  }
  means_ = picked(means_, chosen);
  crops_ = picked(crops_, chosen, context_.input);
}

/// At most kJudgedOfAClass frames of each class, drawn with the seed.
void MuraFitter::choose_judged() {
  std::array<std::vector<std::size_t>, 2> frames;  // first samples of good and of defective ones
  for (std::size_t i = 0; i < judged_.size(); ++i) {
    if (i > 0 && judged_frames_[i] == judged_frames_[i - 1]) continue;
    frames.at(static_cast<std::size_t>(judged_.label(i))).push_back(i);
  }
  for (std::size_t kind = 0; kind < 2; ++kind) {
    if (!frames.at(kind).empty()) continue;
    throw Error(ErrorCode::kBadOption,
                fmt::format("The {} images of --eval_data are all {}; an AUROC needs both kinds. "
                            "Add {} ones, or leave --eval_data out.",
                            frames.at(1 - kind).size(), kind == 0 ? "defective" : "good",
                            kind == 0 ? "good" : "defective"));
  }
  std::mt19937_64 random(context_.seed);
  std::vector<std::size_t> chosen;
  for (std::vector<std::size_t>& kind : frames) {
    for (std::size_t i = kind.size(); i > 1; --i) std::swap(kind[i - 1], kind[random() % i]);
    kind.resize(std::min(kind.size(), kJudgedOfAClass));
    for (const std::size_t head : kind) {
      for (std::size_t i = head; i < judged_.size() && judged_frames_[i] == judged_frames_[head];
           ++i) {
        chosen.push_back(i);
      }
    }
  }
  std::ranges::sort(chosen);
  judged_means_ = picked(judged_means_, chosen);
  judged_frames_ = picked(judged_frames_, chosen);
  judged_ = picked(judged_, chosen, context_.input);
}

LoopOptions MuraFitter::loop_options() const {
  const std::int64_t per_task = settings_.steps_per_task();
  return {.steps = settings_.meta_iterations * per_task,
          .batch_size = settings_.batch_size,
          .schedule = {.rate = settings_.learning_rate},
          .seed = context_.seed,
          .round_steps = settings_.eval_interval * per_task,
          .task_size = settings_.task_size,
          .task_passes = settings_.passes,
          .best_by = judged_.size() > 0 && settings_.best ? "auroc" : "",
          .best_is_highest = true,
          .best_at_least = kFairAuroc,
          .best_after = kUnsettled * per_task};
}

void MuraFitter::begin() {
  choose();
  if (judged_.size() > 0) choose_judged();
  Shots shots;
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < crops_.size(); ++i) samples.push_back(crops_.sample(i));
  shots.crops = crops_.to_batch(samples, std::vector<std::int64_t>(samples.size())).images;
  shots.frame_means = at::tensor(means_, at::kFloat);
  shots.judged_means = at::tensor(judged_means_, at::kFloat);
  for (std::size_t i = 0; i < judged_frames_.size(); ++i) {
    const bool same = i > 0 && judged_frames_[i] == judged_frames_[i - 1];
    shots.judged_frames.push_back(i == 0 ? 0 : shots.judged_frames.back() + (same ? 0 : 1));
  }
  learner_.emplace(settings_, context_, std::move(shots));
  loop_.emplace(
      *learner_, loop_options(), crops_, judged_, context_.run,
      nlohmann::json{
          {"method", context_.method}, {"options", context_.options}, {"seed", context_.seed}});
}

std::unique_ptr<AnomalyModel> MuraFitter::finish(const FitControl& control) {
  if (!loop_) begin();
  loop_->run(control);
  return learner_->model();
}

std::int64_t MuraFitter::peak_bytes(std::int64_t times) const {
  return times * crops_.bytes() + training_bytes(settings_);
}

}  // namespace uad::models::uf_gan
