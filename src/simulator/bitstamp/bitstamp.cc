// Connections and channels. A stream's name here is that of its channel, "order_book_btcusd".
#include "simulator/bitstamp/bitstamp.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_text.h"

namespace candlewick::simulator {
namespace bitstamp {
namespace {

using namespace std::chrono_literals;

constexpr Duration book_slot = 100ms;
constexpr std::size_t shown_levels = 100;
constexpr std::size_t all_levels = 5000;

struct Message {
  std::string event;
  std::string channel;
};

Result<Message> read_message(std::string_view text) {
  Message message;
  json::Reader reader;
  const auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "event") message.event = value.string();
      if (key != "data" || value.type() != json::Type::object) return;
      value.members([&](std::string_view name, json::Value part) {
        if (name == "channel") message.channel = part.string();
      });
    });
  });
  if (!read) return fail(read.error());
  return message;
}

std::string refusal(std::string_view words) {
  std::string out = R"({"event":"bts:error","channel":"","data":{"code":null,"message":)";
  json::append_string(out, words);
  return out + "}}";
}

struct Stream {
  Subject subject;
  std::string kind;  // "live_trades", "order_book", "diff_order_book"

  const Listing& listing() const { return subject.market.listings()[subject.listing]; }
  void append(std::string& out, std::string_view event, std::string_view data) const {
    out += fmt::format(R"({{"data":{{{}}},"channel":"{}_{}","event":"{}"}})", data, kind,
                       subject.instrument().exchange_symbol, event);
  }
  std::string trade_text(const MarketTrade& trade) const {
    const auto price = price_text(listing(), trade.price);
    const auto size = size_text(trade.size);
    return fmt::format(
        R"("id":{},"timestamp":"{}","amount":{},"amount_str":"{}","price":{},"price_str":"{}","type":{},"microtimestamp":"{}","buy_order_id":{},"sell_order_id":{})",
        trade.id, to_ms(trade.time) / 1000, trade.size.to_string(), size, trade.price.to_string(),
        price, trade.taker_is_buyer ? 0 : 1, to_ms(trade.time) * 1000,
        1'800'000'000'000'000 + trade.aggregate_id, 1'700'000'000'000'000 + trade.id);
  }
};

class Bitstamp final : public Protocol {
 public:
  Bitstamp(Market& market, const Faults& faults) : context_{market, faults} {}

  // 10,000 requests in ten minutes.
  ProtocolLimits limits() const override {
    return {.weight_per_minute = 1000, .connections_in_5_minutes = 300};
  }
  std::optional<Reply> open(const Request& request, Connection&) override {
    if (request.path.empty() || request.path == "/") return std::nullopt;
    return error(404, "Not found");
  }
  Answer receive(Connection& connection, std::string_view text, SteadyTime now, Time at) override;
  std::unique_ptr<Feed> feed(std::string_view stream, bool, Time now) override;
  std::string shutdown_notice(const Connection&, Time) const override {
    return R"({"event":"bts:request_reconnect","channel":"","data":""})";
  }

  int weight(const Request&) const override { return 1; }
  RestSubject subject(const Request& request) const override {
    if (request.path.starts_with("/api/v2/order_book/")) return RestSubject::book;
    return request.path.starts_with("/api/v2/ohlc/") ? RestSubject::candles : RestSubject::other;
  }
  Reply rest(const Request& request, const RestView& view) override {
    return answer(context_, request, view);
  }
  Reply refuse(Refusal refusal, std::int64_t retry_after_seconds, Time) const override;

 private:
  std::optional<Stream> stream_of(std::string_view name) const;

  Context context_;
};

std::optional<Stream> Bitstamp::stream_of(std::string_view name) const {
  const auto last = name.rfind('_');
  if (last == std::string_view::npos) return std::nullopt;
  const auto kind = name.substr(0, last);
  if (kind != "live_trades" && kind != "order_book" && kind != "diff_order_book")
    return std::nullopt;
  const auto symbol = name.substr(last + 1);
  const auto listing = context_.market.find(symbol);
  if (!listing || context_.faults.has_vanished(symbol)) return std::nullopt;
  return Stream{{context_.market, context_.faults, *listing}, std::string(kind)};
}

