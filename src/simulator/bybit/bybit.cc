// Connections and streams, which are named by their topics. A frame of the book tells one step of
// the market, whose number is `u`: so the numbers are consecutive, whoever subscribed when.
#include "simulator/bybit/bybit.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json.h"
#include "base/json_text.h"
#include "exchange/bybit/bybit.h"

namespace candlewick::simulator {
namespace bybit {
namespace {

using namespace std::chrono_literals;

constexpr Duration ticker_period = 50ms;
constexpr Duration candle_period = 1s;
constexpr std::size_t most_topics_a_message = 10;
constexpr std::string_view connection_id = "db3158a0-8960-44b9-a9de-ac350ee13158";

struct Depth {
  std::string_view name;
  std::size_t levels;
  Duration slot;
};
constexpr std::array<Depth, 4> depths{
    {{"1", 1, 10ms}, {"50", 50, 20ms}, {"200", 200, 100ms}, {"1000", 1000, 200ms}}};

struct Message {
  std::optional<std::string> id;
  std::string operation;
  std::vector<std::string> topics;
};

Result<Message> read_message(std::string_view text) {
  Message message;
  json::Reader reader;
  const auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "req_id") message.id = value.raw();
      if (key == "op") message.operation = value.string();
      if (key == "args")
        value.elements([&](json::Value topic) { message.topics.emplace_back(topic.string()); });
    });
  });
  if (!read) return fail(read.error());
  return message;
}

std::string reply(const Message& message, bool success, std::string_view said) {
  std::string out;
  json::Members members(out);
  members("success", success)("ret_msg", said)("conn_id", connection_id);
  members.optional("req_id", message.id);
  members("op", std::string_view(message.operation)).close();
  return out;
}

// "orderbook.50.BTCUSDT"
struct Topic {
  std::string_view kind;
  std::string_view detail;  // depth or interval
  std::string_view symbol;
};

Topic take_apart(std::string_view topic) {
  const auto first = topic.find('.');
  const auto last = topic.rfind('.');
  if (first == std::string_view::npos) return {};
  return {topic.substr(0, first),
          first == last ? std::string_view{} : topic.substr(first + 1, last - first - 1),
          topic.substr(last + 1)};
}

std::string head(std::string_view topic, std::string_view type, Time told) {
  return fmt::format(R"({{"topic":"{}","type":"{}","ts":{},"data":)", topic, type, to_ms(told));
}

std::string book_frame(std::string_view topic, std::string_view type, std::string_view symbol,
                       const BookChange& change, Time told) {
  std::string out = head(topic, type, told) + fmt::format(R"({{"s":"{}","b":)", symbol);
  append_levels(out, change.bids);
  out += ",\"a\":";
  append_levels(out, change.asks);
  return out +
         fmt::format(R"(,"u":{},"seq":{}}},"cts":{}}})", change.number, change.number, to_ms(told));
}

class Bybit final : public Protocol {
 public:
  Bybit(Market& market, const Faults& faults) : context_{market, faults} {}

  // 600 requests in 5 seconds, and 500 connections in 5 minutes.
  ProtocolLimits limits() const override {
    return {.weight_per_minute = 7200, .connections_in_5_minutes = 500};
  }

  std::optional<Reply> open(const Request& request, Connection& /*connection*/) override {
    if (request.path == "/v5/public/spot") return std::nullopt;
    return Reply{.status = 404, .headers = {}, .body = "404 page not found"};
  }

  Answer receive(Connection& connection, std::string_view text, SteadyTime, Time at) override {
    Answer answer;
    const auto message = read_message(text);
    if (!message) {
      answer.frames.push_back(reply({}, false, "error:request is not a valid JSON"));
    } else if (message->operation == "ping") {
      answer.frames.push_back(reply(*message, true, "pong"));
    } else if (message->operation == "unsubscribe") {
      for (const auto& topic : message->topics) std::erase(connection.streams, topic);
      answer.frames.push_back(reply(*message, true, ""));
    } else if (message->operation == "subscribe") {
      subscribe(connection, *message, at, answer);
    } else {
      answer.frames.push_back(reply(*message, false, "error:invalid op"));
    }
    return answer;
  }

