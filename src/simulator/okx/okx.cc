// Connections and streams. A stream's name here is "books:BTC-USDT".
#include "simulator/okx/okx.h"

#include <algorithm>

#include "base/json.h"
#include "base/json_text.h"
#include "exchange/okx/okx.h"

namespace candlewick::simulator {
namespace okx {
namespace {

using namespace std::chrono_literals;

constexpr Duration book_slot = 100ms;
constexpr Duration ticker_period = 100ms;
constexpr Duration candle_period = 1s;
constexpr std::size_t book_levels = 400;
constexpr std::size_t most_operations_an_hour = 480;
constexpr std::string_view connection_id = "a4d3ae55";

struct Argument {
  std::string channel;
  std::string symbol;
};

struct Message {
  std::string id;
  std::string operation;
  std::vector<Argument> arguments;
};

Result<Message> read_message(std::string_view text) {
  Message message;
  json::Reader reader;
  const auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "id") message.id = value.raw();
      if (key == "op") message.operation = value.string();
      if (key != "args") return;
      value.elements([&](json::Value one) {
        Argument& argument = message.arguments.emplace_back();
        one.members([&](std::string_view name, json::Value part) {
          if (name == "channel") argument.channel = part.string();
          if (name == "instId") argument.symbol = part.string();
        });
      });
    });
  });
  if (!read) return fail(read.error());
  return message;
}

std::string with_id(const Message& message) {
  std::string out = "{";
  if (!message.id.empty()) {
    out += "\"id\":";
    json::append_string(out, message.id);
    out += ',';
  }
  return out;
}

void append_argument(std::string& out, const Argument& argument) {
  out += R"("arg":{"channel":)";
  json::append_string(out, argument.channel);
  out += R"(,"instId":)";
  json::append_string(out, argument.symbol);
  out += '}';
}

std::string acknowledgement(const Message& message, const Argument& argument) {
  std::string out = with_id(message) + "\"event\":\"" + message.operation + "\",";
  append_argument(out, argument);
  return out + fmt::format(R"(,"connId":"{}"}})", connection_id);
}

std::string refusal(const Message& message, std::string_view code, std::string_view why) {
  std::string out = with_id(message) + fmt::format(R"("event":"error","code":"{}","msg":)", code);
  json::append_string(out, why);
  return out + fmt::format(R"(,"connId":"{}"}})", connection_id);
}

std::string stream_of(const Argument& argument) {
  return argument.channel + ":" + argument.symbol;
}

std::string head(const Argument& argument) {
  std::string out = "{";
  append_argument(out, argument);
  return out;
}

std::string book_frame(const Argument& argument, std::string_view action, const BookChange& change,
                       Time told) {
  std::string out =
      head(argument) + R"(,"action":")" + std::string(action) + R"(","data":[{"asks":)";
  append_levels(out, change.asks);
  out += ",\"bids\":";
  append_levels(out, change.bids);
  out += ",\"ts\":";
  append_time(out, told);
  const std::string before = action == "snapshot" ? "-1" : fmt::format("{}", change.before);
  return out +
         fmt::format(R"(,"checksum":0,"seqId":{},"prevSeqId":{}}}]}})", change.number, before);
}

class Okx final : public Protocol {
 public:
  Okx(Market& market, const Faults& faults) : context_{market, faults} {}

  // Limits are really by endpoint, 20 requests in 2 seconds for the history of candles; an address
  // may open 3 connections a second.
  ProtocolLimits limits() const override {
    return {.weight_per_minute = 600, .connections_in_5_minutes = 900};
  }

  std::optional<Reply> open(const Request& request, Connection& /*connection*/) override {
    if (request.path == "/ws/v5/public" || request.path == "/ws/v5/business") return std::nullopt;
    return Reply{.status = 404, .headers = {}, .body = "Not Found"};
  }

  Answer receive(Connection& connection, std::string_view text, SteadyTime now, Time at) override {
    Answer answer;
    if (text == "ping") {
      answer.frames.emplace_back("pong");
      return answer;
    }
    const auto message = read_message(text);
    const bool is_known =
        message && (message->operation == "subscribe" || message->operation == "unsubscribe");
    if (!is_known) {
      answer.frames.push_back(
          refusal({}, "60012", "Illegal request: " + std::string(text.substr(0, 1000))));
      return answer;
    }
    auto& operations = connection.messages;
    while (!operations.empty() && now - operations.front() >= 1h) operations.pop_front();
    operations.push_back(now);
    if (operations.size() > most_operations_an_hour) {
      answer.frames.push_back(refusal(*message, "60014", "Requests too frequent"));
      return answer;
    }
    for (const auto& argument : message->arguments)
      take(connection, *message, argument, at, answer);
    return answer;
  }

  std::unique_ptr<Feed> feed(std::string_view stream, bool, Time now) override {
    const auto colon = stream.find(':');
    const Argument argument{std::string(stream.substr(0, colon)),
                            std::string(stream.substr(colon + 1))};
    const auto listing = context_.market.find(argument.symbol);
    if (!listing) return nullptr;
    return make(argument, {context_.market, context_.faults, *listing}, now);
  }

