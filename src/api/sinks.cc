// How far each sink is, and how full the log that they read.
#include "api/health.h"
#include "api/resources.h"

namespace candlewick::api {

void answer_sinks(const Site& site, Call call) {
  const Time now = site.backend.clock.now();
  std::string out = R"({"data":[)";
  if (site.backend.sinks) {
    for (const auto& sink : site.backend.sinks()) {
      if (out.back() != '[') out += ',';
      append_sink(out, sink, now);
    }
  }
  out += R"(],"log":)";
  const auto log = site.backend.log ? site.backend.log() : std::nullopt;
  if (log) {
    append_log(out, *log);
  } else {
    out += "null";
  }
  out += '}';
  call.json(std::move(out));
}

}  // namespace candlewick::api
