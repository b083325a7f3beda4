// Connections and streams of WebSocket v2. A stream's name here is "book-100:BTC/USD". A symbol
// that is asked for by two is told to both by the same frames.
#include "simulator/kraken/kraken.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json.h"
#include "base/json_text.h"
#include "exchange/kraken/kraken.h"
#include "simulator/feeds.h"

namespace candlewick::simulator {
namespace kraken {
namespace {

using namespace std::chrono_literals;

constexpr Duration book_slot = 100ms;
constexpr Duration candle_period = 500ms;
constexpr Duration ticker_period = 100ms;
constexpr std::size_t checksum_levels = 10;
constexpr int volume_digits = 8;
constexpr std::string_view heartbeat = "heartbeat";
constexpr std::array<int, 5> depths{10, 25, 100, 500, 1000};
constexpr std::array<Timeframe, 7> timeframes{Timeframe::m1,  Timeframe::m5, Timeframe::m15,
                                              Timeframe::m30, Timeframe::h1, Timeframe::h4,
                                              Timeframe::d1};

struct Message {
  std::string method;
  std::string id;  // as JSON; empty: none
  std::string channel;
  std::vector<std::string> symbols;
  std::int64_t interval = 1;
  std::int64_t depth = 10;
  std::string trigger = "trades";
  std::optional<bool> snapshot;
};

Result<Message> read_message(std::string_view text) {
  Message message;
  json::Reader reader;
  const auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "method") message.method = value.string();
      if (key == "req_id") message.id = value.raw();
      if (key != "params" || value.type() != json::Type::object) return;
      value.members([&](std::string_view name, json::Value part) {
        if (name == "channel") message.channel = part.string();
        if (name == "interval") message.interval = part.integer();
        if (name == "depth") message.depth = part.integer();
        if (name == "event_trigger") message.trigger = part.string();
        if (name == "snapshot") message.snapshot = part.boolean();
        if (name == "symbol")
          part.elements([&](json::Value symbol) { message.symbols.emplace_back(symbol.string()); });
      });
    });
  });
  if (!read) return fail(read.error());
  return message;
}

// The part of a stream's name before the symbol; empty for a channel that does not exist.
std::string kind_of(const Message& message) {
  if (message.channel == "ohlc") return fmt::format("ohlc-{}", message.interval);
  if (message.channel == "book") return fmt::format("book-{}", message.depth);
  if (message.channel == "ticker") return "ticker-" + message.trigger;
  return message.channel == "trade" ? "trade" : "";
}

std::optional<Timeframe> timeframe_of(std::int64_t minutes) {
  const auto* found = std::ranges::find_if(timeframes, [&](Timeframe timeframe) {
    return length_of(timeframe) == std::chrono::minutes{minutes};
  });
  return found == timeframes.end() ? std::nullopt : std::optional{*found};
}

// What is wrong with the parameters beside the symbol; empty: nothing.
std::string_view misfit(const Message& message) {
  if (message.channel == "ohlc" && !timeframe_of(message.interval))
    return "Subscription ohlc interval not supported";
  if (message.channel == "book" && std::ranges::find(depths, message.depth) == depths.end())
    return "Subscription depth not supported";
  if (message.channel == "ticker" && message.trigger != "trades" && message.trigger != "bbo")
    return "Subscription event_trigger not supported";
  return kind_of(message).empty() ? "Subscription name invalid" : "";
}

class HeartbeatFeed final : public Feed {
 public:
  explicit HeartbeatFeed(Time now) : told_(now) {}
  std::optional<Time> next() override { return next_multiple(told_, 1s); }
  bool emit(std::string& out) override {
    told_ = *next();
    out += R"({"channel":"heartbeat"})";
    return true;
  }
  int rank() const override { return 9; }

 private:
  Time told_;
};

std::string begun(std::string_view channel, bool is_snapshot) {
  return fmt::format(R"({{"channel":"{}","type":"{}","data":[)", channel,
                     is_snapshot ? "snapshot" : "update");
}

