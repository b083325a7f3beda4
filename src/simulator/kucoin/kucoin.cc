// Connections and streams. A stream's name here is its topic, of one symbol.
#include "simulator/kucoin/kucoin.h"

#include <algorithm>

#include "base/json.h"
#include "base/json_text.h"
#include "exchange/kucoin/kucoin.h"

namespace candlewick::simulator {
namespace kucoin {
namespace {

using namespace std::chrono_literals;

constexpr Duration book_slot = 100ms;
constexpr Duration candle_period = 1s;
constexpr Duration day_period = 2s;
constexpr std::size_t book_levels = 1000;
constexpr std::size_t most_topics = 300;
constexpr std::size_t most_messages = 100;  // in ten seconds

struct Message {
  std::string id;
  std::string type;
  std::string topic;
  bool wants_answer = false;
};

Result<Message> read_message(std::string_view text) {
  Message message;
  json::Reader reader;
  const auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "id") message.id = value.raw();
      if (key == "type") message.type = value.string();
      if (key == "topic") message.topic = value.string();
      if (key == "response") message.wants_answer = value.boolean();
    });
  });
  if (!read) return fail(read.error());
  return message;
}

std::string said(std::string_view id, std::string_view type) {
  std::string out = "{\"id\":";
  json::append_string(out, id);
  return out + fmt::format(R"(,"type":"{}"}})", type);
}

std::string refusal(std::string_view id, int code, std::string_view why) {
  std::string out = "{\"id\":";
  json::append_string(out, id);
  out += fmt::format(R"(,"type":"error","code":{},"data":)", code);
  json::append_string(out, why);
  return out + '}';
}

// "/market/match:BTC-USDT,ETH-USDT" is as many streams.
std::vector<std::string> streams_of(std::string_view topic) {
  std::vector<std::string> streams;
  const auto colon = topic.find(':');
  if (colon == std::string_view::npos) return {std::string(topic)};
  const auto name = topic.substr(0, colon + 1);
  for (auto rest = topic.substr(colon + 1);;) {
    const auto comma = rest.find(',');
    streams.push_back(std::string(name) + std::string(rest.substr(0, comma)));
    if (comma == std::string_view::npos) return streams;
    rest.remove_prefix(comma + 1);
  }
}

struct Topic {
  std::string name;  // "/market/candles"
  std::string symbol;
  std::string type;  // of candles
};

Topic topic_of(std::string_view stream) {
  const auto colon = stream.find(':');
  if (colon == std::string_view::npos) return {};
  Topic topic{std::string(stream.substr(0, colon)), std::string(stream.substr(colon + 1)), {}};
  const auto line = topic.symbol.rfind('_');
  if (topic.name == "/market/candles" && line != std::string::npos) {
    topic.type = topic.symbol.substr(line + 1);
    topic.symbol.resize(line);
  }
  return topic;
}

std::optional<Timeframe> streamed(std::string_view type) {
  const auto timeframe = exchange::kucoin::timeframe_of(type);
  const auto all = exchange::kucoin::kucoin.streamed_timeframes;
  const bool is_streamed = timeframe && std::ranges::find(all, *timeframe) != all.end();
  return is_streamed ? timeframe : std::nullopt;
}

std::string frame(std::string_view stream, std::string_view subject, std::string_view data) {
  return fmt::format(R"({{"topic":"{}","type":"message","subject":"{}","data":{}}})", stream,
                     subject, data);
}

std::string sides(const std::vector<Level>& bids, const std::vector<Level>& asks,
                  std::optional<std::uint64_t> number = std::nullopt) {
  std::string out = "\"asks\":";
  append_levels(out, asks, number);
  out += ",\"bids\":";
  append_levels(out, bids, number);
  return out;
}

std::string changes(const Subject& subject, const BookChange& change) {
  return fmt::format(
      R"({{"changes":{{{}}},"sequenceEnd":{},"sequenceStart":{},"symbol":"{}","time":{}}})",
      sides(change.bids, change.asks, change.number), change.number, change.before + 1,
      subject.instrument().exchange_symbol, to_ms(subject.told(change.at)));
}

std::string match(const Subject& subject, const MarketTrade& trade) {
  return fmt::format(
      R"({{"makerOrderId":"671b5007389355000701b1d3","price":"{}","sequence":"{}","side":"{}",)"
      R"("size":"{}","symbol":"{}","takerOrderId":"671b50161777ff00074c168d","time":"{}000000",)"
      R"("tradeId":"{}","type":"match"}})",
      trade.price.to_string(), trade.id, trade.taker_is_buyer ? "buy" : "sell",
      trade.size.to_string(), subject.instrument().exchange_symbol, to_ms(subject.told(trade.time)),
      trade.id);
}

