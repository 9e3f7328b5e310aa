// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/recompute.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

namespace uad {
namespace {

using ::testing::ElementsAre;

/// Two outputs of an input and a weight, and how often it was run.
struct Curve {
  std::vector<at::Tensor> operator()(const std::vector<at::Tensor>& inputs, bool again) const {
    runs->push_back(again);
    const at::Tensor product = inputs[0] * inputs[1];
    return {product.sin(), product.square()};
  }
  std::shared_ptr<std::vector<bool>> runs = std::make_shared<std::vector<bool>>();
};

at::Tensor values(double from) {
  return (at::arange(4, at::kFloat) * 0.3 + from).requires_grad_(true);
}

TEST(Recompute, GivesTheValuesAndGradientsOfWhatKeepsEverything) {
  std::vector<at::Tensor> gradients;
  std::vector<at::Tensor> losses;
  for (const bool anew : {false, true}) {
    const at::Tensor x = values(0.1);
    const at::Tensor weight = values(-0.5);
    const at::Tensor entry = x.exp();  // something that the gradient goes on to
    const Curve curve;
    const auto found =
        anew ? recomputed({entry, weight}, curve) : curve({entry, weight}, /*again=*/false);
    losses.push_back((found[0] * 3 + found[1]).sum());
    losses.back().backward();
    gradients.insert(gradients.end(), {x.grad(), weight.grad()});
  }
  EXPECT_TRUE(losses[0].equal(losses[1]));
  EXPECT_TRUE(gradients[0].equal(gradients[2]));
  EXPECT_TRUE(gradients[1].equal(gradients[3]));
}

TEST(Recompute, RunsAPartAgainForTheBackwardPassAlone) {
  const at::Tensor x = values(0.1);
  const at::Tensor weight = values(0.2);
  const Curve curve;
  const auto found = recomputed({x, weight}, curve);
  EXPECT_THAT(*curve.runs, ElementsAre(false));
  found[0].sum().backward();
  EXPECT_THAT(*curve.runs, ElementsAre(false, true));
}

TEST(Recompute, AnOutputThatNobodyUsesHasNoGradient) {
  const at::Tensor x = values(0.1);
  const at::Tensor weight = values(0.2);
  recomputed({x, weight}, Curve())[1].sum().backward();
  EXPECT_TRUE(at::allclose(x.grad(), 2 * x.detach() * weight.detach().square()));
}

TEST(Recompute, GradientsReachOnlyWhatTheyAreAskedFor) {
  const at::Tensor x = values(0.1);
  const at::Tensor weight = values(0.2);
  const at::Tensor loss = recomputed({x, weight}, Curve())[0].sum();
  loss.backward({}, /*retain_graph=*/true, false, at::TensorList({x}));
  EXPECT_TRUE(x.grad().defined());
  EXPECT_FALSE(weight.grad().defined());
  loss.backward({}, false, false, at::TensorList({weight}));  // the graph serves a second time
  EXPECT_TRUE(weight.grad().defined());
}

TEST(Recompute, WithoutAnythingThatLearnsThereIsNoGraph) {
  const Curve curve;
  const auto found = recomputed({at::ones({2}), at::ones({2})}, curve);
  EXPECT_FALSE(found[0].requires_grad());
}

}  // namespace
}  // namespace uad