std::string quoted(Time time) {
  std::string out;
  json::append(out, time);
  return out;
}

// One stream of one listing, written down.
struct Subscribed {
  Subject subject;
  const Listing& listing() const { return subject.market.listings()[subject.listing]; }
  const std::string& symbol() const { return subject.instrument().exchange_symbol; }
  std::string price(Decimal value) const { return price_text(listing(), value); }

  void append_candle(std::string& out, Timeframe timeframe, const Row& row) const {
    const Bar& bar = row.bar;
    out += fmt::format(
        R"({{"symbol":"{}","open":{},"high":{},"low":{},"close":{},"trades":{},"volume":{},"vwap":{},"interval_begin":{},"interval":{},"timestamp":{}}})",
        symbol(), price(bar.open), price(bar.high), price(bar.low), price(bar.close), bar.count,
        volume_text(bar.volume), price(mean_price(bar)), quoted(row.open_time),
        length_of(timeframe) / Duration{1min}, quoted(row.end_time));
  }
  void append_envelope_time(std::string& out, Time at) const {
    out += fmt::format(R"(],"timestamp":{}}})", quoted(subject.told(at)));
  }

  void append_ticker(std::string& out, const DayFigures& day) const {
    const Decimal percent = Decimal::multiply(day.change_share(), Decimal{100}).value_or(Decimal{});
    out += fmt::format(
        R"({{"symbol":"{}","bid":{},"bid_qty":{},"ask":{},"ask_qty":{},"last":{},"volume":{},"vwap":{},"low":{},"high":{},"change":{},"change_pct":{},"timestamp":{}}}]}})",
        symbol(), price(day.bid.price), volume_text(day.bid.size), price(day.ask.price),
        volume_text(day.ask.size), price(day.bar.close), volume_text(day.bar.volume),
        price(mean_price(day.bar)), price(day.bar.low), price(day.bar.high), price(day.change()),
        percent.to_fixed(2), quoted(subject.told(day.at)));
  }

  void append_trade(std::string& out, const MarketTrade& trade) const {
    if (out.back() != '[') out += ',';
    out += fmt::format(
        R"({{"symbol":"{}","side":"{}","price":{},"qty":{},"ord_type":"market","trade_id":{},"timestamp":{}}})",
        symbol(), trade.taker_is_buyer ? "buy" : "sell", price(trade.price),
        volume_text(trade.size), trade.id, quoted(trade.time));
  }

  void append_levels(std::string& out, std::string_view name,
                     const std::vector<Level>& levels) const {
    out += fmt::format(R"("{}":[)", name);
    for (const auto& level : levels) {
      if (out.back() != '[') out += ',';
      out += fmt::format(R"({{"price":{},"qty":{}}})", price(level.price), volume_text(level.size));
    }
    out += "],";
  }
  void append_book(std::string& out, const std::vector<Level>& bids, const std::vector<Level>& asks,
                   std::uint64_t step, Time at) const {
    const Book best = subject.market.book_steps(subject.listing)->book(step, checksum_levels);
    out += fmt::format(R"({{"symbol":"{}",)", symbol());
    append_levels(out, "bids", bids);
    append_levels(out, "asks", asks);
    out += fmt::format(
        R"("checksum":{},"timestamp":{}}}]}})",
        exchange::kraken::checksum(best.bids, best.asks, listing().price_digits, volume_digits),
        quoted(subject.told(at)));
  }
  // Levels that are pushed out of sight are not told: the client forgets them by itself.
  static void drop_out_of_sight(std::vector<Level>& changes, const std::vector<Level>& side,
                                std::size_t depth, bool descending) {
    if (side.size() < depth) return;
    const Decimal last = side.back().price;
    std::erase_if(changes, [&](const Level& level) {
      return descending ? level.price < last : level.price > last;
    });
  }
};

