// Faults never apply here: this is what the others are measured against.
#include "simulator/control.h"

#include "base/json_text.h"
#include "market/event_json.h"
#include "simulator/feeds.h"
#include "simulator/venue_core.h"

namespace candlewick::simulator {
namespace {

using namespace std::chrono_literals;

Reply problem(int status, std::string_view message) {
  Reply reply{.status = status, .headers = {{"Content-Type", "application/json"}}, .body = {}};
  json::Members members(reply.body);
  members("error", message).close();
  return reply;
}

Reply json_reply(std::string body) {
  return {
      .status = 200, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
}

Result<Time> time_parameter(const Request& request, std::string_view name, Time otherwise) {
  const auto text = request.parameter(name);
  if (!text) return otherwise;
  return parse_time(*text);
}

Reply truth(const Request& request, VenueCore& core) {
  Market& market = core.market();
  const auto listing = market.resolve(request.parameter("symbol").value_or(""));
  if (!listing) return problem(400, "symbol: missing or not listed");
  const auto timeframe = parse_timeframe(request.parameter("timeframe").value_or(""));
  if (!timeframe) return problem(400, "timeframe: " + timeframe.error().message);
  const auto start = time_parameter(request, "start", market.known_from(*listing) - 24h * 31);
  const auto end = time_parameter(request, "end", core.now());
  if (!start) return problem(400, "start: " + start.error().message);
  if (!end) return problem(400, "end: " + end.error().message);

  Reply reply{.status = 200, .headers = {{"Content-Type", "application/x-ndjson"}}, .body = {}};
  constexpr std::size_t no_limit = ~std::size_t{0};
  const Time known = std::min(core.now(), market.known_until(*listing));
  for (const auto& row :
       market.rows(*listing, *timeframe, *start, *end, core.now(), no_limit, false)) {
    if (row.end_time > known) break;
    Candle candle;
    candle.origin.instrument = &market.listings()[*listing].instrument;
    candle.timeframe = *timeframe;
    candle.open_time = row.open_time;
    candle.open = row.bar.open;
    candle.high = row.bar.high;
    candle.low = row.bar.low;
    candle.close = row.bar.close;
    candle.volume = row.bar.volume;
    // A file of candles may know no more than this.
    if (market.knows_details(*listing)) {
      candle.quote_volume = row.bar.quote_volume;
      candle.trade_count = row.bar.count;
      candle.taker_buy_volume = row.bar.taker_volume;
      candle.taker_buy_quote_volume = row.bar.taker_quote_volume;
    }
    candle.is_closed = true;
    candle.source = Source::trades;
    append_json(reply.body, candle);
    reply.body += '\n';
  }
  return reply;
}

// The book and the figures of the day as of now, in one answer: of one instant.
Reply moment(const Request& request, VenueCore& core) {
  constexpr std::size_t levels = 5000;
  Market& market = core.market();
  const auto listing = market.resolve(request.parameter("symbol").value_or(""));
  if (!listing) return problem(400, "symbol: missing or not listed");
  const auto day = day_figures(market, *listing, core.now());
  const auto book = market.book(*listing, core.now(), levels);
  Reply reply{.status = 200, .headers = {{"Content-Type", "application/json"}}, .body = {}};
  json::Members members(reply.body);
  members("symbol", market.listings()[*listing].instrument.symbol)("virtual_time", core.now())(
      "last", day.bar.close)("last_size", day.last_size)("open", day.bar.open)(
      "high", day.bar.high)("low", day.bar.low)("volume", day.bar.volume)(
      "quote_volume", day.bar.quote_volume)("trade_count", day.bar.count);
  append_ladder(members.name("bids"), book.bids, levels);
  append_ladder(members.name("asks"), book.asks, levels);
  members.close();
  return reply;
}

Reply state(VenueCore& core) {
  std::string body;
  json::Members members(body);
  members("exchange", core.venue())("virtual_time", core.now())("start", core.start())(
      "speed", core.speed())("connections", core.connections())("streams", core.streams())(
      "frames", core.frames_sent())("requests", core.requests_answered());
  auto& symbols = members.name("symbols");
  symbols += '[';
  for (const auto& listing : core.market().listings()) {
    if (symbols.back() != '[') symbols += ',';
    json::append_string(symbols, listing.instrument.exchange_symbol);
  }
  symbols += ']';
  members.raw("faults", core.faults().settings_json()).raw("injected", core.faults().counts_json());
  members.close();
  return json_reply(std::move(body));
}

}  // namespace

Reply control(const Request& request, VenueCore& core) {
  const bool is_get = request.method == "GET";
  const bool is_post = request.method == "POST";
  if (request.path == "/_sim/truth" && is_get) return truth(request, core);
  if (request.path == "/_sim/moment" && is_get) return moment(request, core);
  if (request.path == "/_sim/state" && is_get) return state(core);
  if (request.path == "/_sim/faults" && is_get) return json_reply(core.faults().settings_json());
  if (request.path == "/_sim/faults" && is_post) {
    const auto changed = core.change_faults(request.body);
    if (!changed) return problem(400, changed.error().message);
    return json_reply(core.faults().settings_json());
  }
  if (request.path == "/_sim/connections" && is_post) {
    if (request.body == "cut") {
      core.cut_all();
    } else if (request.body == "silence") {
      core.silence_all();
    } else if (request.body == "shutdown") {
      core.announce_shutdown();
    } else {
      return problem(400, "one of: cut, silence, shutdown");
    }
    return state(core);
  }
  return problem(
      404,
      "one of: GET /_sim/truth, GET /_sim/moment, GET /_sim/state, POST /_sim/faults, POST "
      "/_sim/connections");
}

}  // namespace candlewick::simulator
