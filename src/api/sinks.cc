// How far each sink is.
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
  out += "]}";
  call.json(std::move(out));
}

}  // namespace candlewick::api