std::unique_ptr<Feed> make_candles(const Subscribed& stream, Timeframe timeframe, Time now) {
  return make_candle_feed(stream.subject, timeframe, candle_period, now,
                          [stream, timeframe](std::string& out, const FormingCandle& candle) {
                            if (!candle.row.bar.any)
                              return;  // nothing is said of a period without trades
                            out += begun("ohlc", false);
                            stream.append_candle(out, timeframe, candle.row);
                            stream.append_envelope_time(out, candle.at);
                          });
}

std::unique_ptr<Feed> make_book(const Subscribed& stream, std::size_t depth, Time now) {
  return make_book_feed(stream.subject, BookFrames::slots, book_slot, depth, now,
                        [stream, depth](std::string& out, const BookChange& change) {
                          auto* steps = stream.subject.market.book_steps(stream.subject.listing);
                          const Book book = steps->book(change.number, depth);
                          auto bids = change.bids;
                          auto asks = change.asks;
                          Subscribed::drop_out_of_sight(bids, book.bids, depth, true);
                          Subscribed::drop_out_of_sight(asks, book.asks, depth, false);
                          if (bids.empty() && asks.empty()) return;
                          out += begun("book", false);
                          stream.append_book(out, bids, asks, change.number, change.at);
                        });
}

std::unique_ptr<Feed> make_ticker(const Subscribed& stream, std::string_view trigger, Time now) {
  if (trigger == "bbo") {
    return make_ladder_feed(
        stream.subject, ticker_period, 1, now, [stream](std::string& out, const Book&, Time at) {
          out += begun("ticker", false);
          stream.append_ticker(out, day_figures(stream.subject.market, stream.subject.listing, at));
        });
  }
  return make_ticker_feed(stream.subject, ticker_period, now,
                          [stream](std::string& out, const DayFigures& day) {
                            out += begun("ticker", false);
                            stream.append_ticker(out, day);
                          });
}

class Kraken final : public Protocol {
 public:
  Kraken(Market& market, const Faults& faults) : context_{market, faults} {}

  // Public calls are counted by address, about one a second and some in advance; an address may
  // connect 150 times in ten minutes.
  ProtocolLimits limits() const override {
    return {.weight_per_minute = 120, .connections_in_5_minutes = 75};
  }

  std::optional<Reply> open(const Request& request, Connection&) override {
    if (request.path == "/v2") return std::nullopt;
    return page(404, "Not Found");
  }

  std::vector<std::string> greet(Connection& connection, Time) override {
    return {fmt::format(
        R"({{"channel":"status","type":"update","data":[{{"version":"2.0.10","system":"online","api_version":"v2","connection_id":{}}}]}})",
        connection.id + 9'000'000'000'000'000'000U)};
  }

  Answer receive(Connection& connection, std::string_view text, SteadyTime, Time at) override;
  std::unique_ptr<Feed> feed(std::string_view stream, bool, Time now) override;

  int weight(const Request&) const override { return 1; }
  RestSubject subject(const Request& request) const override {
    if (request.path == "/0/public/Depth") return RestSubject::book;
    return request.path == "/0/public/OHLC" ? RestSubject::candles : RestSubject::other;
  }
  Reply rest(const Request& request, const RestView& view) override {
    return answer(context_, request, view);
  }
  Reply refuse(Refusal refusal, std::int64_t retry_after_seconds, Time) const override;