// Numbers, not strings.
std::string snapshot(const Subject& subject, const DayFigures& day) {
  const auto& instrument = subject.instrument();
  return fmt::format(
      R"({{"sequence":"{0}","data":{{"averagePrice":{1},"baseCurrency":"{2}","board":1,"buy":{3},)"
      R"("changePrice":{4},"changeRate":{5},"close":{1},"datetime":{6},"high":{7},)"
      R"("lastTradedPrice":{1},"low":{8},"makerCoefficient":1,"makerFeeRate":0.001,)"
      R"("marginTrade":true,"mark":0,"market":"USDS","markets":["USDS"],"open":{9},)"
      R"("quoteCurrency":"{10}","sell":{11},"sort":100,"symbol":"{12}","symbolCode":"{12}",)"
      R"("takerCoefficient":1,"takerFeeRate":0.001,"trading":true,"vol":{13},"volValue":{14}}}}})",
      day.last_id.value_or(0), day.bar.close.to_string(), instrument.base,
      day.bid.price.to_string(), day.change().to_string(), day.change_share().to_fixed(4),
      to_ms(subject.told(day.at)), day.bar.high.to_string(), day.bar.low.to_string(),
      day.bar.open.to_string(), instrument.quote, day.ask.price.to_string(),
      instrument.exchange_symbol, day.bar.volume.to_string(), day.bar.quote_volume.to_string());
}

std::string best_of(const Subject& subject, const Book& book, Time at) {
  const auto one = [](const std::vector<Level>& side) {
    if (side.empty()) return std::string("[]");
    return fmt::format(R"(["{}","{}"])", side.front().price.to_string(),
                       side.front().size.to_string());
  };
  return fmt::format(R"({{"asks":{},"bids":{},"timestamp":{}}})", one(book.asks), one(book.bids),
                     to_ms(subject.told(at)));
}

std::unique_ptr<Feed> make_feed(const std::string& stream, const Topic& topic,
                                const Subject& subject, Time now) {
  const auto& name = topic.name;
  if (name == "/market/match") {
    return make_trade_feed(
        subject, TradeGroups::single, now,
        [stream, subject](std::string& out, std::span<const MarketTrade> trades) {
          out = frame(stream, "trade.l3match", match(subject, trades.front()));
        });
  }
  if (name == "/market/level2") {
    return make_book_feed(subject, BookFrames::slots, book_slot, book_levels, now,
                          [stream, subject](std::string& out, const BookChange& change) {
                            out = frame(stream, "trade.l2update", changes(subject, change));
                          });
  }
  if (name == "/spotMarket/level1") {
    return make_ladder_feed(subject, 10ms, 1, now,
                            [stream, subject](std::string& out, const Book& book, Time at) {
                              out = frame(stream, "level1", best_of(subject, book, at));
                            });
  }
  if (name == "/spotMarket/level2Depth5" || name == "/spotMarket/level2Depth50") {
    return make_ladder_feed(
        subject, book_slot, name.ends_with("50") ? 50 : 5, now,
        [stream, subject](std::string& out, const Book& book, Time at) {
          out = frame(stream, "level2",
                      fmt::format(R"({{{},"timestamp":{}}})", sides(book.bids, book.asks),
                                  to_ms(subject.told(at))));
        });
  }
  if (name == "/market/ticker") {
    return make_ticker_feed(subject, 100ms, now,
                            [stream, subject](std::string& out, const DayFigures& day) {
                              std::string data = "{";
                              append_best(data, subject, day);
                              out = frame(stream, "trade.ticker", data + "}");
                            });
  }
  if (name == "/market/snapshot") {
    return make_ticker_feed(subject, day_period, now,
                            [stream, subject](std::string& out, const DayFigures& day) {
                              out = frame(stream, "trade.snapshot", snapshot(subject, day));
                            });
  }
  const auto timeframe = streamed(topic.type);
  if (name != "/market/candles" || !timeframe) return nullptr;
  return make_candle_feed(
      subject, *timeframe, candle_period, now,
      [stream, subject](std::string& out, const FormingCandle& candle) {
        std::string data =
            fmt::format(R"({{"symbol":"{}","candles":)", subject.instrument().exchange_symbol);
        append_candle(data, candle.row);
        out = frame(stream, "trade.candles.update",
                    fmt::format(R"({},"time":{}000000}})", data, to_ms(subject.told(candle.at))));
      });
}

class Kucoin final : public Protocol {
 public:
  Kucoin(Market& market, const Faults& faults) : context_{market, faults} {}

  // In truth 2000 may be spent in half a minute.
  ProtocolLimits limits() const override {
    return {.weight_per_minute = 4000, .connections_in_5_minutes = 150};
  }

