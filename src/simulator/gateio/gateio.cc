// Connections and streams. A stream's name here is its channel and payload:
// "spot.order_book_update:BTC_USDT,100ms".
#include "simulator/gateio/gateio.h"

#include <algorithm>

#include "base/json.h"
#include "base/json_text.h"
#include "exchange/gateio/gateio.h"

namespace candlewick::simulator {
namespace gateio {
namespace {

using namespace std::chrono_literals;

constexpr Duration candle_period = 2s;
constexpr Duration ticker_period = 1s;
constexpr std::size_t book_levels = 1000;

struct Message {
  std::string id;  // as it was written
  std::string channel;
  std::string event;
  std::vector<std::string> payload;
};

Result<Message> read_message(std::string_view text) {
  Message message;
  json::Reader reader;
  const auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "id") message.id = value.text();
      if (key == "channel") message.channel = value.string();
      if (key == "event") message.event = value.string();
      if (key != "payload" || value.type() != json::Type::array) return;
      value.elements([&](json::Value word) { message.payload.emplace_back(word.string()); });
    });
  });
  if (!read) return fail(read.error());
  return message;
}

// What a stream is of.
struct Stream {
  std::string name;
  std::string channel;
  std::string symbol;
  std::string detail;  // a candle's length, how often, or how deep
};

// Of "spot.trades" each word is a pair; elsewhere they belong together.
std::vector<Stream> streams_of(std::string_view channel, const std::vector<std::string>& payload) {
  std::vector<Stream> streams;
  const auto add = [&](const std::string& symbol, const std::string& detail,
                       const std::string& words) {
    streams.push_back({std::string(channel) + ":" + words, std::string(channel), symbol, detail});
  };
  const bool is_list =
      channel == "spot.trades" || channel == "spot.tickers" || channel == "spot.book_ticker";
  if (is_list) {
    for (const auto& word : payload) add(word, "", word);
    return streams;
  }
  std::string words;
  for (const auto& word : payload) words += (words.empty() ? "" : ",") + word;
  const bool is_book = (channel == "spot.order_book_update" && payload.size() == 2) ||
                       (channel == "spot.order_book" && payload.size() == 3);
  if (channel == "spot.candlesticks" && payload.size() == 2) {
    add(payload[1], payload[0], words);
  } else if (is_book) {
    add(payload[0], payload[1], words);
  } else if (channel == "spot.obu" && payload.size() == 1 && words.starts_with("ob.")) {
    // "ob.BTC_USDT.50"
    const auto dot = words.rfind('.');
    if (dot > 3) add(words.substr(3, dot - 3), words.substr(dot + 1), words);
  }
  return streams;
}

