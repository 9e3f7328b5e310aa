// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/protocol_run.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/data/image_source.h"
#include "core/data/protocol.h"
#include "core/distributed/exchange.h"
#include "core/distributed/processes.h"
#include "core/eval/continual.h"
#include "core/eval/evaluation.h"
#include "core/eval/report/run.h"
#include "core/files/sha256.h"
#include "core/input_options.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "core/training.h"
#include "models/registry.h"
#include "tools/common_options.h"
#include "tools/console.h"
#include "tools/data_sets.h"
#include "tools/interrupts.h"
#include "tools/protocol_file.h"
#include "tools/protocol_folder.h"
#include "tools/protocol_text.h"
#include "tools/report_file.h"
#include "tools/score_pictures.h"
#include "tools/train_request.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void refuse_other_methods(const Method& method) {
  if (method.incremental) return;
  std::vector<std::string> able;
  for (const Method& other : models::method_table()) {
    if (other.incremental) able.push_back(other.name);
  }
  throw UsageError(
      fmt::format("Method {} cannot go on learning from a model, as a protocol needs it. Those "
                  "that can are {}.",
                  method.name, fmt::join(able, ", ")));
}

/// What asks for something else than a protocol does. A configuration serves single trainings as
/// well: what it says of their data and output is left alone.
void refuse_other_options(const Arguments& args) {
  for (const char* name : {"category", "continue_from", "run_dir", "frames", "n_cv_folds",
                           "do_eval", "calibrate_on", "ratio", "save_path"}) {
    const std::string_view key = name;
    const bool of_single = key == "category" || key == "save_path";
    const std::vector<std::string>& set = of_single ? args.typed : args.given;
    if (std::ranges::find(set, key) == set.end()) continue;
    std::string option = name;
    std::ranges::replace(option, '_', '-');
    throw UsageError(fmt::format("--{} does not go with --protocol; leave it out.", option));
  }
  if (!args.has("output")) {
    throw UsageError("--output is missing: the folder for the models of the protocol.");
  }
}

/// The options of a task under the method's own names, checked.
json options_of(const ProtocolTask& task, const Method& method) {
  json own = json::object();
  try {
    const json all = complete_options(method.options, task.options);
    for (const OptionSpec& spec : method.options) {
      const auto given = [&](const std::string& name) { return task.options.contains(name); };
      if (given(spec.name) || std::ranges::any_of(spec.aliases, given)) {
        own[spec.name] = all[spec.name];
      }
    }
  } catch (const Error& error) {
    throw UsageError(fmt::format("In the protocol: {}", error.what()));
  }
  return own;
}

/// @throws UsageError if a later task changes what the model was made with.
std::vector<json> options_of_tasks(const Protocol& protocol, const Method& method) {
  std::vector<json> all;
  for (const ProtocolTask& task : protocol.tasks) {
    all.push_back(options_of(task, method));
    if (all.size() == 1) continue;
    for (const OptionSpec& spec : method.options) {
      if (spec.of_fit || !all.back().contains(spec.name)) continue;
      throw UsageError(
          fmt::format("Task {} of the protocol sets \"{}\", which a model keeps once it is made. "
                      "Set it in task 0 or on the command line.",
                      all.size() - 1, spec.name));
    }
  }
  return all;
}

class ProtocolRun {
 public:
  ProtocolRun(const Arguments& args, const Method& method)
      : args_(args),
        method_(method),
        protocol_(read_protocol(args.text("protocol"))),
        task_options_(options_of_tasks(protocol_, method)),
        root_(data_root(args)),
        folder_(args.text("output")) {
    require_products(protocol_, root_);
    for (const std::string& product : products_up_to(protocol_, last_task())) {
      data_.emplace(product, list_set(product, product_path(protocol_, root_, product), args_));
    }
  }

  json run() {
    const bool resume = args_.get<bool>("resume") ||
                        (args_.get<bool>("auto_resume") && fs::exists(folder_.record()));
    if (args_.has("first_task")) check_first_task();
    if (!resume) require_images(0);
    if (is_first_process()) begin(resume);
    follow_first();
    std::size_t task = 0;
    try {
      for (; task < protocol_.tasks.size(); ++task) {
        if (task == record_["tasks"].size()) learn(task);
        if (is_first_process()) judge(task);
        follow_first();
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCancelled) throw;
      throw Error(ErrorCode::kCancelled,
                  fmt::format("Ended in task {} of {}. The same command with --resume goes on.",
                              task, protocol_.tasks.size()));
    }
    if (is_first_process()) finish();
    return record_;
  }

