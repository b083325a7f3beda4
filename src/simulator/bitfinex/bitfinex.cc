// Connections and channels. A stream's name here is that of its channel ("book-P0-100:tBTCUSD",
// "candles:trade:1m:tBTCUSD"), or "checksum/" and that of a book.
#include "simulator/bitfinex/bitfinex.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_text.h"
#include "exchange/bitfinex/bitfinex.h"
#include "simulator/bitfinex/channels.h"
#include "simulator/noise.h"

namespace candlewick::simulator {
namespace bitfinex {
namespace {

using namespace std::chrono_literals;

constexpr Duration book_slot = 100ms;
constexpr Duration candle_period = 1s;
constexpr Duration ticker_period = 1s;
constexpr std::size_t most_channels = 25;
constexpr std::string_view checksum_prefix = "checksum/";
constexpr std::array<std::string_view, 4> book_lengths{"1", "25", "100", "250"};

constexpr std::int64_t flag_stamps = 32'768;
constexpr std::int64_t flag_numbers = 65'536;
constexpr std::int64_t flag_checksums = 131'072;

struct Message {
  std::string event;
  std::string channel;
  std::string symbol;
  std::string key;
  std::string precision = "P0";
  std::string frequency = "F0";
  std::string length = "25";
  std::int64_t flags = 0;
  std::optional<std::uint64_t> number;
  std::string id;  // of a ping, as JSON
};

Result<Message> read_message(std::string_view text) {
  Message message;
  json::Reader reader;
  const auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "event") message.event = value.string();
      if (key == "channel") message.channel = value.string();
      if (key == "symbol") message.symbol = value.string();
      if (key == "key") message.key = value.string();
      if (key == "prec") message.precision = value.string();
      if (key == "freq") message.frequency = value.string();
      if (key == "len") message.length = value.raw();
      if (key == "flags") message.flags = value.integer();
      if (key == "chanId") message.number = value.unsigned_integer();
      if (key == "cid") message.id = value.raw();
    });
  });
  if (!read) return fail(read.error());
  return message;
}

std::string stream_name(const Message& message) {
  if (message.channel == "candles") return "candles:" + message.key;
  if (message.channel == "book")
    return fmt::format("book-{}-{}:{}", message.precision, message.length, message.symbol);
  return message.channel + ":" + message.symbol;
}

// What the venue repeats of a subscription; begins with a comma.
std::string repeated(const Message& message) {
  std::string out = ",\"channel\":";
  json::append_string(out, message.channel);
  out += message.channel == "candles" ? ",\"key\":" : ",\"symbol\":";
  json::append_string(out, message.channel == "candles" ? message.key : message.symbol);
  if (message.channel == "book") {
    out += fmt::format(R"(,"prec":"{}","freq":"{}","len":"{}")", message.precision,
                       message.frequency, message.length);
  }
  if (message.channel != "candles" && !message.symbol.empty()) {
    out += ",\"pair\":";
    json::append_string(out, message.symbol.substr(1));
  }
  return out;
}

std::string refusal(const Message& message, std::string_view why, int code) {
  return fmt::format(R"({{"event":"error","msg":"{}","code":{}{}}})", why, code, repeated(message));
}

// What a stream's name says.
struct Stream {
  Subject subject;
  std::string channel;
  Timeframe timeframe = Timeframe::m1;
  std::size_t levels = 25;
};

class Bitfinex final : public Protocol {
 public:
  Bitfinex(Market& market, const Faults& faults) : context_{market, faults} {}

  // Books are let through as often as anybody asks.
  ProtocolLimits limits() const override {
    return {.weight_per_minute = 7200, .connections_in_5_minutes = 100};
  }
  std::optional<Reply> open(const Request& request, Connection&) override {
    if (request.path == "/ws/2" || request.path == "/ws/2/") return std::nullopt;
    return error(404, 10000, "not found");
  }
  std::vector<std::string> greet(Connection&, Time) override {
    return {
        R"({"event":"info","version":2,"serverId":"00000000-0000-4000-8000-000000000000","platform":{"status":1}})"};
  }
  Answer receive(Connection& connection, std::string_view text, SteadyTime now, Time at) override;
  std::unique_ptr<Feed> feed(std::string_view stream, bool, Time now) override;
  void dress(Connection& connection, std::string_view stream, std::string& frame) const override;
  bool dresses_frames() const override { return true; }
  std::string shutdown_notice(const Connection&, Time) const override {
    return R"({"event":"info","code":20051,"msg":"Stopping. Please try to reconnect"})";
  }

  // 30 candles, 15 trades and 90 tickers a minute.
  int weight(const Request& request) const override {
    if (request.path.starts_with("/v2/candles")) return 240;
    if (request.path.starts_with("/v2/trades")) return 480;
    return request.path.starts_with("/v2/book") ? 1 : 80;
  }
  RestSubject subject(const Request& request) const override {
    if (request.path.starts_with("/v2/book")) return RestSubject::book;
    return request.path.starts_with("/v2/candles") ? RestSubject::candles : RestSubject::other;
  }
  Reply rest(const Request& request, const RestView& view) override {
    return answer(context_, request, view);
  }
  Reply refuse(Refusal refusal, std::int64_t retry_after_seconds, Time) const override;