  std::optional<Reply> open(const Request& request, Connection& /*connection*/) override {
    if (request.parameter("token") == token) return std::nullopt;
    return Reply{.status = 401, .headers = {}, .body = "token is invalid"};
  }

  std::vector<std::string> greet(Connection& connection, Time) override {
    return {said(fmt::format("{}", connection.id), "welcome")};
  }

  Answer receive(Connection& connection, std::string_view text, SteadyTime now, Time) override {
    Answer answer;
    const auto message = read_message(text);
    if (!message) {
      answer.frames.push_back(refusal("", 400, "message is not a JSON object"));
      return answer;
    }
    auto& messages = connection.messages;
    while (!messages.empty() && now - messages.front() >= 10s) messages.pop_front();
    messages.push_back(now);
    if (messages.size() > most_messages) {
      answer.frames.push_back(refusal(message->id, 509, "exceed max permits per second"));
    } else if (message->type == "ping") {
      answer.frames.push_back(said(message->id, "pong"));
    } else if (message->type == "subscribe" || message->type == "unsubscribe") {
      take(connection, *message, answer);
    } else {
      answer.frames.push_back(refusal(message->id, 400, "type is not supported"));
    }
    return answer;
  }

  std::unique_ptr<Feed> feed(std::string_view stream, bool, Time now) override {
    const auto topic = topic_of(stream);
    const auto listing = context_.market.find(topic.symbol);
    if (!listing) return nullptr;
    return make_feed(std::string(stream), topic, {context_.market, context_.faults, *listing}, now);
  }

  int weight(const Request& request) const override {
    const std::string_view path = request.path;
    if (path.ends_with("/stats") || path.ends_with("/allTickers")) return 15;
    if (path.ends_with("/bullet-public")) return 10;
    if (path.ends_with("level2_100") || path.contains("/symbols")) return 4;
    return path.contains("/orderbook/") ? 2 : 3;
  }
  RestSubject subject(const Request& request) const override {
    if (request.path.ends_with("/candles")) return RestSubject::candles;
    return request.path.contains("/orderbook/level2") ? RestSubject::book : RestSubject::other;
  }
  Reply rest(const Request& request, const RestView& view) override {
    return answer(context_, request, view);
  }
  Reply refuse(Refusal refusal, std::int64_t, Time) const override {
    switch (refusal) {
      case Refusal::too_many_requests:
      case Refusal::banned:
        return error(429, "429000",
                     "Too many requests in a short period of time, please retry later");
      case Refusal::internal:
        return error(500, "500000", "Internal Server Error");
      case Refusal::timeout:
        return {.status = 504, .headers = {}, .body = {}};
      case Refusal::unavailable:
        return error(503, "503000", "Service Unavailable");
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
  // All topics of a message or none.
  void take(Connection& connection, const Message& message, Answer& answer) {
    const auto wanted = streams_of(message.topic);
    if (message.type == "unsubscribe") {
      for (const auto& stream : wanted) std::erase(connection.streams, stream);
    } else {
      for (const auto& stream : wanted) {
        if (exists(stream)) continue;
        return answer.frames.push_back(
            refusal(message.id, 404, fmt::format("topic {} is not found", message.topic)));
      }
      if (connection.streams.size() + wanted.size() > most_topics) {
        return answer.frames.push_back(
            refusal(message.id, 509,
                    fmt::format("exceed max subscription count limitation of {} per session",
                                most_topics)));
      }
      for (const auto& stream : wanted) {
        if (std::ranges::find(connection.streams, stream) == connection.streams.end())
          connection.streams.push_back(stream);
      }
    }
    if (message.wants_answer) answer.frames.push_back(said(message.id, "ack"));
  }

  bool exists(const std::string& stream) const {
    const auto topic = topic_of(stream);
    const auto listing = context_.market.find(topic.symbol);
    if (!listing || context_.faults.has_vanished(topic.symbol)) return false;
    constexpr std::array<std::string_view, 7> names{"/market/match",
                                                    "/market/level2",
                                                    "/market/ticker",
                                                    "/market/snapshot",
                                                    "/spotMarket/level1",
                                                    "/spotMarket/level2Depth5",
                                                    "/spotMarket/level2Depth50"};
    if (topic.name == "/market/candles") return streamed(topic.type).has_value();
    return std::ranges::find(names, topic.name) != names.end();
  }

  Context context_;
};

}  // namespace
}  // namespace kucoin

std::unique_ptr<Protocol> make_kucoin(Market& market, const Faults& faults) {
  return std::make_unique<kucoin::Kucoin>(market, faults);
}

}  // namespace candlewick::simulator
