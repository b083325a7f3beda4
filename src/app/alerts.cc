// A test goes the way of a real alert, but once: whoever tries it waits for the answer.
#include "app/alerts.h"

#include <vector>

#include <fmt/format.h>

#include "alert/watch.h"
#include "app/command.h"
#include "app/table.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "net/http_client.h"

namespace candlewick::app {
namespace {

// "delivered", or why not.
std::string try_out(const alert::Receiver& receiver, net::HttpClient& http, const Clock& clock) {
  const alert::Message message{.name = "test",
                               .urgency = alert::Urgency::information,
                               .phase = alert::Phase::firing,
                               .summary = "Candlewick can reach you here",
                               .labels = {},
                               .at = clock.now(),
                               .since = clock.now()};
  const auto verdict = alert::judge(http.fetch(receiver.request(message)));
  return verdict.kind == alert::Verdict::Kind::delivered ? "delivered"
                                                         : receiver.redact(verdict.problem);
}

}  // namespace

int alerts(const LoadedConfig& loaded, const AlertsOptions& options) {
  const auto format = parse_format(options.format);
  if (!format) return report(format.error());
  const auto plan = alert::read_plan(loaded.config.alerts);
  if (!plan) return report(plan.error());
  if (options.is_test && plan->receivers.empty()) {
    return report({ErrorKind::misconfigured,
                   "nobody is told: set alerts.slack_url, alerts.discord_url, "
                   "alerts.telegram_token and alerts.telegram_chat, or alerts.webhook_url"});
  }
  const RealClock clock;
  net::HttpClient http({.ca_file = loaded.config.ca_file});
  bool is_well = true;
  Table table({"what", "which", "detail"});
  std::vector<std::string> lines;
  const auto add = [&](const char* what, const std::string& which, const std::string& detail) {
    table.add({what, which, detail});
    std::string line;
    json::Members members(line);
    members("what", what)("which", which)("detail", detail).close();
    lines.push_back(std::move(line));
  };
  for (const auto& receiver : plan->receivers) {
    std::string detail = receiver.host;
    if (options.is_test) {
      detail = try_out(receiver, http, clock);
      is_well = is_well && detail == "delivered";
    }
    add("receiver", receiver.name, detail);
  }
  for (const auto& threshold : plan->thresholds) add("threshold", threshold.text, "");
  print(table, *format, lines);
  return is_well ? done : failed;
}

}  // namespace candlewick::app