 private:
  std::optional<Stream> stream_of(std::string_view name) const;
  void subscribe(Connection& connection, const Message& message, Time at, Answer& answer) const;
  void unsubscribe(Connection& connection, const Message& message, Answer& answer) const;
  static void follow_checksums(Connection& connection);
  std::string snapshot(const Stream& stream, Time at) const;

  Context context_;
};

std::optional<Stream> Bitfinex::stream_of(std::string_view name) const {
  const auto colon = std::min(name.find(':'), name.size());
  auto channel = name.substr(0, colon);
  auto symbol = name.substr(std::min(colon + 1, name.size()));
  Timeframe timeframe = Timeframe::m1;
  std::size_t levels = 0;
  if (channel == "candles") {
    constexpr std::string_view kind = "trade:";
    if (!symbol.starts_with(kind)) return std::nullopt;
    symbol.remove_prefix(kind.size());
    const auto end = std::min(symbol.find(':'), symbol.size());
    const auto known = exchange::bitfinex::timeframe_of(symbol.substr(0, end));
    if (!known) return std::nullopt;
    timeframe = *known;
    symbol.remove_prefix(std::min(end + 1, symbol.size()));
  } else if (channel.starts_with("book-P0-")) {
    const auto length = channel.substr(channel.rfind('-') + 1);
    if (std::ranges::find(book_lengths, length) == book_lengths.end()) return std::nullopt;
    std::from_chars(length.data(), length.data() + length.size(), levels);
    channel = "book";
  } else if (channel != "trades" && channel != "ticker") {
    return std::nullopt;
  }
  const auto listing = context_.market.find(symbol);
  if (!listing || context_.faults.has_vanished(symbol)) return std::nullopt;
  return Stream{
      {context_.market, context_.faults, *listing}, std::string(channel), timeframe, levels};
}

Answer Bitfinex::receive(Connection& connection, std::string_view text, SteadyTime, Time at) {
  Answer answer;
  const auto message = read_message(text);
  if (!message) {
    answer.frames.emplace_back(R"({"event":"error","msg":"unknown event","code":10000})");
  } else if (message->event == "ping") {
    answer.frames.push_back(
        fmt::format(R"({{"event":"pong","ts":{}{}}})", to_ms(at + context_.faults.settings().skew),
                    message->id.empty() ? "" : fmt::format(R"(,"cid":{})", message->id)));
  } else if (message->event == "conf") {
    connection.is_stamped = (message->flags & flag_stamps) != 0;
    connection.is_numbered = (message->flags & flag_numbers) != 0;
    connection.has_checksums = (message->flags & flag_checksums) != 0;
    follow_checksums(connection);
    answer.frames.push_back(
        fmt::format(R"({{"event":"conf","status":"OK","flags":{}}})", message->flags));
  } else if (message->event == "subscribe") {
    subscribe(connection, *message, at, answer);
  } else if (message->event == "unsubscribe") {
    unsubscribe(connection, *message, answer);
  } else {
    answer.frames.emplace_back(R"({"event":"error","msg":"unknown event","code":10000})");
  }
  return answer;
}

// A book's checksums begin and end with its changes, as far as they were asked for.
void Bitfinex::follow_checksums(Connection& connection) {
  auto& streams = connection.streams;
  std::erase_if(streams, [](const auto& stream) { return stream.starts_with(checksum_prefix); });
  if (!connection.has_checksums) return;
  for (const auto& stream : std::vector(streams)) {
    if (stream.starts_with("book-")) streams.push_back(std::string(checksum_prefix) + stream);
  }
}

void Bitfinex::subscribe(Connection& connection, const Message& message, Time at,
                         Answer& answer) const {
  const auto name = stream_name(message);
  const auto stream = stream_of(name);
  if (!stream) {
    answer.frames.push_back(
        refusal(message, message.channel == "candles" ? "key: invalid" : "symbol: invalid", 10300));
    return;
  }
  if (connection.channel_ids.contains(name)) {
    answer.frames.push_back(refusal(message, "subscribe: dup", 10301));
    return;
  }
  if (connection.channel_ids.size() >= most_channels) {
    answer.frames.push_back(refusal(message, "subscribe: limit", 10305));
    return;
  }
  std::uint64_t number = 1000 + hash_text(name) % 900'000;
  const auto is_taken = [&](std::uint64_t wanted) {
    return std::ranges::any_of(connection.channel_ids,
                               [&](const auto& entry) { return entry.second == wanted; });
  };
  while (is_taken(number)) ++number;
  connection.channel_ids.emplace(name, number);
  connection.streams.push_back(name);
  follow_checksums(connection);
  answer.frames.push_back(
      fmt::format(R"({{"event":"subscribed","chanId":{}{}}})", number, repeated(message)));
  std::string first = snapshot(*stream, at);
  if (first.empty()) return;
  first = fmt::format("{} {}", to_ms(stream->subject.told(at)), first);
  dress(connection, name, first);
  answer.frames.push_back(std::move(first));
}