 private:
  void subscribe(Connection& connection, const Message& message, const std::string& symbol, Time at,
                 Answer& answer);
  void append_snapshot(const Message& message, const Subscribed& stream, Time at, Answer& answer);
  // What stands at the end of each answer.
  std::string tail(const Message& message, Time at) const {
    const auto time = quoted(at + context_.faults.settings().skew);
    return fmt::format(R"({}"time_in":{},"time_out":{}}})",
                       message.id.empty() ? "" : fmt::format(R"("req_id":{},)", message.id), time,
                       time);
  }
  std::string refusal(const Message& message, std::string_view symbol, std::string_view why,
                      Time at) const {
    std::string out = R"({"error":)";
    json::append_string(out, why);
    out += ",\"method\":";
    json::append_string(out, message.method);
    out += ",\"success\":false,";
    if (!symbol.empty()) {
      out += "\"symbol\":";
      json::append_string(out, symbol);
      out += ',';
    }
    return out + tail(message, at);
  }
  std::optional<Subscribed> stream_of(std::string_view symbol) const {
    const auto listing = context_.market.find(symbol);
    if (!listing || context_.faults.has_vanished(symbol)) return std::nullopt;
    return Subscribed{{context_.market, context_.faults, *listing}};
  }

  Context context_;
};

Answer Kraken::receive(Connection& connection, std::string_view text, SteadyTime, Time at) {
  Answer answer;
  const auto message = read_message(text);
  if (!message) {
    answer.frames.push_back(refusal({}, "", "Malformed request", at));
    return answer;
  }
  if (message->method == "ping") {
    answer.frames.push_back(R"({"method":"pong",)" + tail(*message, at));
    return answer;
  }
  if (message->method != "subscribe" && message->method != "unsubscribe") {
    answer.frames.push_back(refusal(*message, "", "Event(s) not found", at));
    return answer;
  }
  if (const auto why = misfit(*message); !why.empty()) {
    answer.frames.push_back(refusal(*message, "", why, at));
    return answer;
  }
  for (const auto& symbol : message->symbols) {
    if (message->method == "subscribe") {
      subscribe(connection, *message, symbol, at, answer);
      continue;
    }
    const bool is_gone = std::erase(connection.streams, kind_of(*message) + ":" + symbol) > 0;
    answer.frames.push_back(
        is_gone
            ? fmt::format(
                  R"({{"method":"unsubscribe","result":{{"channel":"{}","symbol":"{}"}},"success":true,)",
                  message->channel, symbol) +
                  tail(*message, at)
            : refusal(*message, symbol, "Subscription Not Found", at));
  }
  return answer;
}

void Kraken::subscribe(Connection& connection, const Message& message, const std::string& symbol,
                       Time at, Answer& answer) {
  const auto stream = stream_of(symbol);
  if (!stream) {
    answer.frames.push_back(refusal(message, symbol, "Currency pair not supported " + symbol, at));
    return;
  }
  const auto name = kind_of(message) + ":" + symbol;
  if (std::ranges::find(connection.streams, name) != connection.streams.end()) {
    answer.frames.push_back(refusal(message, symbol, "Already subscribed", at));
    return;
  }
  if (connection.streams.empty()) connection.streams.emplace_back(heartbeat);
  connection.streams.push_back(name);
  std::string extra;
  if (message.channel == "book") extra = fmt::format(R"("depth":{},)", message.depth);
  if (message.channel == "ohlc") extra = fmt::format(R"("interval":{},)", message.interval);
  if (message.channel == "ticker") extra = fmt::format(R"("event_trigger":"{}",)", message.trigger);
  const bool has_snapshot = message.snapshot.value_or(message.channel != "trade");
  answer.frames.push_back(
      fmt::format(
          R"({{"method":"subscribe","result":{{"channel":"{}",{}"snapshot":{},"symbol":"{}"}},"success":true,)",
          message.channel, extra, has_snapshot, symbol) +
      tail(message, at));
  if (has_snapshot) append_snapshot(message, *stream, at, answer);
}