 private:
  void begin(bool resume) {
    record_ = folder_.begin(setup(), resume);
    if (resume) {
      forget_lost_tasks();
      require_images(record_["tasks"].size());
    } else {
      record_ = empty_record();
    }
    tell_untested();
    folder_.write(record_);
  }

  /// The first of several processes writes and judges; the others wait for it and its record.
  void follow_first() {
    if (processes() == nullptr) return;
    processes()->wait_for_all();
    record_ = share_json(record_, *processes());
  }

  [[nodiscard]] std::size_t last_task() const { return protocol_.tasks.size() - 1; }

  /// What a run that goes on must share with the one that was cut.
  [[nodiscard]] json setup() const {
    json setup{{"method", method_.name}, {"protocol", to_json(protocol_)}};
    for (const OptionSpec& spec : method_.options) {
      setup["options"][spec.name] = args_.options.at(spec.name);
    }
    for (const OptionSpec& spec : input_option_specs()) {
      setup["input"][spec.name] = args_.options.at(spec.name);
    }
    for (const char* name : {"seed", "holdout", "no_refit", "sensitivity", "false_reject_rate",
                             "confidence", "part_of", "min_area", "no_images_in_model"}) {
      setup[name] = args_.options.at(name);
    }
    return setup;
  }

  [[nodiscard]] json empty_record() const {
    return {{"run", folder_.name()},  {"method", method_.name}, {"protocol", to_json(protocol_)},
            {"data", root_.string()}, {"setup", setup()},       {"tasks", json::array()}};
  }

  /// Tasks from the first one on whose model is no longer there are done again.
  void forget_lost_tasks() {
    json& tasks = record_["tasks"];
    for (std::size_t task = 0; task < tasks.size(); ++task) {
      if (fs::exists(folder_.model(task))) continue;
      note(fmt::format("\"{}\" is not there, so task {} and what follows are done again.",
                       folder_.model(task).string(), task));
      tasks.erase(tasks.begin() + static_cast<std::ptrdiff_t>(task), tasks.end());
    }
    if (tasks.empty()) return;
    const fs::path newest = folder_.model(tasks.size() - 1);
    if (sha256_of_file(newest) == tasks.back()["model_sha256"]) return;
    throw Error(ErrorCode::kBadFile,
                fmt::format("\"{}\" is not the model that was judged there. Remove it to learn "
                            "task {} again, or start anew without --resume.",
                            newest.string(), tasks.size() - 1));
  }

  /// Before hours of learning: whether all that is still to be learnt is there.
  void require_images(std::size_t first_task) const {
    for (std::size_t task = first_task; task < protocol_.tasks.size(); ++task) {
      static_cast<void>(items_of(task));
    }
  }

  void tell_untested() const {
    for (const auto& [product, data] : data_) {
      if (has_test_images(data, learns_labels(method_.name))) continue;
      note(fmt::format("\"{}\" has no test images, so {} has no figures.", data.path.string(),
                       product));
    }
  }

  /// The images of one task and no other.
  [[nodiscard]] std::vector<ImageItem> items_of(std::size_t task) const {
    std::vector<ImageItem> all;
    for (const std::string& product : protocol_.tasks.at(task).products) {
      const CategoryData& data = data_.at(product);
      if (is_video(data.path)) {
        throw UsageError(
            fmt::format("Product {} of the protocol is a video (\"{}\"); give it a "
                        "folder of images.",
                        product, data.path.string()));
      }
      for (ImageItem& item : split_items(data, training_split(method_.name), args_)) {
        item.product = product;  // whatever a list file calls it
        all.push_back(std::move(item));
      }
    }
    return all;
  }

  [[nodiscard]] TrainRequest request_of(std::size_t task) const {
    Arguments own = args_;
    own.options.update(task_options_[task]);
    if (task == 0) {
      return make_request(own, method_);
    }
    own.options["continue_from"] = folder_.model(task - 1).string();
    own.options["load_path"] = nullptr;  // of the first task alone
    own.given.clear();  // the model knows the rest; what is of the fit follows below
    TrainRequest request = make_request(own, method_);
    for (const OptionSpec& spec : method_.options) {
      if (spec.of_fit) request.options[spec.name] = own.options.at(spec.name);
    }
    return request;
  }

