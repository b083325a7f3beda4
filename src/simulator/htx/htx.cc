// Connections and topics. A stream's name here is its topic ("market.btcusdt.kline.1min"), or
// "ping".
#include "simulator/htx/htx.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <zlib.h>

#include "base/check.h"
#include "base/json.h"
#include "base/json_text.h"
#include "exchange/htx/htx.h"

namespace candlewick::simulator {
namespace htx {
namespace {

using namespace std::chrono_literals;

constexpr Duration book_slot = 100ms;
constexpr Duration candle_period = 1s;
constexpr Duration ticker_period = 100ms;
constexpr Duration ladder_slot = 1s;
constexpr Duration ping_period = 5s;
constexpr std::string_view ping = "ping";
constexpr std::array<std::string_view, 4> kept_depths{"5", "20", "150", "400"};
constexpr std::array<std::string_view, 3> shown_depths{"5", "10", "20"};
constexpr std::size_t all_levels = 150;

struct Message {
  std::string subscribed;    // "sub"
  std::string unsubscribed;  // "unsub"
  std::string requested;     // "req"
  std::string id;            // as JSON; empty: none
  bool is_pong = false;
};

Result<Message> read_message(std::string_view text) {
  Message message;
  json::Reader reader;
  const auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "sub") message.subscribed = value.string();
      if (key == "unsub") message.unsubscribed = value.string();
      if (key == "req") message.requested = value.string();
      if (key == "id") message.id = value.text();
      if (key == "pong") message.is_pong = true;
    });
  });
  if (!read) return fail(read.error());
  return message;
}

std::string with_id(const Message& message) {
  return message.id.empty() ? "" : fmt::format(R"("id":{},)", message.id);
}

// What a topic says.
struct Topic {
  Subject subject;
  std::string text;
  std::string
      what;  // "kline", "trade.detail", "bbo", "ticker", "detail", "mbp", "refresh", "depth"
  Timeframe timeframe = Timeframe::m1;
  std::size_t levels = 0;

  void open(std::string& out, Time at) const {
    out += fmt::format(R"({{"ch":"{}","ts":{},"tick":)", text, to_ms(subject.told(at)));
  }
};

class PingFeed final : public Feed {
 public:
  PingFeed(const Faults& faults, Time now) : faults_(faults), told_(now) {}
  std::optional<Time> next() override { return next_multiple(told_, ping_period); }
  bool emit(std::string& out) override {
    told_ = *next();
    out += fmt::format(R"({{"ping":{}}})", to_ms(told_ + faults_.settings().skew));
    return true;
  }
  int rank() const override { return 9; }

 private:
  const Faults& faults_;
  Time told_;
};

std::string zipped(std::string_view text) {
  constexpr int gzip_window = 15 + 16;  // "+ 16" asks for gzip's header instead of zlib's
  z_stream stream{};
  check(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) == Z_OK,
        "there is memory to pack with");
  std::string bytes(deflateBound(&stream, text.size()), '\0');
  // zlib does not write there.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  check(deflate(&stream, Z_FINISH) == Z_STREAM_END, "the bound of zlib holds");
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

class Htx final : public Protocol {
 public:
  Htx(Market& market, const Faults& faults) : context_{market, faults} {}

  // Ten requests a second.
  ProtocolLimits limits() const override {
    return {.weight_per_minute = 600, .connections_in_5_minutes = 300};
  }
  std::optional<Reply> open(const Request& request, Connection& connection) override {
    if (request.path != "/ws" && request.path != "/feed")
      return error(404, "not-found", "no such path", Time{});
    connection.streams.emplace_back(ping);
    return std::nullopt;
  }
  Answer receive(Connection& connection, std::string_view text, SteadyTime now, Time at) override;
  std::unique_ptr<Feed> feed(std::string_view stream, bool, Time now) override;
  std::optional<std::string> packed(std::string_view text) const override { return zipped(text); }

