// Connections and streams of the Exchange feed. A stream's name here is "matches:BTC-USD".
#include "simulator/coinbase/coinbase.h"

#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "base/json.h"
#include "base/json_text.h"
#include "simulator/feeds.h"

namespace candlewick::simulator {
namespace coinbase {
namespace {

using namespace std::chrono_literals;

constexpr Duration book_slot = 50ms;
constexpr Duration ticker_period = 100ms;
constexpr std::size_t all_levels = 5000;

constexpr std::array<std::string_view, 5> public_channels{"matches", "ticker", "ticker_batch",
                                                          "level2_batch", "heartbeat"};
// For those who sign.
constexpr std::string_view signed_channel = "level2";

struct Wish {
  std::string channel;
  std::vector<std::string> products;
};

struct Message {
  std::string type;
  std::vector<Wish> wishes;
  bool is_signed = false;
};

// A channel is named by a string and has the message's products, or is an object with its own.
Result<Message> read_message(std::string_view text) {
  Message message;
  std::vector<std::string> products;
  json::Reader reader;
  const auto read_products = [](json::Value& value, std::vector<std::string>& into) {
    value.elements([&](json::Value product) { into.emplace_back(product.string()); });
  };
  const auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "type") message.type = value.string();
      if (key == "signature") message.is_signed = true;
      if (key == "product_ids") read_products(value, products);
      if (key != "channels") return;
      value.elements([&](json::Value channel) {
        Wish& wish = message.wishes.emplace_back();
        if (channel.type() == json::Type::string) {
          wish.channel = channel.string();
          return;
        }
        channel.members([&](std::string_view name, json::Value part) {
          if (name == "name") wish.channel = part.string();
          if (name == "product_ids") read_products(part, wish.products);
        });
      });
    });
  });
  if (!read) return fail(read.error());
  for (auto& wish : message.wishes) {
    if (wish.products.empty()) wish.products = products;
  }
  return message;
}

std::string refusal(std::string_view reason) {
  std::string out = R"({"type":"error","message":"Failed to subscribe","reason":)";
  json::append_string(out, reason);
  return out + "}";
}

std::string order_id(std::string_view role, std::uint64_t number) {
  return fmt::format("{:08x}-0000-4000-8000-{:012x}", role.size(), number);
}

struct Subscribed {
  Subject subject;
  const Listing& listing() const { return subject.market.listings()[subject.listing]; }
  const std::string& product() const { return subject.instrument().exchange_symbol; }
  std::string price(Decimal value) const { return price_text(listing(), value); }
  std::string time(Time at) const { return time_text(subject.told(at)); }

  // The side is the maker's.
  void append_match(std::string& out, std::string_view type, const MarketTrade& trade) const {
    out += fmt::format(
        R"({{"type":"{}","trade_id":{},"maker_order_id":"{}","taker_order_id":"{}","side":"{}","size":"{}","price":"{}","product_id":"{}","sequence":{},"time":"{}"}})",
        type, trade.id, order_id("maker", trade.id), order_id("taker!", trade.aggregate_id),
        trade.taker_is_buyer ? "sell" : "buy", size_text(trade.size), price(trade.price), product(),
        sequence_of(trade.id), time_text(trade.time));
  }
  void append_ticker(std::string& out, const DayFigures& day) const {
    const auto last = day.last_id.value_or(0);
    out += fmt::format(
        R"({{"type":"ticker","sequence":{},"product_id":"{}","price":"{}","open_24h":"{}","volume_24h":"{}","low_24h":"{}","high_24h":"{}","volume_30d":"{}","best_bid":"{}","best_bid_size":"{}","best_ask":"{}","best_ask_size":"{}","side":"buy","time":"{}","trade_id":{},"last_size":"{}"}})",
        sequence_of(last), product(), price(day.bar.close), price(day.bar.open),
        size_text(day.bar.volume), price(day.bar.low), price(day.bar.high),
        size_text(day.bar.volume), price(day.bid.price), size_text(day.bid.size),
        price(day.ask.price), size_text(day.ask.size), time(day.at), last,
        size_text(day.last_size));
  }
  void append_levels(std::string& out, const std::vector<Level>& levels) const {
    out += '[';
    for (const auto& level : levels) {
      if (out.back() != '[') out += ',';
      out += fmt::format(R"(["{}","{}"])", price(level.price), size_text(level.size));
    }
    out += ']';
  }
  void append_snapshot(std::string& out, Time now) const {
    const Book book = book_on_grid(subject, book_slot, all_levels, now);
    out += fmt::format(R"({{"type":"snapshot","product_id":"{}","asks":)", product());
    append_levels(out, book.asks);
    out += ",\"bids\":";
    append_levels(out, book.bids);
    out += fmt::format(R"(,"time":"{}"}})", time(next_multiple(now, book_slot) - book_slot));
  }
  void append_changes(std::string& out, const BookChange& change) const {
    out += fmt::format(R"({{"type":"l2update","product_id":"{}","changes":[)", product());
    const auto side = [&](std::string_view name, const std::vector<Level>& levels) {
      for (const auto& level : levels) {
        if (out.back() != '[') out += ',';
        out += fmt::format(R"(["{}","{}","{}"])", name, price(level.price), size_text(level.size));
      }
    };
    side("buy", change.bids);
    side("sell", change.asks);
    out += fmt::format(R"(],"time":"{}"}})", time(change.at));
  }
  std::optional<MarketTrade> last_trade(Time now) const {
    const auto last = subject.market.trades(subject.listing, now - 24h, now, 1, true);
    return last.empty() ? std::nullopt : std::optional{last.front()};
  }
};