  /// What a model keeps for good must be what task 0 would have given it.
  void check_first_task() const {
    const fs::path file = args_.text("first_task");
    const auto refuse = [&](const std::string& what) {
      throw UsageError(
          fmt::format("\"{}\" cannot stand for the first task of the protocol: {}. Leave out "
                      "--first-task, or give the model of another run.",
                      file.string(), what));
    };
    const Manifest known = read_manifest(file);
    const TrainRequest request = request_of(0);
    if (known.method != method_.name) refuse(fmt::format("it is of method {}", known.method));
    if (!known.training.continued_from.empty()) refuse("it went on from another model");
    if (!known.products.empty() && known.products != protocol_.tasks[0].products) {
      refuse(fmt::format("it has learnt {}, not {}", fmt::join(known.products, ", "),
                         fmt::join(protocol_.tasks[0].products, ", ")));
    }
    if (known.input != request.preprocess.spec) refuse("it sees frames otherwise (see uad info)");
    const json wanted = complete_options(method_.options, request.options);
    for (const OptionSpec& spec : method_.options) {
      const json found = known.options.value(spec.name, json());
      if (found == wanted[spec.name]) continue;
      const std::string what =
          fmt::format("its {} is {}, not {}", spec.name, found.dump(), wanted[spec.name].dump());
      if (!spec.of_fit) refuse(what);
      note(fmt::format("the first task was learnt by another run, and {}.", what));
    }
  }

  [[nodiscard]] RunFolder run_of(std::size_t task) const {
    RunFolder run = folder_.run(task);
    if (args_.has("log_dir")) {
      run.logs = fs::path(args_.text("log_dir")) / folder_.name() / fmt::format("task-{}", task);
    }
    run.keep_all = args_.get<bool>("always_save");
    return run;
  }

  void take_first_task() {
    const std::string file = args_.text("first_task");
    folder_.take_first(file);
    const Manifest known = read_manifest(folder_.model(0));
    const std::string sha256 = sha256_of_file(folder_.model(0));
    add_done(0, known, sha256, static_cast<std::size_t>(known.training.images), 0);
    json& done = record_["tasks"].back();
    done["taken_from"] = file;
    // The other run has judged it on the same products already.
    const fs::path judged = fs::path(file).parent_path() / folder_.record().filename();
    if (fs::exists(judged)) {
      const json other = report::read_record(judged).value("tasks", json::array());
      const bool same = !other.empty() && other[0].value("model_sha256", "") == sha256 &&
                        other[0].value("learnt", json()) == done["learnt"];
      if (same && other[0].contains("results")) done["results"] = other[0]["results"];
    }
    folder_.write(record_);
  }

  void add_done(std::size_t task, const Manifest& manifest, const std::string& sha256,
                std::size_t images, double seconds) {
    record_["method"] = manifest.backbone.name.empty()
                            ? method_.name
                            : method_.name + " on " + manifest.backbone.name;
    json done = to_json(TaskResult{protocol_.tasks[task].products, {}});
    done["model"] = folder_.model(task).filename().string();
    done["model_sha256"] = sha256;
    done["images"] = images;
    done["seconds"] = seconds;
    record_["tasks"].push_back(std::move(done));
    folder_.write(record_);
  }