  int weight(const Request&) const override { return 1; }
  RestSubject subject(const Request& request) const override {
    if (request.path == "/market/depth") return RestSubject::book;
    const bool is_candles =
        request.path == "/market/history/kline" || request.path == "/market/history/candles";
    return is_candles ? RestSubject::candles : RestSubject::other;
  }
  Reply rest(const Request& request, const RestView& view) override {
    return answer(context_, request, view);
  }
  Reply refuse(Refusal refusal, std::int64_t retry_after_seconds, Time now) const override;

 private:
  std::optional<Topic> topic_of(std::string_view text, std::string_view path) const;
  std::string snapshot(const Topic& topic, const Message& message, Time at) const;
  std::unique_ptr<Feed> book_feed(const Topic& topic, Time now) const;

  Context context_;
};

// The path tells what may be subscribed to there; empty: anything.
std::optional<Topic> Htx::topic_of(std::string_view text, std::string_view path) const {
  constexpr std::string_view root = "market.";
  if (!text.starts_with(root)) return std::nullopt;
  const auto rest = text.substr(root.size());
  const auto point = std::min(rest.find('.'), rest.size());
  const auto symbol = rest.substr(0, point);
  const auto what = rest.substr(std::min(point + 1, rest.size()));
  const auto listing = context_.market.find(symbol);
  if (!listing || context_.faults.has_vanished(symbol)) return std::nullopt;
  Topic topic{{context_.market, context_.faults, *listing}, std::string(text), {}};
  const auto last = what.substr(what.rfind('.') + 1);
  const auto is_one_of = [&](const auto& names) {
    return std::ranges::find(names, last) != names.end();
  };
  bool is_of_feed = false;
  if (what.starts_with("kline.")) {
    const auto timeframe = exchange::htx::timeframe_of(last);
    if (!timeframe) return std::nullopt;
    topic.timeframe = *timeframe;
    topic.what = "kline";
  } else if (what == "trade.detail" || what == "bbo" || what == "ticker" || what == "detail") {
    topic.what = what;
  } else if (what == "depth.step0") {
    topic.what = "depth";
    topic.levels = all_levels;
  } else if (what.starts_with("mbp.refresh.") && is_one_of(shown_depths)) {
    topic.what = "refresh";
  } else if (what.starts_with("mbp.") && is_one_of(kept_depths) && what.rfind('.') == 3) {
    topic.what = "mbp";
    is_of_feed = true;
  } else {
    return std::nullopt;
  }
  if (what.starts_with("mbp."))
    std::from_chars(last.data(), last.data() + last.size(), topic.levels);
  if (!path.empty() && is_of_feed != (path == "/feed")) return std::nullopt;
  return topic;
}

Answer Htx::receive(Connection& connection, std::string_view text, SteadyTime, Time at) {
  Answer answer;
  const Time told = at + context_.faults.settings().skew;
  const auto message = read_message(text);
  if (message && message->is_pong) return answer;
  const auto refuse_topic = [&](std::string_view topic) {
    std::string out =
        fmt::format(R"({{"status":"error","ts":{},{}"err-code":"bad-request","err-msg":)",
                    to_ms(told), message ? with_id(*message) : "");
    json::append_string(out, fmt::format("invalid topic {}", topic));
    answer.frames.push_back(out + "}");
  };
  if (!message) {
    refuse_topic("");
  } else if (!message->subscribed.empty()) {
    if (!topic_of(message->subscribed, connection.path)) {
      refuse_topic(message->subscribed);
      return answer;
    }
    auto& streams = connection.streams;
    if (std::ranges::find(streams, message->subscribed) == streams.end())
      streams.push_back(message->subscribed);
    answer.frames.push_back(fmt::format(R"({{{}"status":"ok","subbed":"{}","ts":{}}})",
                                        with_id(*message), message->subscribed, to_ms(told)));
  } else if (!message->unsubscribed.empty()) {
    if (std::erase(connection.streams, message->unsubscribed) == 0) {
      refuse_topic(message->unsubscribed);
      return answer;
    }
    answer.frames.push_back(fmt::format(R"({{{}"status":"ok","unsubbed":"{}","ts":{}}})",
                                        with_id(*message), message->unsubscribed, to_ms(told)));
  } else {
    const auto topic = topic_of(message->requested, connection.path);
    if (!topic || topic->what != "mbp") {
      refuse_topic(message->requested);
      return answer;
    }
    answer.frames.push_back(snapshot(*topic, *message, at));
  }
  return answer;
}