  std::unique_ptr<Feed> feed(std::string_view stream, bool, Time now) override {
    const auto subject = subject_of(take_apart(stream));
    return subject ? make(std::string(stream), *subject, now) : nullptr;
  }

  int weight(const Request&) const override { return 1; }
  RestSubject subject(const Request& request) const override {
    if (request.path.ends_with("/kline")) return RestSubject::candles;
    return request.path.ends_with("/orderbook") ? RestSubject::book : RestSubject::other;
  }
  Reply rest(const Request& request, const RestView& view) override {
    return answer(context_, request, view);
  }
  Reply refuse(Refusal refusal, std::int64_t retry_after_seconds, Time now) const override {
    switch (refusal) {
      case Refusal::too_many_requests: {
        Reply limited = error(429, 10429, "System level frequency protection", now);
        limited.headers.set("Retry-After", fmt::format("{}", retry_after_seconds));
        return limited;
      }
      case Refusal::banned:
        return error(403, 403, "access too frequent", now);
      case Refusal::internal:
        return error(200, 10016, "Internal server error", now);
      case Refusal::timeout:
        return error(200, 10000, "Server Timeout", now);
      case Refusal::too_many_connections:
        return {.status = 403, .headers = {}, .body = "access too frequent"};
      case Refusal::bad_gateway:
      case Refusal::unavailable:
        break;
    }
    const bool is_gateway = refusal == Refusal::bad_gateway;
    return {.status = is_gateway ? 502 : 503,
            .headers = {{"Content-Type", "text/html"}},
            .body = is_gateway
                        ? "<html><head><title>502 Bad Gateway</title></head></html>"
                        : "<html><head><title>503 Service Unavailable</title></head></html>"};
  }

 private:
  std::optional<Subject> subject_of(const Topic& topic) const {
    const auto listing = context_.market.find(topic.symbol);
    if (!listing || context_.faults.has_vanished(topic.symbol)) return std::nullopt;
    return Subject{context_.market, context_.faults, *listing};
  }

  // All of it or, if one topic is wrong, none.
  void subscribe(Connection& connection, const Message& message, Time at, Answer& answer) {
    if (message.topics.size() > most_topics_a_message)
      return answer.frames.push_back(reply(message, false, "args size >10"));
    for (const auto& topic : message.topics) {
      const auto subject = subject_of(take_apart(topic));
      if (!subject || make(topic, *subject, at) == nullptr) {
        return answer.frames.push_back(
            reply(message, false, "error:handler not found,topic:" + topic));
      }
      if (std::ranges::find(connection.streams, topic) != connection.streams.end()) {
        return answer.frames.push_back(
            reply(message, false, "error:already subscribed,topic:" + topic));
      }
    }
    answer.frames.push_back(reply(message, true, "subscribe"));
    for (const auto& topic : message.topics) {
      connection.streams.push_back(topic);
      begin(topic, *subject_of(take_apart(topic)), at, answer);
    }
  }

  // What a new subscription is told at once.
  static void begin(const std::string& topic, const Subject& subject, Time at, Answer& answer) {
    const auto [kind, detail, symbol] = take_apart(topic);
    if (kind == "tickers") {
      std::string out;
      write_ticker(out, topic, subject, day_figures(subject.market, subject.listing, at));
      answer.frames.push_back(std::move(out));
    } else if (const auto* depth = depth_of(kind, detail)) {
      Book book = book_on_grid(subject, depth->slot, depth->levels, at);
      answer.frames.push_back(book_frame(topic, "snapshot", symbol,
                                         {.before = 0,
                                          .number = book.sequence,
                                          .at = at,
                                          .bids = std::move(book.bids),
                                          .asks = std::move(book.asks)},
                                         subject.told(at)));
    }
  }

