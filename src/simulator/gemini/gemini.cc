// Connections and streams. A subscription of "l2" is two streams here, "l2:BTCUSD" and
// "trade:BTCUSD", and one of candles is "candles_1m:BTCUSD"; every connection has "heartbeat".
#include "simulator/gemini/gemini.h"

#include <algorithm>

#include "base/json.h"
#include "base/json_text.h"
#include "exchange/gemini/gemini.h"
#include "exchange/reading.h"

namespace candlewick::simulator {
namespace gemini {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view heartbeat = "heartbeat";
constexpr Duration heartbeat_period = 5s;
constexpr Duration book_slot = 100ms;
constexpr Duration candle_period = 1s;
constexpr std::size_t book_levels = 1000;
constexpr std::size_t first_candles = 60;
constexpr std::size_t first_trades = 50;

struct Subscription {
  std::string name;  // "l2", "candles_1m"
  std::string symbol;
};

struct Message {
  std::string type;
  std::vector<Subscription> subscriptions;
};

Result<Message> read_message(std::string_view text) {
  Message message;
  json::Reader reader;
  const auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "type") message.type = value.string();
      if (key != "subscriptions") return;
      value.elements([&](json::Value one) {
        std::string name;
        std::vector<std::string> symbols;
        one.members([&](std::string_view word, json::Value part) {
          if (word == "name") name = part.string();
          if (word == "symbols")
            part.elements([&](json::Value symbol) { symbols.emplace_back(symbol.string()); });
        });
        for (auto& symbol : symbols) message.subscriptions.push_back({name, std::move(symbol)});
      });
    });
  });
  if (!read) return fail(read.error());
  return message;
}

std::optional<Timeframe> timeframe_of(std::string_view name) {
  constexpr std::string_view root = "candles_";
  if (!name.starts_with(root)) return std::nullopt;
  name.remove_prefix(root.size());
  const auto timeframe = exchange::gemini::timeframe_of(name);
  return timeframe && exchange::gemini::stream_name_of(*timeframe) == name ? timeframe
                                                                           : std::nullopt;
}

std::string stream_of(std::string_view name, std::string_view symbol) {
  return fmt::format("{}:{}", name, symbol);
}

void append_changes(std::string& out, std::string_view side, const std::vector<Level>& levels) {
  for (const auto& level : levels) {
    if (out.back() != '[') out += ',';
    out +=
        fmt::format(R"(["{}","{}","{}"])", side, level.price.to_string(), level.size.to_string());
  }
}

std::string trade_text(const Subject& subject, const MarketTrade& trade) {
  return fmt::format(R"({{"type":"trade","symbol":"{}","event_id":{},"timestamp":{},"price":"{}",)"
                     R"("quantity":"{}","side":"{}"}})",
                     subject.instrument().exchange_symbol, trade.id,
                     to_ms(subject.told(trade.time)), trade.price.to_string(),
                     trade.size.to_string(), trade.taker_is_buyer ? "buy" : "sell");
}

// The brackets of the changes and the brace are left open.
std::string updates(std::string_view type, const Subject& subject) {
  return fmt::format(R"({{"type":"{}_updates","symbol":"{}","changes":[)", type,
                     subject.instrument().exchange_symbol);
}

std::string whole_book(const Subject& subject, Time at) {
  const Book book = book_on_grid(subject, book_slot, book_levels, at);
  std::string out = updates("l2", subject);
  append_changes(out, "buy", book.bids);
  append_changes(out, "sell", book.asks);
  out += R"(],"trades":[)";
  auto trades = subject.market.trades(subject.listing, Time{}, at, first_trades, true);
  std::ranges::reverse(trades);
  for (const auto& trade : trades) {
    if (out.back() != '[') out += ',';
    out += trade_text(subject, trade);
  }
  return out + R"(],"auction_events":[]})";
}

std::string newest_candles(const Subject& subject, std::string_view name, Timeframe timeframe,
                           Time at) {
  auto rows =
      subject.market.rows(subject.listing, timeframe, Time{}, at + 1ms, at, first_candles, true);
  std::ranges::reverse(rows);
  std::string out = updates(name, subject);
  for (const auto& row : rows) {
    if (out.back() != '[') out += ',';
    append_candle(out, row);
  }
  return out + "]}";
}

class HeartbeatFeed final : public Feed {
 public:
  HeartbeatFeed(const Faults& faults, Time now) : faults_(faults), told_(now) {}
  std::optional<Time> next() override { return next_multiple(told_, heartbeat_period); }
  bool emit(std::string& out) override {
    told_ = *next();
    out = fmt::format(R"({{"type":"heartbeat","timestamp":{}}})",
                      to_ms(told_ + faults_.settings().skew));
    return true;
  }
  int rank() const override { return 9; }

 private:
  const Faults& faults_;
  Time told_;
};