// As of the newest frame of its changes.
std::string Htx::snapshot(const Topic& topic, const Message& message, Time at) const {
  const Book book = book_on_grid(topic.subject, book_slot, topic.levels, at);
  return fmt::format(
      R"({{{}"rep":"{}","status":"ok","ts":{},"data":{{"seqNum":{},"bids":{},"asks":{}}}}})",
      with_id(message), topic.text, to_ms(topic.subject.told(at)), book.sequence,
      levels_text(book.bids), levels_text(book.asks));
}

std::unique_ptr<Feed> Htx::book_feed(const Topic& topic, Time now) const {
  if (topic.what == "mbp") {
    return make_book_feed(
        topic.subject, BookFrames::slots, book_slot, topic.levels, now,
        [topic](std::string& out, const BookChange& change) {
          topic.open(out, change.at);
          out +=
              fmt::format(R"({{"seqNum":{},"prevSeqNum":{},"bids":{},"asks":{}}}}})", change.number,
                          change.before, levels_text(change.bids), levels_text(change.asks));
        });
  }
  const bool is_refresh = topic.what == "refresh";
  const bool is_quote = topic.what == "bbo";
  return make_ladder_feed(
      topic.subject, is_refresh || is_quote ? book_slot : ladder_slot, is_quote ? 1 : topic.levels,
      now, [topic, is_refresh, is_quote](std::string& out, const Book& book, Time at) {
        if (is_quote && (book.bids.empty() || book.asks.empty())) return;
        topic.open(out, at);
        if (is_quote) {
          const auto& bid = book.bids.front();
          const auto& ask = book.asks.front();
          out += fmt::format(
              R"({{"seqId":{},"ask":{},"askSize":{},"bid":{},"bidSize":{},"quoteTime":{},"symbol":"{}"}}}})",
              book.sequence, ask.price.to_string(), ask.size.to_string(), bid.price.to_string(),
              bid.size.to_string(), to_ms(topic.subject.told(at)),
              topic.subject.instrument().exchange_symbol);
          return;
        }
        out += fmt::format(
            R"({{"{}":{},"bids":{},"asks":{}{}}}}})", is_refresh ? "seqNum" : "version",
            book.sequence, levels_text(book.bids), levels_text(book.asks),
            is_refresh ? "" : fmt::format(R"(,"ts":{})", to_ms(topic.subject.told(at))));
      });
}

std::unique_ptr<Feed> Htx::feed(std::string_view name, bool, Time now) {
  if (name == ping) return std::make_unique<PingFeed>(context_.faults, now);
  const auto topic = topic_of(name, "");
  if (!topic) return nullptr;
  const auto& subject = topic->subject;
  if (topic->what == "kline") {
    return make_candle_feed(subject, topic->timeframe, candle_period, now,
                            [topic = *topic](std::string& out, const FormingCandle& candle) {
                              topic.open(out, candle.at);
                              out += candle_text(candle.row) + "}";
                            });
  }
  if (topic->what == "trade.detail") {
    return make_trade_feed(subject, TradeGroups::orders, now,
                           [topic = *topic](std::string& out, std::span<const MarketTrade> trades) {
                             const auto& first = trades.front();
                             topic.open(out, first.time);
                             out += fmt::format(R"({{"id":{},"ts":{},"data":[)",
                                                first.aggregate_id + 100'000'000'000,
                                                to_ms(first.time));
                             for (auto trade = trades.rbegin(); trade != trades.rend(); ++trade) {
                               if (out.back() != '[') out += ',';
                               out += trade_text(*trade, "tradeId");
                             }
                             out += "]}}";
                           });
  }
  if (topic->what == "ticker" || topic->what == "detail") {
    return make_ticker_feed(
        subject, ticker_period, now, [topic = *topic](std::string& out, const DayFigures& day) {
          topic.open(out, day.at);
          out += "{" + day_text(day);
          if (topic.what == "ticker") {
            out += fmt::format(
                R"(,"bid":{},"bidSize":{},"ask":{},"askSize":{},"lastPrice":{},"lastSize":{})",
                day.bid.price.to_string(), day.bid.size.to_string(), day.ask.price.to_string(),
                day.ask.size.to_string(), day.bar.close.to_string(), day.last_size.to_string());
          }
          out += "}}";
        });
  }
  return book_feed(*topic, now);
}