Answer Bitstamp::receive(Connection& connection, std::string_view text, SteadyTime, Time) {
  Answer answer;
  const auto message = read_message(text);
  auto& streams = connection.streams;
  if (!message) {
    answer.frames.push_back(refusal("Incorrect JSON format."));
  } else if (message->event == "bts:heartbeat") {
    answer.frames.emplace_back(
        R"({"event":"bts:heartbeat","channel":"","data":{"status":"success"}})");
  } else if (message->event == "bts:subscribe") {
    if (!stream_of(message->channel)) {
      answer.frames.push_back(refusal("Bad subscription string."));
      return answer;
    }
    if (std::ranges::find(streams, message->channel) == streams.end())
      streams.push_back(message->channel);
    answer.frames.push_back(
        fmt::format(R"({{"event":"bts:subscription_succeeded","channel":"{}","data":{{}}}})",
                    message->channel));
  } else if (message->event == "bts:unsubscribe") {
    if (std::erase(streams, message->channel) == 0) {
      answer.frames.push_back(refusal("Bad subscription string."));
      return answer;
    }
    answer.frames.push_back(
        fmt::format(R"({{"event":"bts:unsubscription_succeeded","channel":"{}","data":{{}}}})",
                    message->channel));
  } else {
    answer.frames.push_back(refusal("Unknown event."));
  }
  return answer;
}

std::unique_ptr<Feed> Bitstamp::feed(std::string_view name, bool, Time now) {
  const auto stream = stream_of(name);
  if (!stream) return nullptr;
  const auto& subject = stream->subject;
  if (stream->kind == "live_trades") {
    return make_trade_feed(subject, TradeGroups::single, now,
                           [stream](std::string& out, std::span<const MarketTrade> trades) {
                             stream->append(out, "trade", stream->trade_text(trades.front()));
                           });
  }
  if (stream->kind == "order_book") {
    return make_ladder_feed(subject, book_slot, shown_levels, now,
                            [stream](std::string& out, const Book& book, Time at) {
                              stream->append(out, "data",
                                             book_text(stream->listing(), book.bids, book.asks,
                                                       stream->subject.told(at)));
                            });
  }
  return make_book_feed(subject, BookFrames::slots, book_slot, all_levels, now,
                        [stream](std::string& out, const BookChange& change) {
                          // Levels only came and went.
                          if (change.bids.empty() && change.asks.empty()) return;
                          stream->append(out, "data",
                                         book_text(stream->listing(), change.bids, change.asks,
                                                   stream->subject.told(change.at)));
                        });
}

Reply Bitstamp::refuse(Refusal refusal, std::int64_t retry_after_seconds, Time) const {
  switch (refusal) {
    case Refusal::too_many_requests:
    case Refusal::banned:
    case Refusal::too_many_connections: {
      Reply reply = error(429, "Too many requests");
      reply.headers.set("Retry-After", fmt::format("{}", retry_after_seconds));
      return reply;
    }
    case Refusal::internal:
      return error(500, "Internal server error");
    case Refusal::bad_gateway:
      return error(502, "Bad gateway");
    case Refusal::timeout:
      return error(504, "Gateway time-out");
    case Refusal::unavailable:
      break;
  }
  return error(503, "Service unavailable");
}

}  // namespace

Reply error(int status, std::string_view reason) {
  std::string body = R"({"status":"error","reason":)";
  json::append_string(body, reason);
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}},
          .body = body + fmt::format(R"(,"code":"{}"}})", status)};
}

std::string price_text(const Listing& listing, Decimal price) {
  return price.to_fixed(listing.price_digits);
}

std::string size_text(Decimal size) {
  return size.to_fixed(8);
}

std::string book_text(const Listing& listing, const std::vector<Level>& bids,
                      const std::vector<Level>& asks, Time at) {
  const auto side = [&](const std::vector<Level>& levels) {
    std::string out = "[";
    for (const auto& level : levels) {
      if (out.size() > 1) out += ',';
      out += fmt::format(R"(["{}","{}"])", price_text(listing, level.price), size_text(level.size));
    }
    return out + "]";
  };
  const auto micro = std::chrono::floor<std::chrono::microseconds>(at).time_since_epoch().count();
  return fmt::format(R"("timestamp":"{}","microtimestamp":"{}","bids":{},"asks":{})",
                     to_ms(at) / 1000, micro, side(bids), side(asks));
}

}  // namespace bitstamp

std::unique_ptr<Protocol> make_bitstamp(Market& market, const Faults& faults) {
  return std::make_unique<bitstamp::Bitstamp>(market, faults);
}

}  // namespace candlewick::simulator