  std::string shutdown_notice(const Connection& connection, Time) const override {
    if (connection.path.ends_with("business")) return {};
    return fmt::format(
        R"({{"event":"notice","code":"64008","msg":"The connection will soon be closed for a )"
        R"(service upgrade. Please reconnect.","connId":"{}"}})",
        connection_id);
  }

  int weight(const Request&) const override { return 1; }
  RestSubject subject(const Request& request) const override {
    if (request.path.ends_with("candles")) return RestSubject::candles;
    return request.path.contains("/market/books") ? RestSubject::book : RestSubject::other;
  }
  Reply rest(const Request& request, const RestView& view) override {
    return answer(context_, request, view);
  }
  Reply refuse(Refusal refusal, std::int64_t, Time) const override {
    switch (refusal) {
      case Refusal::too_many_requests:
      case Refusal::banned:
        return error(429, "50011", "Too Many Requests");
      case Refusal::internal:
        return error(500, "50026", "System error. Try again later.");
      case Refusal::timeout:
        return error(400, "50004", "API endpoint request timeout.");
      case Refusal::unavailable:
        return error(503, "50001", "Service temporarily unavailable. Please try again later.");
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
  void take(Connection& connection, const Message& message, const Argument& argument, Time at,
            Answer& answer) {
    const std::string stream = stream_of(argument);
    if (message.operation == "unsubscribe") {
      std::erase(connection.streams, stream);
      return answer.frames.push_back(acknowledgement(message, argument));
    }
    const bool is_candle = argument.channel.starts_with("candle");
    const bool is_here = is_candle == connection.path.ends_with("business");
    const auto listing = context_.market.find(argument.symbol);
    const bool exists = is_here && listing && !context_.faults.has_vanished(argument.symbol) &&
                        make(argument, {context_.market, context_.faults, *listing}, at) != nullptr;
    if (!exists) {
      return answer.frames.push_back(
          refusal(message, "60018",
                  fmt::format("Wrong URL or channel:{},instId:{} doesn't exist. Please use the "
                              "correct URL, channel and parameters referring to API document.",
                              argument.channel, argument.symbol)));
    }
    const bool is_new = std::ranges::find(connection.streams, stream) == connection.streams.end();
    if (is_new) connection.streams.push_back(stream);
    answer.frames.push_back(acknowledgement(message, argument));
    if (is_new) begin(argument, {context_.market, context_.faults, *listing}, at, answer);
  }

  // What a new subscription is told at once.
  void begin(const Argument& argument, const Subject& subject, Time at, Answer& answer) const {
    if (argument.channel == "books") {
      Book book = book_on_grid(subject, book_slot, book_levels, at);
      answer.frames.push_back(book_frame(argument, "snapshot",
                                         {.before = 0,
                                          .number = book.sequence,
                                          .at = at,
                                          .bids = std::move(book.bids),
                                          .asks = std::move(book.asks)},
                                         subject.told(at)));
    } else if (argument.channel == "tickers") {
      std::string out = head(argument) + R"(,"data":[)";
      append_ticker(out, subject, day_figures(subject.market, subject.listing, at));
      answer.frames.push_back(out + "]}");
    }
  }

  static std::unique_ptr<Feed> make(const Argument& argument, const Subject& subject, Time now) {
    const auto& channel = argument.channel;
    if (channel == "books") {
      return make_book_feed(subject, BookFrames::slots, book_slot, book_levels, now,
                            [argument, subject](std::string& out, const BookChange& change) {
                              out = book_frame(argument, "update", change, subject.told(change.at));
                            });
    }
    if (channel == "books5" || channel == "bbo-tbt") {
      const bool is_quote = channel == "bbo-tbt";
      return make_ladder_feed(subject, is_quote ? 10ms : 100ms, is_quote ? 1 : 5, now,
                              [argument, subject](std::string& out, const Book& book, Time at) {
                                out = head(argument) + R"(,"data":[{"asks":)";
                                append_levels(out, book.asks);
                                out += ",\"bids\":";
                                append_levels(out, book.bids);
                                out += ",\"ts\":";
                                append_time(out, subject.told(at));
                                out += fmt::format(R"(,"seqId":{}}}]}})", book.sequence);
                              });
    }
    if (channel == "trades") {
      return make_trade_feed(
          subject, TradeGroups::orders, now,
          [argument, subject](std::string& out, std::span<const MarketTrade> trades) {
            write_trades(out, argument, subject, trades);
          });
    }
    if (channel == "tickers") {
      return make_ticker_feed(subject, ticker_period, now,
                              [argument, subject](std::string& out, const DayFigures& day) {
                                out = head(argument) + R"(,"data":[)";
                                append_ticker(out, subject, day);
                                out += "]}";
                              });
    }
    if (!channel.starts_with("candle")) return nullptr;
    const auto timeframe = exchange::okx::timeframe_of(std::string_view(channel).substr(6));
    if (!timeframe) return nullptr;
    return make_candle_feed(subject, *timeframe, candle_period, now,
                            [argument](std::string& out, const FormingCandle& candle) {
                              out = head(argument) + R"(,"data":[)";
                              append_candle(out, candle.row, candle.is_closed);
                              out += "]}";
                            });
  }

  // Matches of one order at one price are told as one, by the id of the last.
  static void write_trades(std::string& out, const Argument& argument, const Subject& subject,
                           std::span<const MarketTrade> trades) {
    Decimal size;
    std::uint64_t count = 0;
    for (const auto& trade : trades) {
      size = Decimal::from_count(size.count() + trade.size.count());
      count += trade.matches;
    }
    const auto& last = trades.back();
    out = head(argument) + R"(,"data":[{"instId":)";
    json::append_string(out, argument.symbol);
    out += fmt::format(R"(,"tradeId":"{}","px":"{}","sz":"{}","side":"{}","ts":)",
                       last.id + last.matches - 1, last.price.to_string(), size.to_string(),
                       last.taker_is_buyer ? "buy" : "sell");
    append_time(out, subject.told(last.time));
    out += fmt::format(R"(,"count":"{}"}}]}})", count);
  }

  Context context_;
};

}  // namespace
}  // namespace okx

std::unique_ptr<Protocol> make_okx(Market& market, const Faults& faults) {
  return std::make_unique<okx::Okx>(market, faults);
}

}  // namespace candlewick::simulator
