// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/uadinfer_shadow.h"

#include <exception>

#include <nlohmann/json.hpp>

#include "gst-plugins/common/guarded.h"
#include "gst-plugins/common/result.h"

namespace uad::gst {
namespace {

constexpr char kNoLog[] = "Disagreements of the shadow are not logged: ";

std::string json_line(const Disagreement& found) {
  const nlohmann::ordered_json line = {{"utc", iso_8601(found.main->capture.utc_us)},
                                       {"frame", found.main->capture.frame},
                                       {"pts", found.main->capture.pts},
                                       {"model", found.main->model_name},
                                       {"verdict", to_string(found.main->verdict)},
                                       {"score", found.main->score},
                                       {"shadow", found.shadow->model_name},
                                       {"shadow_verdict", to_string(found.shadow->verdict)},
                                       {"shadow_score", found.shadow->score}};
  return line.dump();
}

}  // namespace

ShadowWorker::Events ShadowReport::events() {
  const auto not_compared = [this](const std::exception_ptr& reason, bool /*old_in_service*/) {
    post_warning(element_, reason, "The shadow is not compared: ");
  };
  return {{nullptr, not_compared},
          [this](const Disagreement& found) { on_differed(found); },
          [not_compared](const std::exception_ptr& reason) { not_compared(reason, false); }};
}

void ShadowReport::log_to(const std::string& file) {
  const std::lock_guard guard(lock_);
  log_.reset();
  log_fails_ = false;
  if (file.empty()) return;
  try {
    log_ = std::make_unique<LineLog>(file);
  } catch (...) {
    post_warning(element_, std::current_exception(), kNoLog);
  }
}

void ShadowReport::on_differed(const Disagreement& found) {
  if (found.news) {
    gst_element_post_message(element_,
                             shadow_message(element_, *found.main, *found.shadow).release());
  }
  write(found);
}

void ShadowReport::write(const Disagreement& found) {
  const std::lock_guard guard(lock_);
  if (!log_) return;
  try {
    log_->append(json_line(found));
    log_fails_ = false;
  } catch (...) {
    if (!log_fails_) post_warning(element_, std::current_exception(), kNoLog);
    log_fails_ = true;
  }
}

}  // namespace uad::gst