class HeartbeatFeed final : public Feed {
 public:
  HeartbeatFeed(const Subscribed& stream, Time now) : stream_(stream), told_(now) {}
  std::optional<Time> next() override { return next_multiple(told_, 1s); }
  bool emit(std::string& out) override {
    told_ = *next();
    if (stream_.subject.is_gone()) return false;
    const auto last = stream_.last_trade(told_);
    const auto id = last ? last->id : 0;
    out += fmt::format(
        R"({{"type":"heartbeat","last_trade_id":{},"product_id":"{}","sequence":{},"time":"{}"}})",
        id, stream_.product(), sequence_of(id) + 1, stream_.time(told_));
    return true;
  }
  int rank() const override { return 9; }

 private:
  Subscribed stream_;
  Time told_;
};

class Coinbase final : public Protocol {
 public:
  Coinbase(Market& market, const Faults& faults) : context_{market, faults} {}

  // Ten requests a second and some in advance; eight connections a second.
  ProtocolLimits limits() const override {
    return {.weight_per_minute = 600, .connections_in_5_minutes = 2400};
  }

  std::optional<Reply> open(const Request& request, Connection&) override {
    if (request.path.empty() || request.path == "/") return std::nullopt;
    return error(404, "NotFound");
  }
  Answer receive(Connection& connection, std::string_view text, SteadyTime now, Time at) override;
  std::unique_ptr<Feed> feed(std::string_view stream, bool, Time now) override;

  int weight(const Request&) const override { return 1; }
  RestSubject subject(const Request& request) const override {
    if (request.path.ends_with("/book")) return RestSubject::book;
    return request.path.ends_with("/candles") ? RestSubject::candles : RestSubject::other;
  }
  Reply rest(const Request& request, const RestView& view) override {
    return answer(context_, request, view);
  }
  Reply refuse(Refusal refusal, std::int64_t retry_after_seconds, Time) const override;

 private:
  std::optional<Subscribed> stream_of(std::string_view product) const {
    const auto listing = context_.market.find(product);
    if (!listing || context_.faults.has_vanished(product)) return std::nullopt;
    return Subscribed{{context_.market, context_.faults, *listing}};
  }
  std::string misfit(const Message& message) const;
  void begin(std::string_view channel, const Subscribed& stream, Time at, Answer& answer) const;

  Context context_;
};

// One thing that is wrong takes the whole message with it; empty: nothing is.
std::string Coinbase::misfit(const Message& message) const {
  for (const auto& wish : message.wishes) {
    const bool needs_key = wish.channel == signed_channel || wish.channel == "full";
    if (needs_key && !message.is_signed)
      return "level2, level3, and full channels now require authentication";
    if (wish.channel != signed_channel &&
        std::ranges::find(public_channels, wish.channel) == public_channels.end()) {
      return wish.channel + " is not a valid channel";
    }
    for (const auto& product : wish.products) {
      if (!stream_of(product)) return product + " is not a valid product";
    }
  }
  return {};
}

std::string subscriptions(const Connection& connection) {
  std::vector<std::pair<std::string, std::vector<std::string>>> channels;
  for (const auto& stream : connection.streams) {
    const auto colon = stream.find(':');
    auto found = std::ranges::find(channels, stream.substr(0, colon),
                                   &std::pair<std::string, std::vector<std::string>>::first);
    if (found == channels.end()) found = channels.insert(found, {stream.substr(0, colon), {}});
    found->second.push_back(stream.substr(colon + 1));
  }
  std::string out = R"({"type":"subscriptions","channels":[)";
  for (const auto& [name, products] : channels) {
    if (out.back() != '[') out += ',';
    out += fmt::format(R"({{"name":"{}","product_ids":["{}"],"account_ids":null}})", name,
                       fmt::join(products, R"(",")"));
  }
  return out + "]}";
}

