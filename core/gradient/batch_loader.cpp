// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/batch_loader.h"

#include <utility>

#include "core/distributed/shared_batch.h"

namespace uad {

BatchLoader::BatchLoader(const SampleStore& store, const BatchOrder& order, const Options& options)
    : store_(store),
      order_(order),
      options_(options),
      begun_(options.first),
      handed_out_(options.first) {
  for (int i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

BatchLoader::~BatchLoader() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

Batch BatchLoader::next() {
  std::unique_lock lock(lock_);
  const auto is_there = [&] { return made_.contains(handed_out_); };
  if (!is_there()) ++waits_;
  changed_.wait(lock, is_there);
  Made made = std::move(made_.extract(handed_out_++).mapped());
  lock.unlock();
  changed_.notify_all();
  if (made.failure) std::rethrow_exception(made.failure);
  return std::move(made.batch);
}

void BatchLoader::work(const std::stop_token& stop) {
  for (;;) {
    std::unique_lock lock(lock_);
    const auto has_room = [&] {
      return begun_ < options_.last &&
             begun_ < handed_out_ + static_cast<std::int64_t>(options_.ahead);
    };
    if (!changed_.wait(lock, stop, has_room)) return;
    const std::int64_t step = begun_++;
    lock.unlock();
    Made made;
    try {
      made.batch = make(step);
    } catch (...) {
      made.failure = std::current_exception();
    }
    lock.lock();
    made_.emplace(step, std::move(made));
    lock.unlock();
    changed_.notify_all();
  }
}

Batch BatchLoader::make(std::int64_t step) const {
  const std::vector<Draw> all = order_.batch(step);
  const Share share = share_of(std::ssize(all), options_.processes);
  std::vector<Draw> draws(all.begin() + share.first, all.begin() + share.first + share.count);
  std::vector<Sample> samples;
  std::vector<std::int64_t> labels;
  for (const Draw& draw : draws) {
    samples.push_back(augment(store_.sample(draw.sample), options_.augmentation, draw.seed));
    labels.push_back(store_.label(draw.sample));
  }
  Batch batch = store_.to_batch(samples, labels);
  batch.draws = std::move(draws);
  return batch;
}

}  // namespace uad