  void learn(std::size_t task) {
    if (task == 0 && args_.has("first_task")) {
      if (is_first_process()) take_first_task();
      return;
    }
    if (is_first_process()) {
      fmt::print(stderr, "task {} of {}: learning {}\n", task, protocol_.tasks.size(),
                 fmt::join(protocol_.tasks[task].products, ", "));
    }
    const auto start = std::chrono::steady_clock::now();
    const auto source = open_images(items_of(task), {.strict = args_.get<bool>("strict")});
    ModelFile file = [&] {
      ProgressBar bar;
      TrainRequest request = request_of(task);
      request.control = {.progress = bar.callback(), .cancel = interrupts_.enough()};
      if (method_.by_gradient && is_first_process()) request.run = run_of(task);
      return train(*source, request);
    }();
    if (!is_first_process()) return;
    tell_skipped(source->skipped());
    file.manifest.thresholds.min_area = args_.get<double>("min_area");
    const std::string sha256 = save_model_file(folder_.model(task), file);
    add_done(task, file.manifest, sha256, source->size() - source->skipped().size(),
             std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }

  /// What of a task has not been judged yet.
  void judge(std::size_t task) {
    json& done = record_["tasks"][task];
    TaskResult result = parse_task_result(done, folder_.record().string());
    const std::vector<std::string> products = products_up_to(protocol_, task);
    if (result.products.size() == products.size()) return;
    ProgressBar bar;
    const ModelPtr model =
        load_model(folder_.model(task), models::method_table(), execution_options(args_),
                   bar.callback(), interrupts_.enough());
    for (std::size_t i = result.products.size(); i < products.size(); ++i) {
      result.products.push_back(judged(*model, task, data_.at(products[i]), bar));
      print_result(result.products.back());
      done["results"] = to_json(result)["results"];
      folder_.write(record_);
    }
    print_averages(task, finished_tasks());
    record_["figures"] = figures();
    folder_.write(record_);
    folder_.write_page(record_);
  }

  [[nodiscard]] ProductResult judged(const Model& model, std::size_t task, const CategoryData& data,
                                     ProgressBar& bar) const {
    ProductResult result{data.name};
    const auto undefined = [&](const std::string& why) {
      result.undefined = {{"image_auroc", why}, {"pixel_auroc", why}};
      return result;
    };
    if (!has_test_images(data, learns_labels(method_.name))) {
      return undefined("there are no test images");
    }
    const auto test = open_split(data, judged_split(method_.name), args_);
    const TilePreprocessor preprocessor({model.manifest().input, model.mask()});
    ScorePictures pictures(args_, fmt::format("task-{}/{}", task, data.name));
    try {
      const Evaluation found =
          evaluate(model, preprocessor, *test,
                   {.visit = [&](const LabelledFrame& frame,
                                 const ModelOutput& output) { pictures.offer(frame, output); },
                    .progress = bar.callback(),
                    .stop = interrupts_.enough()});
      pictures.write(*test);
      result.image_auroc = found.image_auroc;
      result.pixel_auroc = found.pixels.auroc;
      result.test_sha256 = found.test_sha256;
      for (const char* key : {"image_auroc", "pixel_auroc"}) {
        const auto reason = found.undefined.find(key);
        if (reason != found.undefined.end()) result.undefined.insert(*reason);
      }
      return result;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kBadOption) throw;
      return undefined(error.what());  // none could be read, or the model has learnt from all
    }
  }

  [[nodiscard]] std::vector<TaskResult> finished_tasks() const {
    std::vector<TaskResult> tasks;
    std::size_t products = 0;
    for (const json& task : record_["tasks"]) {
      tasks.push_back(parse_task_result(task, folder_.record().string()));
      products += tasks.back().learnt.size();
      if (tasks.back().products.size() < products) tasks.pop_back();
    }
    return tasks;
  }

  [[nodiscard]] json figures() const {
    const std::vector<TaskResult> tasks = finished_tasks();
    const auto of = [&](ProductFigure figure) {
      return to_json(continual_figures(task_matrix(tasks, figure)));
    };
    return {{"image_auroc", of(&ProductResult::image_auroc)},
            {"pixel_auroc", of(&ProductResult::pixel_auroc)}};
  }

  void finish() {
    record_["figures"] = figures();
    record_["final"] = folder_.write_final(last_task());
    folder_.write(record_);
    folder_.write_page(record_);
    print_matrices(finished_tasks());
    fmt::print(stderr, "{}\n{}\n", folder_.final_model().string(), folder_.page().string());
  }

  const Arguments& args_;
  const Method& method_;
  Protocol protocol_;
  std::vector<json> task_options_;
  fs::path root_;
  std::map<std::string, CategoryData> data_;  // by product
  ProtocolFolder folder_;
  json record_;
  // A protocol cut short would be another protocol, so the first Ctrl-C ends it all.
  Interrupts interrupts_{"Ending; --resume will go on from here."};
};

}  // namespace

json run_protocol(const Arguments& args, const Method& method) {
  refuse_other_methods(method);
  refuse_other_options(args);
  return ProtocolRun(args, method).run();
}

}  // namespace uad::tools