Answer Coinbase::receive(Connection& connection, std::string_view text, SteadyTime now, Time at) {
  Answer answer;
  auto& messages = connection.messages;
  while (!messages.empty() && now - messages.front() >= 1s) messages.pop_front();
  messages.push_back(now);
  constexpr std::size_t most_messages_a_second = 100;
  if (messages.size() > most_messages_a_second) {
    answer.close = Answer::Close{1008, "Rate limit exceeded"};
    return answer;
  }
  const auto message = read_message(text);
  if (!message || (message->type != "subscribe" && message->type != "unsubscribe")) {
    answer.frames.emplace_back(
        R"({"type":"error","message":"Malformed JSON","reason":"not a message of this feed"})");
    return answer;
  }
  if (message->type == "unsubscribe") {
    for (const auto& wish : message->wishes) {
      for (const auto& product : wish.products)
        std::erase(connection.streams, wish.channel + ":" + product);
    }
    answer.frames.push_back(subscriptions(connection));
    return answer;
  }
  if (const auto why = misfit(*message); !why.empty()) {
    answer.frames.push_back(refusal(why));
    return answer;
  }
  std::vector<std::pair<std::string_view, Subscribed>> begun;
  for (const auto& wish : message->wishes) {
    for (const auto& product : wish.products) {
      auto name = wish.channel + ":" + product;
      if (std::ranges::find(connection.streams, name) != connection.streams.end()) continue;
      connection.streams.push_back(std::move(name));
      begun.emplace_back(wish.channel, *stream_of(product));
    }
  }
  answer.frames.push_back(subscriptions(connection));
  for (const auto& [channel, stream] : begun) begin(channel, stream, at, answer);
  return answer;
}

// What a new subscription tells at once.
void Coinbase::begin(std::string_view channel, const Subscribed& stream, Time at,
                     Answer& answer) const {
  std::string out;
  if (channel == "matches") {
    if (const auto last = stream.last_trade(at)) stream.append_match(out, "last_match", *last);
  } else if (channel.starts_with("ticker")) {
    stream.append_ticker(out, day_figures(context_.market, stream.subject.listing, at));
  } else if (channel.starts_with("level2") &&
             context_.market.book_steps(stream.subject.listing) != nullptr) {
    stream.append_snapshot(out, at);
  }
  if (!out.empty()) answer.frames.push_back(std::move(out));
}

std::unique_ptr<Feed> Coinbase::feed(std::string_view name, bool, Time now) {
  const auto colon = name.find(':');
  const auto channel = name.substr(0, colon);
  const auto stream = stream_of(name.substr(colon + 1));
  if (!stream) return nullptr;
  if (channel == "heartbeat") return std::make_unique<HeartbeatFeed>(*stream, now);
  if (channel == "matches") {
    return make_trade_feed(stream->subject, TradeGroups::single, now,
                           [stream](std::string& out, std::span<const MarketTrade> trades) {
                             stream->append_match(out, "match", trades.front());
                           });
  }
  if (channel.starts_with("ticker")) {
    return make_ticker_feed(
        stream->subject, channel == "ticker" ? ticker_period : Duration{5s}, now,
        [stream](std::string& out, const DayFigures& day) { stream->append_ticker(out, day); });
  }
  return make_book_feed(stream->subject, BookFrames::slots, book_slot, all_levels, now,
                        [stream](std::string& out, const BookChange& change) {
                          // Levels only came and went.
                          if (change.bids.empty() && change.asks.empty()) return;
                          stream->append_changes(out, change);
                        });
}

Reply Coinbase::refuse(Refusal refusal, std::int64_t retry_after_seconds, Time) const {
  const auto limited = [&] {
    Reply reply = error(429, "Public rate limit exceeded");
    reply.headers.set("Retry-After", fmt::format("{}", retry_after_seconds));
    return reply;
  };
  const auto page = [](int status, std::string_view words) {
    return Reply{.status = status,
                 .headers = {{"Content-Type", "text/html"}},
                 .body = fmt::format("<html><head><title>{}</title></head></html>", words)};
  };
  switch (refusal) {
    case Refusal::too_many_requests:
    case Refusal::banned:
    case Refusal::too_many_connections:
      return limited();
    case Refusal::internal:
      return error(500, "Internal server error");
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

Reply error(int status, std::string_view message) {
  std::string body = R"({"message":)";
  json::append_string(body, message);
  return {.status = status,
          .headers = {{"Content-Type", "application/json; charset=utf-8"}},
          .body = body + "}"};
}

std::string price_text(const Listing& listing, Decimal price) {
  return price.to_fixed(listing.price_digits);
}

std::string size_text(Decimal size) {
  return size.to_fixed(8);
}

std::string time_text(Time time) {
  return to_rfc3339(std::chrono::floor<std::chrono::microseconds>(time));
}

}  // namespace coinbase

std::unique_ptr<Protocol> make_coinbase(Market& market, const Faults& faults) {
  return std::make_unique<coinbase::Coinbase>(market, faults);
}

}  // namespace candlewick::simulator
