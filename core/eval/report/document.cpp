// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/report/document.h"

#include <fmt/format.h>

#include "core/eval/report/charts.h"
#include "core/eval/report/html.h"
#include "core/eval/report/style.h"

namespace uad::report {

std::string section(const std::string& title, const std::string& body, int level) {
  return fmt::format("<section><h{0}>{1}</h{0}>{2}</section>\n", level, title, body);
}

std::string document(const std::string& title, const std::string& body,
                     const std::string& made_by) {
  // The policy keeps the promise: nothing is fetched, nothing is run.
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src 'unsafe-inline'\">\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n{2}<main>\n<h1>{0}</h1>\n{3}"
      "<footer>{4}</footer>\n</main>\n</body>\n</html>\n",
      escape(title), kStyle, chart_patterns(), body, escape(made_by));
}

}  // namespace uad::report