  static const Depth* depth_of(std::string_view kind, std::string_view detail) {
    if (kind != "orderbook") return nullptr;
    const auto* const depth = std::ranges::find(depths, detail, &Depth::name);
    return depth == depths.end() ? nullptr : depth;
  }

  static std::unique_ptr<Feed> make(const std::string& topic, const Subject& subject, Time now) {
    const auto [kind, detail, symbol_text] = take_apart(topic);
    const std::string symbol(symbol_text);
    if (const auto* depth = depth_of(kind, detail)) {
      if (depth->levels == 1) {
        return make_ladder_feed(
            subject, depth->slot, 1, now,
            [topic, symbol, subject](std::string& out, const Book& book, Time at) {
              out = book_frame(topic, "snapshot", symbol,
                               {0, book.sequence, at, book.bids, book.asks}, subject.told(at));
            });
      }
      return make_book_feed(subject, BookFrames::steps, depth->slot, depth->levels, now,
                            [topic, symbol, subject](std::string& out, const BookChange& change) {
                              out = book_frame(topic, "delta", symbol, change,
                                               subject.told(change.at));
                            });
    }
    if (kind == "publicTrade" && detail.empty()) {
      return make_trade_feed(
          subject, TradeGroups::orders, now,
          [topic, symbol, subject](std::string& out, std::span<const MarketTrade> trades) {
            write_trades(out, topic, symbol, subject, trades);
          });
    }
    if (kind == "tickers" && detail.empty()) {
      return make_ticker_feed(subject, ticker_period, now,
                              [topic, subject](std::string& out, const DayFigures& day) {
                                write_ticker(out, topic, subject, day);
                              });
    }
    const auto timeframe = exchange::bybit::timeframe_of(detail);
    if (kind != "kline" || !timeframe) return nullptr;
    return make_candle_feed(subject, *timeframe, candle_period, now,
                            [topic, detail = std::string(detail), subject](
                                std::string& out, const FormingCandle& candle) {
                              write_candle(out, topic, detail, subject, candle);
                            });
  }

  static void write_candle(std::string& out, const std::string& topic, const std::string& interval,
                           const Subject& subject, const FormingCandle& candle) {
    const Bar& bar = candle.row.bar;
    out = head(topic, "snapshot", subject.told(candle.at));
    out += fmt::format(
        R"([{{"start":{},"end":{},"interval":"{}","open":"{}","close":"{}","high":"{}",)"
        R"("low":"{}","volume":"{}","turnover":"{}","confirm":{},"timestamp":{}}}]}})",
        to_ms(candle.row.open_time), to_ms(candle.row.end_time) - 1, interval, bar.open.to_string(),
        bar.close.to_string(), bar.high.to_string(), bar.low.to_string(), bar.volume.to_string(),
        bar.quote_volume.to_string(), candle.is_closed, to_ms(subject.told(candle.at)));
  }

  static void write_ticker(std::string& out, const std::string& topic, const Subject& subject,
                           const DayFigures& day) {
    out = head(topic, "snapshot", subject.told(day.at));
    out += fmt::format(R"({{"symbol":"{}",)", subject.instrument().exchange_symbol);
    append_day(out, day);
    out += "}}";
  }

  static void write_trades(std::string& out, const std::string& topic, const std::string& symbol,
                           const Subject& subject, std::span<const MarketTrade> trades) {
    out = head(topic, "snapshot", subject.told(trades.back().time)) + "[";
    for (const auto& trade : trades) {
      if (out.back() == '}') out += ',';
      out += fmt::format(
          R"({{"i":"{}","T":{},"p":"{}","v":"{}","S":"{}","s":"{}","BT":false,"RPI":false}})",
          trade.id, to_ms(subject.told(trade.time)), trade.price.to_string(),
          trade.size.to_string(), trade.taker_is_buyer ? "Buy" : "Sell", symbol);
    }
    out += "]}";
  }

  Context context_;
};

}  // namespace
}  // namespace bybit

std::unique_ptr<Protocol> make_bybit(Market& market, const Faults& faults) {
  return std::make_unique<bybit::Bybit>(market, faults);
}

}  // namespace candlewick::simulator