Reply Htx::refuse(Refusal refusal, std::int64_t retry_after_seconds, Time now) const {
  switch (refusal) {
    case Refusal::too_many_requests:
    case Refusal::banned:
    case Refusal::too_many_connections: {
      Reply reply = error(429, "too-many-request", "exceeded rate limit", now);
      reply.headers.set("Retry-After", fmt::format("{}", retry_after_seconds));
      return reply;
    }
    case Refusal::internal:
      return error(200, "gateway-internal-error", "The server is busy", now);
    case Refusal::bad_gateway:
      return error(502, "bad-gateway", "502 Bad Gateway", now);
    case Refusal::timeout:
      return error(504, "gateway-timeout", "504 Gateway Time-out", now);
    case Refusal::unavailable:
      break;
  }
  return error(503, "service-unavailable", "503 Service Unavailable", now);
}

}  // namespace

Reply error(int status, std::string_view code, std::string_view words, Time now) {
  std::string body =
      fmt::format(R"({{"ts":{},"status":"error","err-code":"{}","err-msg":)", to_ms(now), code);
  json::append_string(body, words);
  return {.status = status,
          .headers = {{"Content-Type", "application/json;charset=UTF-8"}},
          .body = body + "}"};
}

std::string candle_text(const Row& row) {
  const Bar& bar = row.bar;
  return fmt::format(
      R"({{"id":{},"open":{},"close":{},"low":{},"high":{},"amount":{},"vol":{},"count":{}}})",
      to_ms(row.open_time) / 1000, bar.open.to_string(), bar.close.to_string(), bar.low.to_string(),
      bar.high.to_string(), bar.volume.to_string(), bar.quote_volume.to_string(), bar.count);
}

std::string trade_text(const MarketTrade& trade, std::string_view number_name) {
  return fmt::format(R"({{"id":{}{:015},"ts":{},"{}":{},"amount":{},"price":{},"direction":"{}"}})",
                     trade.aggregate_id + 100'000'000, trade.id, to_ms(trade.time), number_name,
                     trade.id, trade.size.to_string(), trade.price.to_string(),
                     trade.taker_is_buyer ? "buy" : "sell");
}

std::string day_text(const DayFigures& day) {
  const Bar& bar = day.bar;
  return fmt::format(R"("open":{},"close":{},"low":{},"high":{},"amount":{},"vol":{},"count":{})",
                     bar.open.to_string(), bar.close.to_string(), bar.low.to_string(),
                     bar.high.to_string(), bar.volume.to_string(), bar.quote_volume.to_string(),
                     bar.count);
}

std::string levels_text(const std::vector<Level>& levels) {
  std::string out = "[";
  for (const auto& level : levels) {
    if (out.size() > 1) out += ',';
    out += fmt::format("[{},{}]", level.price.to_string(), level.size.to_string());
  }
  return out + "]";
}

}  // namespace htx

std::unique_ptr<Protocol> make_htx(Market& market, const Faults& faults) {
  return std::make_unique<htx::Htx>(market, faults);
}

}  // namespace candlewick::simulator