void Bitfinex::unsubscribe(Connection& connection, const Message& message, Answer& answer) const {
  auto& channels = connection.channel_ids;
  const auto known = std::ranges::find_if(
      channels, [&](const auto& entry) { return entry.second == message.number; });
  if (known == channels.end()) {
    answer.frames.emplace_back(R"({"event":"error","msg":"unsubscribe: invalid","code":10400})");
    return;
  }
  answer.frames.push_back(
      fmt::format(R"({{"event":"unsubscribed","status":"OK","chanId":{}}})", known->second));
  std::erase(connection.streams, known->first);
  channels.erase(known);
  follow_checksums(connection);
}

// What a new subscription tells at once; empty: nothing.
std::string Bitfinex::snapshot(const Stream& stream, Time at) const {
  Market& market = context_.market;
  const auto listing = stream.subject.listing;
  if (stream.channel == "book") {
    if (market.book_steps(listing) == nullptr) return {};
    return "[" + book_text(book_on_grid(stream.subject, book_slot, stream.levels, at)) + "]";
  }
  if (stream.channel == "ticker") return ticker_text(day_figures(market, listing, at));
  std::string out = "[";
  const auto add = [&](const std::string& text) {
    if (out.size() > 1) out += ',';
    out += text;
  };
  if (stream.channel == "trades") {
    const auto trades = market.trades(listing, at - 24h, at, 30, true);
    for (auto trade = trades.rbegin(); trade != trades.rend(); ++trade) add(trade_text(*trade));
  } else {
    const auto rows = market.rows(listing, stream.timeframe, at - 240 * length_of(stream.timeframe),
                                  at + 1ns, at, 240, true);
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) add(candle_text(*row));
  }
  return out + "]";
}

std::unique_ptr<Feed> Bitfinex::feed(std::string_view name, bool, Time now) {
  const bool is_checksum = name.starts_with(checksum_prefix);
  if (is_checksum) name.remove_prefix(checksum_prefix.size());
  const auto stream = stream_of(name);
  if (!stream) return nullptr;
  const auto& subject = stream->subject;
  if (is_checksum) return make_checksums(subject, stream->levels, now);
  std::unique_ptr<Feed> feed;
  if (stream->channel == "trades") {
    feed = make_trade_feed(subject, TradeGroups::single, now,
                           [](std::string& out, std::span<const MarketTrade> trades) {
                             const auto text = trade_text(trades.front());
                             add_line(out, fmt::format(R"("te",{})", text));
                             add_line(out, fmt::format(R"("tu",{})", text));
                           });
  } else if (stream->channel == "ticker") {
    feed =
        make_ticker_feed(subject, ticker_period, now,
                         [](std::string& out, const DayFigures& day) { out += ticker_text(day); });
  } else if (stream->channel == "candles") {
    feed = make_candle_feed(
        subject, stream->timeframe, candle_period, now,
        [](std::string& out, const FormingCandle& candle) { out += candle_text(candle.row); });
  } else {
    feed =
        make_book_feed(subject, BookFrames::slots, book_slot, stream->levels, now, write_changes);
  }
  return make_channel(subject, std::move(feed), now);
}

// "1768478400000 [68900,1,0.5]" becomes [1234,[68900,1,0.5],17,1768478400000].
void Bitfinex::dress(Connection& connection, std::string_view stream, std::string& frame) const {
  if (stream.starts_with(checksum_prefix)) stream.remove_prefix(checksum_prefix.size());
  const auto number = connection.channel_ids.find(std::string(stream));
  const auto space = frame.find(' ');
  std::string out =
      fmt::format("[{},{}", number == connection.channel_ids.end() ? 0 : number->second,
                  std::string_view(frame).substr(space + 1));
  if (connection.is_numbered) out += fmt::format(",{}", ++connection.next_number);
  if (connection.is_stamped) out += "," + frame.substr(0, space);
  frame = out + "]";
}

Reply Bitfinex::refuse(Refusal refusal, std::int64_t retry_after_seconds, Time) const {
  switch (refusal) {
    case Refusal::too_many_requests:
    case Refusal::banned:
    case Refusal::too_many_connections: {
      Reply reply = error(429, 11010, "ratelimit: error");
      reply.headers.set("Retry-After", fmt::format("{}", retry_after_seconds));
      return reply;
    }
    case Refusal::internal:
      return error(500, 10001, "unknown error");
    case Refusal::bad_gateway:
      return error(502, 10001, "bad gateway");
    case Refusal::timeout:
      return error(504, 10001, "gateway time-out");
    case Refusal::unavailable:
      break;
  }
  return error(503, 20060, "maintenance");
}

}  // namespace

}  // namespace bitfinex

std::unique_ptr<Protocol> make_bitfinex(Market& market, const Faults& faults) {
  return std::make_unique<bitfinex::Bitfinex>(market, faults);
}

}  // namespace candlewick::simulator