std::optional<Stream> stream_of(std::string_view name) {
  const auto colon = name.find(':');
  std::vector<std::string> payload;
  for (auto rest = name.substr(colon + 1);;) {
    const auto comma = rest.find(',');
    payload.emplace_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  auto streams = streams_of(name.substr(0, colon), payload);
  if (streams.size() != 1) return std::nullopt;
  return std::move(streams.front());
}

std::string frame(const Stream& stream, Time told, std::string_view result) {
  return fmt::format(R"({{"time":{},"time_ms":{},"channel":"{}","event":"update","result":{}}})",
                     to_ms(told) / 1000, to_ms(told), stream.channel, result);
}

std::string sides(std::string_view bid_name, std::string_view ask_name,
                  const std::vector<Level>& bids, const std::vector<Level>& asks) {
  std::string out = fmt::format("\"{}\":", bid_name);
  append_levels(out, bids);
  out += fmt::format(",\"{}\":", ask_name);
  append_levels(out, asks);
  return out;
}

std::string depth_update(const Subject& subject, const BookChange& change) {
  const auto told = to_ms(subject.told(change.at));
  return fmt::format(R"({{"t":{},"e":"depthUpdate","E":{},"s":"{}","U":{},"u":{},{}}})", told,
                     told / 1000, subject.instrument().exchange_symbol, change.before + 1,
                     change.number, sides("b", "a", change.bids, change.asks));
}

std::string ladder(const Subject& subject, const Book& book, Time at) {
  return fmt::format(R"({{"t":{},"lastUpdateId":{},"s":"{}",{}}})", to_ms(subject.told(at)),
                     book.sequence, subject.instrument().exchange_symbol,
                     sides("bids", "asks", book.bids, book.asks));
}

std::string best_of(const Subject& subject, const Book& book, Time at) {
  const auto one = [](const std::vector<Level>& side, std::string_view price,
                      std::string_view size) {
    return side.empty()
               ? fmt::format(R"("{}":"","{}":"")", price, size)
               : fmt::format(R"("{}":"{}","{}":"{}")", price, side.front().price.to_string(), size,
                             side.front().size.to_string());
  };
  return fmt::format(R"({{"t":{},"u":{},"s":"{}",{},{}}})", to_ms(subject.told(at)), book.sequence,
                     subject.instrument().exchange_symbol, one(book.bids, "b", "B"),
                     one(book.asks, "a", "A"));
}

std::string candle_of(const Subject& subject, const Stream& stream, const FormingCandle& candle) {
  const Bar& bar = candle.row.bar;
  return fmt::format(
      R"({{"t":"{}","v":"{}","c":"{}","h":"{}","l":"{}","o":"{}","n":"{}_{}","a":"{}","w":{}}})",
      to_ms(candle.row.open_time) / 1000, bar.quote_volume.to_string(), bar.close.to_string(),
      bar.high.to_string(), bar.low.to_string(), bar.open.to_string(), stream.detail,
      subject.instrument().exchange_symbol, bar.volume.to_string(), candle.is_closed);
}

// The newer book: 50 levels every 20 ms, or 400 every 100 ms.
struct Depth {
  std::size_t levels;
  Duration slot;
};
std::optional<Depth> depth_of(const Stream& stream) {
  if (stream.detail == "50") return Depth{50, 20ms};
  if (stream.detail == "400") return Depth{400, 100ms};
  return std::nullopt;
}

std::string whole_book(const Subject& subject, const Stream& stream, const Depth& depth, Time at) {
  const Book book = book_on_grid(subject, depth.slot, depth.levels, at);
  return fmt::format(R"({{"t":{},"full":true,"s":"ob.{}.{}","u":{},{}}})", to_ms(subject.told(at)),
                     stream.symbol, stream.detail, book.sequence,
                     sides("b", "a", book.bids, book.asks));
}

std::unique_ptr<Feed> make_book(const Stream& stream, const Subject& subject, Time now) {
  if (stream.channel == "spot.obu") {
    const auto depth = depth_of(stream);
    if (!depth) return nullptr;
    return make_book_feed(
        subject, BookFrames::slots, depth->slot, depth->levels, now,
        [stream, subject](std::string& out, const BookChange& change) {
          const auto told = subject.told(change.at);
          out = frame(stream, told,
                      fmt::format(R"({{"t":{},"s":"ob.{}.{}","U":{},"u":{},{}}})", to_ms(told),
                                  stream.symbol, stream.detail, change.before + 1, change.number,
                                  sides("b", "a", change.bids, change.asks)));
        });
  }
  if (stream.detail != "100ms" && stream.detail != "20ms") return nullptr;
  return make_book_feed(
      subject, BookFrames::slots, stream.detail == "20ms" ? 20ms : 100ms, book_levels, now,
      [stream, subject](std::string& out, const BookChange& change) {
        out = frame(stream, subject.told(change.at), depth_update(subject, change));
      });
}

std::unique_ptr<Feed> make_ladder(const Stream& stream, const Subject& subject, Time now) {
  const bool is_quote = stream.channel == "spot.book_ticker";
  std::size_t levels = 1;
  for (const std::size_t depth : {5, 10, 20, 50, 100}) {
    if (stream.detail == std::to_string(depth)) levels = depth;
  }
  if (!is_quote && levels == 1) return nullptr;
  return make_ladder_feed(subject, is_quote ? 10ms : 100ms, levels, now,
                          [stream, subject, is_quote](std::string& out, const Book& book, Time at) {
                            out = frame(
                                stream, subject.told(at),
                                is_quote ? best_of(subject, book, at) : ladder(subject, book, at));
                          });
}

std::unique_ptr<Feed> make_feed(const Stream& stream, const Subject& subject, Time now) {
  const auto& channel = stream.channel;
  if (channel == "spot.trades") {
    return make_trade_feed(
        subject, TradeGroups::single, now,
        [stream, subject](std::string& out, std::span<const MarketTrade> trades) {
          std::string result;
          append_trade(result, subject, trades.front(), true);
          out = frame(stream, subject.told(trades.front().time), result);
        });
  }
  if (channel == "spot.tickers") {
    return make_ticker_feed(subject, ticker_period, now,
                            [stream, subject](std::string& out, const DayFigures& day) {
                              std::string result = "{";
                              append_ticker(result, subject, day);
                              out = frame(stream, subject.told(day.at), result + "}");
                            });
  }
  if (channel == "spot.order_book_update" || channel == "spot.obu")
    return make_book(stream, subject, now);
  if (channel == "spot.order_book" || channel == "spot.book_ticker")
    return make_ladder(stream, subject, now);
  const auto timeframe = exchange::gateio::timeframe_of(stream.detail);
  if (channel != "spot.candlesticks" || !timeframe) return nullptr;
  return make_candle_feed(subject, *timeframe, candle_period, now,
                          [stream, subject](std::string& out, const FormingCandle& candle) {
                            out = frame(stream, subject.told(candle.at),
                                        candle_of(subject, stream, candle));
                          });
}

class Gateio final : public Protocol {
 public:
  Gateio(Market& market, const Faults& faults) : context_{market, faults} {}

  // In truth 200 in ten seconds for each endpoint.
  ProtocolLimits limits() const override {
    return {.weight_per_minute = 1200, .connections_in_5_minutes = 300};
  }

  std::optional<Reply> open(const Request& request, Connection& /*connection*/) override {
    if (request.path == "/ws/v4/" || request.path == "/ws/v4") return std::nullopt;
    return Reply{.status = 404, .headers = {}, .body = "Not Found"};
  }

  Answer receive(Connection& connection, std::string_view text, SteadyTime, Time at) override {
    Answer answer;
    const auto message = read_message(text);
    if (!message) {
      answer.frames.push_back(refusal({}, at, 1, "invalid message"));
    } else if (message->channel == "spot.ping") {
      Message pong = *message;
      pong.channel = "spot.pong";
      answer.frames.push_back(head(pong, at) + R"(,"result":null})");
    } else if (message->event != "subscribe" && message->event != "unsubscribe") {
      answer.frames.push_back(refusal(*message, at, 1, "invalid event " + message->event));
    } else {
      take(connection, *message, at, answer);
    }
    return answer;
  }

  std::unique_ptr<Feed> feed(std::string_view name, bool, Time now) override {
    const auto stream = stream_of(name);
    const auto listing = stream ? context_.market.find(stream->symbol) : std::nullopt;
    if (!listing) return nullptr;
    return make_feed(*stream, {context_.market, context_.faults, *listing}, now);
  }

  int weight(const Request&) const override { return 1; }
  RestSubject subject(const Request& request) const override {
    if (request.path.ends_with("/candlesticks")) return RestSubject::candles;
    return request.path.ends_with("/order_book") ? RestSubject::book : RestSubject::other;
  }
  Reply rest(const Request& request, const RestView& view) override {
    return answer(context_, request, view);
  }
  Reply refuse(Refusal refusal, std::int64_t, Time) const override {
    switch (refusal) {
      case Refusal::too_many_requests:
      case Refusal::banned:
        return error(429, "TOO_MANY_REQUESTS", "Request Rate limit Exceeded");
      case Refusal::internal:
        return error(500, "SERVER_ERROR", "Internal server error");
      case Refusal::timeout:
        return {.status = 504, .headers = {}, .body = {}};
      case Refusal::unavailable:
        return error(503, "TOO_BUSY", "System is busy, please try again later");
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
  // What every answer begins with; the brace is left open.
  std::string head(const Message& message, Time at) const {
    const auto told = to_ms(at + context_.faults.settings().skew);
    std::string out = fmt::format(R"({{"time":{},"time_ms":{},)", told / 1000, told);
    if (!message.id.empty()) out += fmt::format(R"("id":{},)", message.id);
    out += R"("conn_id":"b61f70b2e6bcca91","channel":)";
    json::append_string(out, message.channel);
    out += R"(,"event":)";
    json::append_string(out, message.event);
    out += R"(,"payload":[)";
    for (std::size_t i = 0; i < message.payload.size(); ++i) {
      if (i > 0) out += ',';
      json::append_string(out, message.payload[i]);
    }
    return out + ']';
  }
  std::string refusal(const Message& message, Time at, int code, std::string_view why) const {
    std::string out = head(message, at) + fmt::format(R"(,"error":{{"code":{},"message":)", code);
    json::append_string(out, why);
    return out + R"(},"result":null})";
  }

  // All streams of a message or none.
  void take(Connection& connection, const Message& message, Time at, Answer& answer) {
    const auto wanted = streams_of(message.channel, message.payload);
    auto& streams = connection.streams;
    if (message.event == "unsubscribe") {
      for (const auto& stream : wanted) std::erase(streams, stream.name);
      return answer.frames.push_back(head(message, at) + R"(,"result":{"status":"success"}})");
    }
    if (auto why = objection(streams, message, wanted, at); !why.empty())
      return answer.frames.push_back(refusal(message, at, 2, why));
    answer.frames.push_back(head(message, at) + R"(,"result":{"status":"success"}})");
    for (const auto& stream : wanted) {
      if (std::ranges::find(streams, stream.name) != streams.end()) continue;
      streams.push_back(stream.name);
      const auto depth = depth_of(stream);
      if (stream.channel != "spot.obu" || !depth) continue;
      const Subject subject{context_.market, context_.faults, *context_.market.find(stream.symbol)};
      answer.frames.push_back(
          frame(stream, subject.told(at), whole_book(subject, stream, *depth, at)));
    }
  }

  std::string objection(const std::vector<std::string>& streams, const Message& message,
                        const std::vector<Stream>& wanted, Time at) const {
    if (wanted.empty()) return "invalid argument or unknown channel " + message.channel;
    for (const auto& stream : wanted) {
      const auto listing = context_.market.find(stream.symbol);
      if (!listing || context_.faults.has_vanished(stream.symbol))
        return "unknown currency pair " + stream.symbol;
      if (make_feed(stream, {context_.market, context_.faults, *listing}, at) == nullptr)
        return "invalid argument " + stream.detail;
      if (stream.channel == "spot.obu" &&
          std::ranges::find(streams, stream.name) != streams.end()) {
        return fmt::format("Alert sub ob.{}.{}", stream.symbol, stream.detail);
      }
    }
    return {};
  }

  Context context_;
};

}  // namespace
}  // namespace gateio

std::unique_ptr<Protocol> make_gateio(Market& market, const Faults& faults) {
  return std::make_unique<gateio::Gateio>(market, faults);
}

}  // namespace candlewick::simulator
