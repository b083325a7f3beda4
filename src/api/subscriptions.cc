// What the service follows, and the order to follow something else.
#include <algorithm>

#include "api/resources.h"
#include "base/json.h"
#include "base/json_text.h"

namespace candlewick::api {
namespace {

constexpr std::size_t most_entries = 10'000;

void append_list(std::string& out, const std::vector<std::string>& entries) {
  out += '[';
  for (const auto& entry : entries) {
    if (out.back() != '[') out += ',';
    json::append_string(out, entry);
  }
  out += ']';
}

std::string text_of(const std::vector<FollowedVenue>& venues) {
  std::string out = R"({"data":[)";
  for (const auto& venue : venues) {
    if (out.back() != '[') out += ',';
    json::Members members(out);
    members("exchange", venue.exchange);
    append_list(members.name("selections"), venue.selections);
    append_list(members.name("symbols"), venue.symbols);
    append_list(members.name("not_listed"), venue.not_listed);
    append_list(members.name("pending"), venue.pending);
    members.close();
  }
  return out + "]}";
}

// {"exchanges":["binance"],"symbols":["BTC/USDT"]}, both of them, nothing else.
Result<Subscriptions> read_order(std::string_view body) {
  Subscriptions wanted;
  bool has_exchanges = false;
  bool has_symbols = false;
  json::Reader reader;
  const auto read = reader.read(body, [&](json::Value root) {
    root.members([&](std::string_view name, json::Value value) {
      const bool is_exchanges = name == "exchanges";
      if (!is_exchanges && name != "symbols")
        return value.reject("only \"exchanges\" and \"symbols\" are known");
      (is_exchanges ? has_exchanges : has_symbols) = true;
      auto& list = is_exchanges ? wanted.exchanges : wanted.symbols;
      value.elements([&](json::Value entry) {
        if (list.size() >= most_entries) return entry.reject("too many entries");
        const auto text = entry.string();
        if (std::ranges::find(list, text) == list.end()) list.emplace_back(text);
      });
    });
  });
  if (!read) return candlewick::fail(read.error());
  if (!has_exchanges || !has_symbols || wanted.exchanges.empty() || wanted.symbols.empty()) {
    return candlewick::fail(
        ErrorKind::malformed,
        "\"exchanges\" and \"symbols\" are needed, with an entry each at least");
  }
  return wanted;
}

}  // namespace

void answer_subscriptions(const Site& site, Call call) {
  call.json(
      text_of(site.backend.followed ? site.backend.followed() : std::vector<FollowedVenue>{}));
}

// Answered when it is done, which takes as long as the warehouse takes to tell what it remembers.
void put_subscriptions(const Site& site, Call call) {
  if (!site.backend.follow) {
    return call.fail(
        {.kind = &problems::method_not_allowed, .detail = "what this service follows is fixed"});
  }
  auto wanted = read_order(call.request().body);
  if (!wanted)
    return call.fail({.kind = &problems::invalid_body, .detail = wanted.error().message});
  site.questions.ask(
      std::move(call),
      [&site, wanted = std::move(*wanted)](warehouse::Database&, Call& asked) -> Result<void> {
        const auto done = site.backend.follow(wanted);
        if (done) {
          asked.json(text_of(site.backend.followed()));
        } else if (done.error().kind == ErrorKind::transient) {
          asked.fail({.kind = &problems::warehouse_unavailable,
                      .detail = done.error().message,
                      .retry_after_seconds = 5});
        } else {
          asked.fail({.kind = &problems::invalid_body, .detail = done.error().message});
        }
        return {};
      });
}

}  // namespace candlewick::api
