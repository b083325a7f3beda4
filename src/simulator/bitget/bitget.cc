// Connections and streams. A stream's name here is "books:BTCUSDT".
#include "simulator/bitget/bitget.h"

#include <algorithm>

#include "base/json.h"
#include "base/json_text.h"
#include "exchange/bitget/bitget.h"

namespace candlewick::simulator {
namespace bitget {
namespace {

using namespace std::chrono_literals;

constexpr Duration book_slot = 150ms;
constexpr Duration ticker_period = 150ms;
constexpr Duration candle_period = 1s;
constexpr std::size_t book_levels = 500;
constexpr std::size_t summed_levels = 25;
constexpr std::size_t most_subscriptions_an_hour = 240;
constexpr std::size_t recent_trades = 20;
constexpr int recent_candles = 10;

struct Argument {
  std::string type;
  std::string channel;
  std::string symbol;
};

struct Message {
  std::string operation;
  std::vector<Argument> arguments;
};

Result<Message> read_message(std::string_view text) {
  Message message;
  json::Reader reader;
  const auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "op") message.operation = value.string();
      if (key != "args") return;
      value.elements([&](json::Value one) {
        Argument& argument = message.arguments.emplace_back();
        one.members([&](std::string_view name, json::Value part) {
          if (name == "instType") argument.type = part.string();
          if (name == "channel") argument.channel = part.string();
          if (name == "instId") argument.symbol = part.string();
        });
      });
    });
  });
  if (!read) return fail(read.error());
  return message;
}

void append_argument(std::string& out, const Argument& argument) {
  out += R"("arg":{"instType":)";
  json::append_string(out, argument.type);
  out += R"(,"channel":)";
  json::append_string(out, argument.channel);
  out += R"(,"instId":)";
  json::append_string(out, argument.symbol);
  out += '}';
}

std::string acknowledgement(std::string_view operation, const Argument& argument) {
  std::string out = fmt::format(R"({{"event":"{}",)", operation);
  append_argument(out, argument);
  return out + '}';
}

std::string refusal(std::string_view operation, const Argument& argument, int code,
                    std::string_view why) {
  std::string out = R"({"event":"error",)";
  append_argument(out, argument);
  out += fmt::format(R"(,"code":{},"msg":)", code);
  json::append_string(out, why);
  return out + fmt::format(R"(,"op":"{}"}})", operation);
}

std::string stream_of(const Argument& argument) {
  return argument.channel + ":" + argument.symbol;
}

std::string head(std::string_view action, const Argument& argument) {
  std::string out = fmt::format(R"({{"action":"{}",)", action);
  append_argument(out, argument);
  return out + R"(,"data":[)";
}

std::string tail(Time told) {
  return fmt::format("],\"ts\":{}}}", to_ms(told));
}

// Over the text of the best levels, as the venue's description has it.
std::int32_t checksum_of(const Listing& listing, const Book& book) {
  return static_cast<std::int32_t>(exchange::bitget::checksum(
      std::span(book.bids).first(std::min(book.bids.size(), summed_levels)),
      std::span(book.asks).first(std::min(book.asks.size(), summed_levels)), listing.price_digits,
      listing.size_digits));
}

class Bitget final : public Protocol {
 public:
  Bitget(Market& market, const Faults& faults) : context_{market, faults} {}

  // Limits are really by endpoint, 20 requests a second and address.
  ProtocolLimits limits() const override { return {.weight_per_minute = 1200}; }

