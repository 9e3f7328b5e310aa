// SPDX-License-Identifier: LGPL-2.1-or-later
// Which samples every step sees. All of it follows from the seed and the number of the step, so a
// run that was interrupted goes on with the very batches it would have seen.
#pragma once

#include <cstdint>
#include <vector>

namespace uad {

/// Where a sample of a batch comes from.
struct Draw {
  std::size_t sample = 0;
  std::uint64_t seed = 0;  ///< of its augmentation: another one in every epoch
};

/// Immutable. @note Thread-safe.
class BatchOrder {
 public:
  struct Options {
    std::size_t samples = 0;
    std::size_t batch_size = 1;
    bool drop_last = false;  ///< leave out an epoch's last batch where it is not full
    bool endless =
        false;  ///< batches run on across epochs and are all full, as from a repeated list
    /// Instead of epochs: for each task so many samples are drawn, the same one perhaps again, and
    /// passed over in another order each time. No epoch, so neither of the above.
    std::size_t task_size = 0;  ///< 0 = no tasks
    std::int64_t task_passes = 1;
    std::uint64_t seed = 0;
  };
  /// @throws Error(kBadOption) without samples, or with fewer than a batch where `drop_last`.
  explicit BatchOrder(const Options& options);

  /// Batches of an epoch, or of a task; where they are endless, those after which every sample was
  /// seen once.
  [[nodiscard]] std::int64_t steps_per_epoch() const noexcept { return steps_per_epoch_; }
  /// Every epoch is a permutation of all samples. The same for equal options. @param step  from 0.
  [[nodiscard]] std::vector<Draw> batch(std::int64_t step) const;

 private:
  [[nodiscard]] Draw draw(std::uint64_t epoch, std::size_t position,
                          const std::vector<std::size_t>& order) const;
  [[nodiscard]] std::vector<std::size_t> permutation(std::uint64_t epoch) const;
  [[nodiscard]] std::vector<Draw> batch_of_task(std::uint64_t step) const;

  Options options_;
  std::int64_t steps_per_epoch_ = 0;
};

}  // namespace uad
