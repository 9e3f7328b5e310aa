// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/settings.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/gradient/training_options.h"
#include "models/uf_gan/generator.h"

namespace uad::models::uf_gan {

namespace {

OptionSpec count(std::string name, std::int64_t value, std::string help, double least = 1) {
  return {.name = std::move(name),
          .type = OptionType::kInt,
          .default_value = value,
          .help = std::move(help),
          .minimum = least,
          .of_fit = true};
}

OptionSpec share(std::string name, double value, std::string help) {
  return {.name = std::move(name),
          .type = OptionType::kFloat,
          .default_value = value,
          .help = std::move(help),
          .minimum = 0,
          .maximum = 1,
          .of_fit = true};
}

OptionSpec of_model(OptionSpec spec) {
  spec.of_fit = false;
  return spec;
}

}  // namespace

std::vector<OptionSpec> option_specs() {
  return {
      of_model(share("anomaly_weight", 0.7,
                     "share of the pixels' error in the score; the rest is the features'")),
      learning_rate_option(0.002),
      share("meta_step_size", 0.25, "share of the way that the first outer iteration goes"),
      batch_size_option(25),
      count("meta_iters", 1500, "outer iterations"),
      count("inner_iters", 4, "passes over the task in each outer iteration"),
      count("eval_interval", 100,
            "outer iterations between two rows of the curves, each with the AUROC of --eval_data"),
      {.name = "best_model_weight",
       .type = OptionType::kBool,
       .default_value = true,
       .help = "keep the state of the best AUROC of --eval_data after iteration 300, at least 0.7; "
               "false = the last one",
       .of_fit = true},
      of_model(count("size", 128, "side of the network's input and width of its decoder", 32)),
      count("step_sliding", 20, "step of the window that looks for the flattest part of an image"),
      count("win_size", 128, "side of that window, pixels of the frame"),
      count("shots", 20, "images that are learnt from, chosen by how flat they are"),
      count("no_dataset", 0, "which thousand of the training images", 0),
      of_model(count("kernel_size", 4, "of the decoder's first four blocks")),
      count("task_size", 20, "crops drawn for an outer iteration, with repetition"),
      {.name = "first_level_feature",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "the first level compares features as well; published: it does not",
       .of_fit = true},
      {.name = "second_level",
       .default_value = "live",
       .help = "discriminator of the second level: live is the one that learns, as published; "
               "snapshot is a copy from the start of the outer iteration",
       .choices = {"live", "snapshot"},
       .of_fit = true},
      {.name = "statistics",
       .default_value = "running",
       .help = "of the batch norms: running as published, which takes 300 outer iterations to "
               "settle; reestimated averages them over the crops whenever they are used",
       .choices = {"running", "reestimated"},
       .of_fit = true},
      amp_option(),
      {.name = "recompute",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "train in less memory: parts of the networks are computed again for the backward "
               "pass instead of kept; the result is the same",
       .of_fit = true},
  };
}

std::map<std::string, std::string> short_names() {
  return {{"aw", "anomaly_weight"},
          {"lr", "learning_rate"},
          {"metastep", "meta_step_size"},
          {"bs", "batch_size"},
          {"metaiter", "meta_iters"},
          {"ii", "inner_iters"},
          {"ei", "eval_interval"},
          {"dn", "dataset_name"},
          {"sz", "size"},
          {"ss", "step_sliding"},
          {"ws", "win_size"},
          {"s", "shots"},
          {"nd", "no_dataset"},
          {"m", "mode"},
          {"rtd", "root_data_dir"},
          {"ted", "test_data"},
          {"trd", "train_data"},
          {"eld", "eval_data"},
          {"rd", "result_dir"},
          {"smd", "saved_model_dir"},
          {"bmw", "best_model_weight"},
          {"ks", "kernel_size"}};
}

Settings::Settings(const nlohmann::json& options)
    : anomaly_weight(options.at("anomaly_weight").get<double>()),
      learning_rate(options.at("lr").get<double>()),
      meta_step(options.at("meta_step_size").get<double>()),
      batch_size(options.at("batch_size").get<std::size_t>()),
      meta_iterations(options.at("meta_iters").get<std::int64_t>()),
      passes(options.at("inner_iters").get<std::int64_t>()),
      eval_interval(options.at("eval_interval").get<std::int64_t>()),
      size(options.at("size").get<std::int64_t>()),
      step(options.at("step_sliding").get<std::int64_t>()),
      window(options.at("win_size").get<std::int64_t>()),
      shots(options.at("shots").get<std::size_t>()),
      task_size(options.at("task_size").get<std::size_t>()),
      kernel(options.at("kernel_size").get<std::int64_t>()),
      first_level_feature(options.at("first_level_feature").get<bool>()),
      snapshot(options.at("second_level") == "snapshot"),
      reestimated(options.at("statistics") == "reestimated"),
      best(options.at("best_model_weight").get<bool>()),
      mixed(options.at("amp").get<bool>()),
      recompute(options.at("recompute").get<bool>()),
      chunk(options.at("no_dataset").get<std::size_t>()) {
  if (size % kSizeUnit != 0) {
    throw Error(
        ErrorCode::kBadOption,
        fmt::format("Option \"size\" must be a multiple of {}, but is {}.", kSizeUnit, size));
  }
}

std::int64_t Settings::steps_per_task() const {
  const auto batches = static_cast<std::int64_t>((task_size + batch_size - 1) / batch_size);
  return passes * batches;
}

}  // namespace uad::models::uf_gan
