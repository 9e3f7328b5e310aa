// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/distributed/shared_batch.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/distributed/batch_norm.h"
#include "core/distributed/exchange.h"
#include "core/gradient/optimiser.h"
#include "core/gradient/recompute.h"
#include "tests/support/expect_error.h"
#include "tests/support/thread_processes.h"

namespace uad {
namespace {

using test::expect_error;
using test::run_together;

constexpr std::int64_t kSamples = 7;  // which no number of processes divides

/// A network with everything that mixes the samples of a batch, float64 but for its batch norm.
struct MixingNetwork {
  at::Tensor scale = at::full({2}, 0.7).requires_grad_(true);
  at::Tensor shift = at::full({2}, 0.1).requires_grad_(true);
  at::Tensor weight = at::tensor({0.3F, -0.2F}).view({1, 2, 1, 1}).requires_grad_(true);
  at::Tensor mean = at::zeros({2});
  at::Tensor variance = at::ones({2});

  [[nodiscard]] at::Tensor loss(const at::Tensor& x, const at::Tensor& kept) const {
    const at::Tensor y =
        batch_norm(x * weight.square(), {scale, shift, mean, variance}, true, 0.1, 1e-5);
    const at::Tensor squares = (y * weight).square();
    const at::Tensor ratio =
        sum_over_batch((squares * kept).sum()) / sum_over_batch(kept.sum()).clamp_min(1);
    const at::Tensor rows = gather_batch(y.mean({2, 3}));
    return squares.mean() + ratio + mean_over_batch(y.masked_select(kept.expand_as(y) > 0.5)) +
           rows.t().mm(rows).det().log1p();
  }
  [[nodiscard]] std::vector<at::Tensor> parameters() const { return {scale, shift, weight}; }
};

struct Found {
  double loss = 0;
  std::vector<at::Tensor> gradients;
  at::Tensor mean;
  at::Tensor variance;
};

Found found_by(int processes_count, std::int64_t samples) {
  at::manual_seed(5);
  const at::Tensor x = at::randn({samples, 2, 3, 4}) * 3 + 1;
  const at::Tensor kept = (at::rand({samples, 1, 3, 4}) < 0.6).to(at::kFloat);
  Found found;
  run_together(processes_count, [&](int rank) {
    const Share share = share_of(samples, processes());
    const BatchScope scope({share, processes()});
    const MixingNetwork network;
    Sgd optimiser(network.parameters(), {.momentum = 0});
    const at::Tensor loss = network.loss(x.narrow(0, share.first, share.count),
                                         kept.narrow(0, share.first, share.count));
    clear_gradients(optimiser);
    weighted_by_share(loss).backward();
    sum_gradients_over_batch(optimiser.parameters());
    std::map<std::string, double> figures{{"loss", loss.item<double>()}};
    average_over_batch(figures);
    if (rank > 0) return;
    found = {figures.at("loss"), {}, network.mean, network.variance};
    for (const at::Tensor& one : optimiser.parameters()) found.gradients.push_back(one.grad());
  });
  return found;
}

class SharedBatch : public ::testing::TestWithParam<int> {};

TEST_P(SharedBatch, LossGradientsAndStatisticsAreThoseOfOneProcess) {
  for (const std::int64_t samples : {kSamples, std::int64_t{2}}) {  // 2: too few to be shared
    const Found alone = found_by(1, samples);
    const Found together = found_by(GetParam(), samples);
    EXPECT_NEAR(together.loss, alone.loss, 1e-5 * std::abs(alone.loss));
    for (std::size_t i = 0; i < alone.gradients.size(); ++i) {
      EXPECT_TRUE(together.gradients[i].allclose(alone.gradients[i], 1e-4, 1e-6))
          << together.gradients[i] << alone.gradients[i];
    }
    EXPECT_TRUE(together.mean.allclose(alone.mean, 1e-5, 1e-7));
    EXPECT_TRUE(together.variance.allclose(alone.variance, 1e-5, 1e-7));
  }
}

INSTANTIATE_TEST_SUITE_P(Processes, SharedBatch, ::testing::Values(2, 3, 4));

TEST(SharedBatchShares, CoverTheBatchInOrder) {
  std::vector<std::int64_t> firsts(3);
  std::vector<std::int64_t> counts(3);
  run_together(3, [&](int rank) {
    const Share share = share_of(kSamples, processes());
    firsts[static_cast<std::size_t>(rank)] = share.first;
    counts[static_cast<std::size_t>(rank)] = share.count;
    EXPECT_EQ(share.total, kSamples);
    EXPECT_EQ(share_of(2, processes()).count, 2);  // fewer samples than processes
  });
  EXPECT_EQ(firsts, (std::vector<std::int64_t>{0, 2, 4}));
  EXPECT_EQ(counts, (std::vector<std::int64_t>{2, 2, 3}));
}

TEST(SharedBatchDraws, BelongToTheSamples) {
  const auto draw = [](at::IntArrayRef sizes) {
    at::manual_seed(1);
    return at::rand(sizes);
  };
  const at::Tensor alone = draw_over_batch({2, kSamples, 3}, 1, draw);
  std::vector<at::Tensor> parts(2);
  std::mutex one_generator;
  run_together(2, [&](int rank) {
    const Share share = share_of(kSamples, processes());
    const BatchScope scope({share, processes()});
    const std::lock_guard guard(one_generator);
    parts[static_cast<std::size_t>(rank)] = draw_over_batch({2, share.count, 3}, 1, draw);
  });
  EXPECT_TRUE(at::cat(parts, 1).equal(alone));
}

TEST(SharedBatchRecomputed, PartsAreRunAgainForTheSameBatch) {
  at::Tensor gradient;
  at::manual_seed(2);
  const at::Tensor x = at::randn({kSamples, 2, 3, 3});
  const auto run = [&](bool again) {
    run_together(2, [&](int rank) {
      const Share share = share_of(kSamples, processes());
      const BatchScope scope({share, processes()});
      const at::Tensor weight = at::full({2}, 0.5).requires_grad_(true);
      const NetworkPart part = [](const std::vector<at::Tensor>& in, bool) {
        return std::vector{batch_norm(in[0], {in[1], {}, {}, {}}, true, 0.1, 1e-5).exp()};
      };
      const std::vector<at::Tensor> in{x.narrow(0, share.first, share.count), weight};
      const at::Tensor y = (again ? recomputed(in, part) : part(in, false)).front();
      weighted_by_share(y.mean()).backward();
      sum_gradients_over_batch({weight});
      if (rank == 0) gradient = weight.grad();
    });
    return gradient;
  };
  const at::Tensor kept = run(false);
  EXPECT_TRUE(run(true).allclose(kept, 1e-5, 1e-7));
}

TEST(Exchange, RowsOfAllComeInTheOrderOfTheProcesses) {
  std::vector<at::Tensor> all(3);
  run_together(3, [&](int rank) {
    const auto own = static_cast<float>(rank);
    all[static_cast<std::size_t>(rank)] =
        gather_rows({at::full({rank, 2}, own), at::full({1, 2}, own + 0.5F)}, *processes());
  });
  const at::Tensor expected = at::tensor({0.5F, 1.0F, 1.5F, 2.0F, 2.0F, 2.5F});
  for (const at::Tensor& one : all) {
    EXPECT_TRUE(one.select(1, 0).equal(expected)) << one;
  }
}

TEST(Exchange, TextsAndTensorsAreThoseOfTheFirst) {
  run_together(2, [](int rank) {
    const TensorMap tensors{{"a", at::full({2}, rank + 1)}, {"b", at::full({}, rank, at::kLong)}};
    share_tensors(tensors, *processes());
    EXPECT_TRUE(tensors.at("a").equal(at::ones({2})));
    EXPECT_EQ(tensors.at("b").item<std::int64_t>(), 0);
    const auto shared =
        share_json({{"rank", rank}, {"none", rank == 0 ? std::nan("") : 0.0}}, *processes());
    EXPECT_EQ(shared.at("rank"), 0);
    EXPECT_TRUE(std::isnan(shared.at("none").get<double>()));
  });
}

TEST(Exchange, ADifferenceIsNamed) {
  const auto compare = [](int other) {
    run_together(2, [&](int rank) {
      require_same({{"seed", 3}, {"number of images", rank == 0 ? 12 : other}}, *processes());
    });
  };
  compare(12);
  expect_error(ErrorCode::kBadOption,
               {"Process 1 of 2 has another number of images than process 0: 11 instead of 12"},
               [&] { compare(11); });
}

}  // namespace
}  // namespace uad