std::unique_ptr<Feed> make_feed(const std::string& name, const Subject& subject, Time now) {
  if (name == "l2") {
    return make_book_feed(subject, BookFrames::slots, book_slot, book_levels, now,
                          [subject](std::string& out, const BookChange& change) {
                            out = updates("l2", subject);
                            append_changes(out, "buy", change.bids);
                            append_changes(out, "sell", change.asks);
                            const bool is_same = out.back() == '[';
                            out += "]}";
                            if (is_same) out.clear();
                          });
  }
  if (name == "trade") {
    return make_trade_feed(subject, TradeGroups::single, now,
                           [subject](std::string& out, std::span<const MarketTrade> trades) {
                             out = trade_text(subject, trades.front());
                           });
  }
  const auto timeframe = timeframe_of(name);
  if (!timeframe) return nullptr;
  return make_candle_feed(subject, *timeframe, candle_period, now,
                          [name, subject](std::string& out, const FormingCandle& candle) {
                            out = updates(name, subject);
                            append_candle(out, candle.row);
                            out += "]}";
                          });
}

class Gemini final : public Protocol {
 public:
  Gemini(Market& market, const Faults& faults) : context_{market, faults} {}

  ProtocolLimits limits() const override {
    return {.weight_per_minute = 120, .connections_in_5_minutes = 300};
  }

  std::optional<Reply> open(const Request& request, Connection& connection) override {
    if (request.path != "/v2/marketdata" && request.path != "/v2/marketdata/")
      return Reply{.status = 404, .headers = {}, .body = "Not Found"};
    connection.streams.emplace_back(heartbeat);
    return std::nullopt;
  }

  Answer receive(Connection& connection, std::string_view text, SteadyTime, Time at) override {
    Answer answer;
    const auto message = read_message(text);
    const bool subscribes = message && message->type == "subscribe";
    if (!message || (!subscribes && message->type != "unsubscribe")) {
      answer.frames.push_back(error(400, "InvalidJson", "Unable to parse the message").body);
    } else if (!subscribes) {
      for (const auto& wanted : message->subscriptions) leave(connection, wanted);
    } else {
      take(connection, *message, at, answer);
    }
    return answer;
  }

  std::unique_ptr<Feed> feed(std::string_view stream, bool, Time now) override {
    if (stream == heartbeat) return std::make_unique<HeartbeatFeed>(context_.faults, now);
    const auto colon = stream.find(':');
    if (colon == std::string_view::npos) return nullptr;
    const auto listing = context_.market.find(stream.substr(colon + 1));
    if (!listing) return nullptr;
    return make_feed(std::string(stream.substr(0, colon)),
                     {context_.market, context_.faults, *listing}, now);
  }

  int weight(const Request&) const override { return 1; }
  RestSubject subject(const Request& request) const override {
    if (request.path.starts_with("/v2/candles/")) return RestSubject::candles;
    return request.path.starts_with("/v1/book/") ? RestSubject::book : RestSubject::other;
  }
  Reply rest(const Request& request, const RestView& view) override {
    return answer(context_, request, view);
  }
  Reply refuse(Refusal refusal, std::int64_t, Time) const override {
    switch (refusal) {
      case Refusal::too_many_requests:
      case Refusal::banned:
        return error(429, "RateLimit", "Requests were made too frequently");
      case Refusal::internal:
        return error(500, "InternalError", "The server encountered an error");
      case Refusal::timeout:
        return {.status = 504, .headers = {}, .body = {}};
      case Refusal::unavailable:
        return error(503, "Maintenance", "The system is down for maintenance");
      case Refusal::too_many_connections:
        return {.status = 429, .headers = {}, .body = {}};
      case Refusal::bad_gateway:
        break;
    }
    return {.status = 502,
            .headers = {{"Content-Type", "text/html"}},
            .body = "<html><head><title>502 Bad Gateway</title></head></html>"};
  }

 private:
  static void leave(Connection& connection, const Subscription& wanted) {
    const auto symbol = exchange::upper(wanted.symbol);
    std::erase(connection.streams, stream_of(wanted.name, symbol));
    if (wanted.name == "l2") std::erase(connection.streams, stream_of("trade", symbol));
  }

  // All that a message asks for or nothing.
  void take(Connection& connection, const Message& message, Time at, Answer& answer) const {
    for (const auto& wanted : message.subscriptions) {
      const auto symbol = exchange::upper(wanted.symbol);
      if (!context_.market.find(symbol) || context_.faults.has_vanished(symbol)) {
        const auto why = fmt::format("Supplied value '{}' is not a valid symbol", wanted.symbol);
        return answer.frames.push_back(error(400, "InvalidSymbol", why).body);
      }
      if (wanted.name != "l2" && !timeframe_of(wanted.name)) {
        const auto why = fmt::format("'{}' is no subscription", wanted.name);
        return answer.frames.push_back(error(400, "InvalidSubscription", why).body);
      }
    }
    for (const auto& wanted : message.subscriptions) {
      const auto symbol = exchange::upper(wanted.symbol);
      const Subject subject{context_.market, context_.faults, *context_.market.find(symbol)};
      auto& streams = connection.streams;
      const auto stream = stream_of(wanted.name, symbol);
      if (std::ranges::find(streams, stream) != streams.end()) continue;
      streams.push_back(stream);
      if (wanted.name == "l2") {
        streams.push_back(stream_of("trade", symbol));
        answer.frames.push_back(whole_book(subject, at));
      } else {
        answer.frames.push_back(
            newest_candles(subject, wanted.name, *timeframe_of(wanted.name), at));
      }
    }
  }

  Context context_;
};

}  // namespace
}  // namespace gemini

std::unique_ptr<Protocol> make_gemini(Market& market, const Faults& faults) {
  return std::make_unique<gemini::Gemini>(market, faults);
}

}  // namespace candlewick::simulator