  std::optional<Reply> open(const Request& request, Connection& /*connection*/) override {
    if (request.path == "/v2/ws/public") return std::nullopt;
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
      answer.frames.push_back(refusal("", {}, 30002, "Illegal request"));
      return answer;
    }
    auto& operations = connection.messages;
    while (!operations.empty() && now - operations.front() >= 1h) operations.pop_front();
    if (message->operation == "subscribe") operations.push_back(now);
    for (const auto& argument : message->arguments) {
      if (operations.size() > most_subscriptions_an_hour) {
        answer.frames.push_back(refusal(message->operation, argument, 30007, "request over limit"));
      } else {
        take(connection, message->operation, argument, at, answer);
      }
    }
    return answer;
  }

  std::unique_ptr<Feed> feed(std::string_view stream, bool, Time now) override {
    const auto colon = stream.find(':');
    const Argument argument{"SPOT", std::string(stream.substr(0, colon)),
                            std::string(stream.substr(colon + 1))};
    const auto listing = context_.market.find(argument.symbol);
    if (!listing) return nullptr;
    return make(argument, {context_.market, context_.faults, *listing}, now);
  }

  int weight(const Request&) const override { return 1; }
  RestSubject subject(const Request& request) const override {
    if (request.path.ends_with("candles")) return RestSubject::candles;
    return request.path.ends_with("/orderbook") ? RestSubject::book : RestSubject::other;
  }
  Reply rest(const Request& request, const RestView& view) override {
    return answer(context_, request, view);
  }
  Reply refuse(Refusal refusal, std::int64_t, Time) const override {
    switch (refusal) {
      case Refusal::too_many_requests:
      case Refusal::banned:
      case Refusal::too_many_connections:
        return error(429, "429", "Too Many Requests");
      case Refusal::internal:
        return error(500, "40015", "System is abnormal, please try again later");
      case Refusal::timeout:
        return error(400, "40010", "Request timed out");
      case Refusal::unavailable:
        return error(503, "40725", "Service return an error");
      case Refusal::bad_gateway:
        break;
    }
    return {.status = 502,
            .headers = {{"Content-Type", "text/html"}},
            .body = "<html><head><title>502 Bad Gateway</title></head></html>"};
  }

 private:
  void take(Connection& connection, const std::string& operation, const Argument& argument, Time at,
            Answer& answer) {
    const std::string stream = stream_of(argument);
    if (operation == "unsubscribe") {
      std::erase(connection.streams, stream);
      return answer.frames.push_back(acknowledgement(operation, argument));
    }
    const auto listing = context_.market.find(argument.symbol);
    const bool exists = argument.type == "SPOT" && listing &&
                        !context_.faults.has_vanished(argument.symbol) &&
                        make(argument, {context_.market, context_.faults, *listing}, at) != nullptr;
    if (!exists) {
      return answer.frames.push_back(
          refusal(operation, argument, 30001,
                  fmt::format("instType:{},channel:{},instId:{} doesn't exist", argument.type,
                              argument.channel, argument.symbol)));
    }
    const bool is_new = std::ranges::find(connection.streams, stream) == connection.streams.end();
    if (is_new) connection.streams.push_back(stream);
    answer.frames.push_back(acknowledgement(operation, argument));
    if (is_new) begin(argument, {context_.market, context_.faults, *listing}, at, answer);
  }

  // What a new subscription is told at once.
  static void begin(const Argument& argument, const Subject& subject, Time at, Answer& answer) {
    std::string out = head("snapshot", argument);
    if (argument.channel == "books") {
      const Book book = book_on_grid(subject, book_slot, book_levels, at);
      append_book(out, subject, book.bids, book.asks, at);
      out += fmt::format(R"(,"checksum":{},"pseq":0,"seq":{}}})",
                         checksum_of(listing_of(subject), book), book.sequence);
    } else if (argument.channel == "ticker") {
      append_ticker(out, subject, day_figures(subject.market, subject.listing, at), true);
    } else if (argument.channel == "trade") {
      auto trades = subject.market.trades(subject.listing, Time{}, at, recent_trades, true);
      std::ranges::reverse(trades);
      for (std::size_t i = 0; i < trades.size(); ++i) {
        if (i != 0) out += ',';
        append_trade(out, subject, trades[i], true);
      }
    } else if (const auto timeframe = timeframe_of(argument)) {
      Time start = open_of(*timeframe, at);
      for (int i = 1; i < recent_candles; ++i) start = previous_open(*timeframe, start);
      bool is_first = true;
      for (const auto& row : subject.market.rows(subject.listing, *timeframe, start, at + 1ns, at,
                                                 recent_candles, true)) {
        if (!std::exchange(is_first, false)) out += ',';
        append_candle(out, row);
      }
    } else {
      return;
    }
    answer.frames.push_back(out + tail(subject.told(at)));
  }

  static const Listing& listing_of(const Subject& subject) {
    return subject.market.listings()[subject.listing];
  }
  static std::optional<Timeframe> timeframe_of(const Argument& argument) {
    if (!argument.channel.starts_with("candle")) return std::nullopt;
    return exchange::bitget::timeframe_of_channel(std::string_view(argument.channel).substr(6));
  }

  // Open at its end: more members may follow.
  static void append_book(std::string& out, const Subject& subject, const std::vector<Level>& bids,
                          const std::vector<Level>& asks, Time at) {
    out += "{\"asks\":";
    append_levels(out, listing_of(subject), asks);
    out += ",\"bids\":";
    append_levels(out, listing_of(subject), bids);
    out += fmt::format(R"(,"ts":"{}")", to_ms(subject.told(at)));
  }

  static std::unique_ptr<Feed> make(const Argument& argument, const Subject& subject, Time now) {
    const auto& channel = argument.channel;
    if (channel == "books") {
      return make_book_feed(subject, BookFrames::slots, book_slot, book_levels, now,
                            [argument, subject](std::string& out, const BookChange& change) {
                              const Book after =
                                  subject.market.book(subject.listing, change.at, summed_levels);
                              out = head("update", argument);
                              append_book(out, subject, change.bids, change.asks, change.at);
                              out += fmt::format(R"(,"checksum":{},"pseq":{},"seq":{}}})",
                                                 checksum_of(listing_of(subject), after),
                                                 change.before, change.number);
                              out += tail(subject.told(change.at));
                            });
    }
    if (channel == "books1" || channel == "books5" || channel == "books15") {
      const std::size_t levels = channel == "books1" ? 1 : channel == "books5" ? 5 : 15;
      return make_ladder_feed(subject, levels == 1 ? 20ms : 150ms, levels, now,
                              [argument, subject](std::string& out, const Book& book, Time at) {
                                out = head("snapshot", argument);
                                append_book(out, subject, book.bids, book.asks, at);
                                out += fmt::format(R"(,"checksum":0,"seq":{}}})", book.sequence);
                                out += tail(subject.told(at));
                              });
    }
    if (channel == "trade") {
      return make_trade_feed(
          subject, TradeGroups::single, now,
          [argument, subject](std::string& out, std::span<const MarketTrade> trades) {
            out = head("update", argument);
            append_trade(out, subject, trades.front(), true);
            out += tail(subject.told(trades.front().time));
          });
    }
    if (channel == "ticker") {
      return make_ticker_feed(subject, ticker_period, now,
                              [argument, subject](std::string& out, const DayFigures& day) {
                                out = head("snapshot", argument);
                                append_ticker(out, subject, day, true);
                                out += tail(subject.told(day.at));
                              });
    }
    const auto timeframe = timeframe_of(argument);
    if (!timeframe) return nullptr;
    return make_candle_feed(subject, *timeframe, candle_period, now,
                            [argument, subject](std::string& out, const FormingCandle& candle) {
                              out = head("update", argument);
                              append_candle(out, candle.row);
                              out += tail(subject.told(candle.at));
                            });
  }

  Context context_;
};

}  // namespace
}  // namespace bitget

std::unique_ptr<Protocol> make_bitget(Market& market, const Faults& faults) {
  return std::make_unique<bitget::Bitget>(market, faults);
}

}  // namespace candlewick::simulator
