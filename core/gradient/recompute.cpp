// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/recompute.h"

#include <utility>

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/distributed/shared_batch.h"

namespace uad {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct KeptPart final : torch::CustomClassHolder {
  explicit KeptPart(NetworkPart part) : run(std::move(part)) {}
  NetworkPart run;
  BatchPart batch = current_batch();  // of the step, whichever thread goes back
};

class Recompute final : public torch::autograd::Function<Recompute> {
 public:
  // Gradients are off here.
  static variable_list forward(AutogradContext* context, at::TensorList list,
                               const NetworkPart& part) {
    const variable_list inputs = list.vec();
    context->save_for_backward(inputs);
    context->set_materialize_grads(false);
    context->saved_data["part"] = c10::IValue::make_capsule(c10::make_intrusive<KeptPart>(part));
    return part(inputs, /*again=*/false);
  }

  // A graph of its own that ends at copies of the inputs: nothing else is reached by it.
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto kept =
        c10::static_intrusive_pointer_cast<KeptPart>(context->saved_data["part"].toCapsule());
    variable_list inputs;
    variable_list asked;
    for (const at::Tensor& input : context->get_saved_variables()) {
      const bool wanted = context->needs_input_grad(inputs.size());
      inputs.push_back(input.detach().requires_grad_(wanted));
      if (wanted) asked.push_back(inputs.back());
    }
    const BatchScope scope(kept->batch);
    const c10::AutoGradMode with_gradients(true);
    variable_list outputs;
    variable_list of_outputs;
    const variable_list all = kept->run(inputs, /*again=*/true);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!gradients[i].defined() || !all[i].requires_grad()) continue;
      outputs.push_back(all[i]);
      of_outputs.push_back(gradients[i]);
    }
    variable_list found(inputs.size() + 1);  // one more for the part, which has none
    if (asked.empty() || outputs.empty()) return found;
    const variable_list answers = torch::autograd::grad(
        outputs, asked, of_outputs, /*retain_graph=*/false, /*create_graph=*/false,
        /*allow_unused=*/true);
    auto answer = answers.begin();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].requires_grad()) found[i] = *answer++;
    }
    return found;
  }
};

}  // namespace

std::vector<at::Tensor> recomputed(const std::vector<at::Tensor>& inputs, const NetworkPart& part) {
  return Recompute::apply(at::TensorList(inputs), part);
}

}  // namespace uad