void Kraken::append_snapshot(const Message& message, const Subscribed& stream, Time at,
                             Answer& answer) {
  Market& market = context_.market;
  const auto listing = stream.subject.listing;
  std::string out = begun(message.channel, true);
  if (message.channel == "book") {
    if (market.book_steps(listing) == nullptr) return;
    const auto depth = static_cast<std::size_t>(message.depth);
    const Book book = book_on_grid(stream.subject, book_slot, depth, at);
    stream.append_book(out, book.bids, book.asks, book.sequence,
                       next_multiple(at, book_slot) - book_slot);
  } else if (message.channel == "ohlc") {
    const auto timeframe = *timeframe_of(message.interval);
    for (const auto& row :
         market.rows(listing, timeframe, at - 10 * length_of(timeframe), at + 1ns, at, 10, true)) {
      if (out.back() != '[') out += ',';
      stream.append_candle(out, timeframe, row);
    }
    stream.append_envelope_time(out, at);
  } else if (message.channel == "ticker") {
    stream.append_ticker(out, day_figures(market, listing, at));
  } else {
    for (const auto& trade : market.trades(listing, at - 24h, at, 50, true))
      stream.append_trade(out, trade);
    out += "]}";
  }
  answer.frames.push_back(std::move(out));
}

std::unique_ptr<Feed> Kraken::feed(std::string_view name, bool, Time now) {
  if (name == heartbeat) return std::make_unique<HeartbeatFeed>(now);
  const auto colon = name.find(':');
  const auto kind = name.substr(0, colon);
  const auto stream = stream_of(name.substr(colon + 1));
  if (!stream) return nullptr;
  const auto dash = std::min(kind.find('-'), kind.size());
  const auto channel = kind.substr(0, dash);
  const auto rest = kind.substr(std::min(dash + 1, kind.size()));
  if (channel == "ticker") return make_ticker(*stream, rest, now);
  if (channel == "trade") {
    return make_trade_feed(stream->subject, TradeGroups::orders, now,
                           [stream](std::string& out, std::span<const MarketTrade> trades) {
                             out += begun("trade", false);
                             for (const auto& trade : trades) stream->append_trade(out, trade);
                             out += "]}";
                           });
  }
  std::int64_t number = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (channel == "book") return make_book(*stream, static_cast<std::size_t>(number), now);
  const auto timeframe = timeframe_of(number);
  return timeframe ? make_candles(*stream, *timeframe, now) : nullptr;
}

Reply Kraken::refuse(Refusal refusal, std::int64_t retry_after_seconds, Time) const {
  const auto limited = [&](std::string_view words) {
    Reply reply = page(429, words);
    reply.headers.set("Retry-After", fmt::format("{}", retry_after_seconds));
    return reply;
  };
  switch (refusal) {
    case Refusal::too_many_requests:
      return error("EAPI:Rate limit exceeded");
    case Refusal::internal:
      return error("EGeneral:Internal error");
    case Refusal::banned:
      return limited("error code: 1015");
    case Refusal::too_many_connections:
      return limited("Too Many Requests");
    case Refusal::bad_gateway:
      return page(502, "502 Bad Gateway");
    case Refusal::timeout:
      return page(504, "504 Gateway Time-out");
    case Refusal::unavailable:
      break;
  }
  return page(503, "503 Service Unavailable");
}

}  // namespace

Reply error(std::string_view words) {
  std::string body = R"({"error":[)";
  json::append_string(body, words);
  return {.status = 200,
          .headers = {{"Content-Type", "application/json; charset=utf-8"}},
          .body = body + "]}"};
}

Reply page(int status, std::string_view words) {
  return {.status = status,
          .headers = {{"Content-Type", "text/html; charset=UTF-8"}},
          .body = fmt::format("<html><head><title>{}</title></head></html>", words)};
}

Decimal mean_price(const Bar& bar) {
  return Decimal::divide(bar.quote_volume, bar.volume).value_or(Decimal{});
}

std::string price_text(const Listing& listing, Decimal price) {
  return price.to_fixed(listing.price_digits);
}

std::string volume_text(Decimal volume) {
  return volume.to_fixed(volume_digits);
}

}  // namespace kraken

std::unique_ptr<Protocol> make_kraken(Market& market, const Faults& faults) {
  return std::make_unique<kraken::Kraken>(market, faults);
}

}  // namespace candlewick::simulator
