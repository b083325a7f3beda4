// What the tests of stream/ share: a board with instruments, and a model of what a client holds.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "pipeline/coverage.h"
#include "pipeline/rows.h"
#include "stream/client.h"
#include "stream/hub.h"

namespace candlewick::stream::testing {

inline constexpr Time noon =
    std::chrono::sys_days{std::chrono::year{2026} / 1 / 15} + std::chrono::hours{12};

inline Decimal decimal(std::string_view text) {
  return *Decimal::parse(text);
}

// One message of the server, read back.
struct Told {
  std::string type;  // empty for replies
  std::string stream;
  std::uint64_t seq = 0;
  std::uint64_t from_seq = 0;
  std::uint64_t to_seq = 0;
  std::uint64_t count = 0;
  std::string data;
  std::string result;
  std::string id;
  std::string code;
  std::string param;
  std::string reason;
  std::string session;
};

inline Told read_told(std::string_view text) {
  Told told;
  json::Reader reader;
  const auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "type") told.type = value.string();
      if (key == "stream") told.stream = value.string();
      if (key == "seq") told.seq = value.unsigned_integer();
      if (key == "from_seq") told.from_seq = value.unsigned_integer();
      if (key == "to_seq") told.to_seq = value.unsigned_integer();
      if (key == "count") told.count = value.unsigned_integer();
      if (key == "data") told.data = value.text();
      if (key == "result") told.result = value.text();
      if (key == "id") told.id = value.text();
      if (key == "reason") told.reason = value.string();
      if (key == "session") told.session = value.string();
      if (key == "error") {
        value.members([&](std::string_view name, json::Value part) {
          if (name == "code") told.code = part.string();
          if (name == "param") told.param = part.string();
        });
      }
    });
  });
  EXPECT_TRUE(read) << text;
  return told;
}

// A hub over a board of two instruments, and events as a pipeline would tell them: the board first.
class World {
 public:
  explicit World(HubOptions options = default_options(), Intake::Limits limits = Intake::Limits())
      : bitcoin(board.add(bitcoin_of_binance)), ether(board.add(ether_of_binance)) {
    intake = std::make_unique<Intake>(board, limits);
    hub = std::make_unique<Hub>(
        Hub::Parts{
            .clock = clock,
            .board = board,
            .intake = *intake,
            .directory = {
                .find = [this](std::string_view symbol,
                               std::string_view exchange) -> std::optional<std::size_t> {
                  if (exchange != "binance" && exchange != "ccxt:gate") return std::nullopt;
                  const auto folded = folded_symbol(symbol);
                  for (std::size_t i = 0; i < board.instruments().size(); ++i) {
                    if (folded_symbol(board.instruments()[i]->symbol) == folded) return i;
                  }
                  return std::nullopt;
                },
                .has_exchange =
                    [](std::string_view name) { return name == "binance" || name == "ccxt:gate"; },
                .near = [](std::string_view) { return std::vector<std::string>{"BTC/USDT"}; }},
            .ask_coverage =
                [this](const Instrument&, std::function<void(Hub::Spans)> answer) {
                  asked.push_back(std::move(answer));
                }},
        std::move(options));
  }

  static HubOptions default_options() {
    return {.session = "5f2c9a", .timeframes = {Timeframe::m1, Timeframe::h1}};
  }

  void trade(std::uint64_t id) {
    Trade trade{.origin = {.instrument = &bitcoin_of_binance,
                           .exchange_time = clock.now(),
                           .received_time = clock.now()},
                .id = id,
                .price = decimal("64000.1"),
                .size = decimal("0.5")};
    bitcoin.with([&](pipeline::Latest& latest) { latest.trade = trade; });
    intake->on_event(trade);
  }
  void quote(std::int64_t bid) {
    bitcoin.with([&](pipeline::Latest& latest) {
      latest.quote = Quote{.origin = {.instrument = &bitcoin_of_binance,
                                      .exchange_time = clock.now(),
                                      .received_time = clock.now()},
                           .bid = Decimal{bid},
                           .bid_size = Decimal{1},
                           .ask = Decimal{bid + 1},
                           .ask_size = Decimal{2}};
      latest.is_stale = false;
      latest.received_time = clock.now();
    });
  }
  void book(std::int64_t bid) {
    bitcoin.with([&](pipeline::Latest& latest) {
      latest.ladder = BookUpdate{.origin = {.instrument = &bitcoin_of_binance,
                                            .exchange_time = clock.now(),
                                            .received_time = clock.now()},
                                 .sequence = static_cast<std::uint64_t>(bid),
                                 .bids = {{Decimal{bid}, Decimal{1}}},
                                 .asks = {{Decimal{bid + 1}, Decimal{1}}}};
      latest.ladder_stale_since.reset();
      latest.is_stale = false;
    });
  }
  Candle candle_at(Time open, std::int64_t close, bool is_closed, std::int32_t revision = 0) const {
    return {.origin = {.instrument = &bitcoin_of_binance,
                       .exchange_time = clock.now(),
                       .received_time = clock.now()},
            .open_time = open,
            .open = Decimal{100},
            .high = Decimal{1000},
            .low = Decimal{1},
            .close = Decimal{close},
            .volume = Decimal{close},
            .is_closed = is_closed,
            .revision = revision};
  }
  void candle(const Candle& candle) {
    bitcoin.with([&](pipeline::Latest& latest) {
      auto& closed = latest.closed;
      if (!candle.is_closed) {
        latest.forming.insert_or_assign(candle.timeframe, candle);
        return;
      }
      const auto known = closed.find(candle.timeframe);
      if (known == closed.end() || known->second.open_time <= candle.open_time)
        closed.insert_or_assign(candle.timeframe, candle);
      const auto running = latest.forming.find(candle.timeframe);
      if (running != latest.forming.end() && running->second.open_time <= candle.open_time)
        latest.forming.erase(running);
    });
    intake->on_event(candle);
  }
  void assertion(Time from, Time to, std::string_view state) {
    intake->on_row(pipeline::coverage_row(
        {.instrument = &bitcoin_of_binance,
         .span = {from, to},
         .state = pipeline::parse_coverage_state(state).value_or(pipeline::CoverageState::missing),
         .cause = {},
         .evidence = {}},
        clock.now(), coverage_sequence));
  }
  void pass(Duration time) {
    clock.advance(time);
    pump();
  }
  void pump() {
    while (hub->pump() == Duration{0}) {
    }
  }

  Instrument bitcoin_of_binance{.exchange = "binance",
                                .symbol = "BTC/USDT",
                                .exchange_symbol = "BTCUSDT",
                                .base = "BTC",
                                .quote = "USDT"};
  Instrument ether_of_binance{.exchange = "binance",
                              .symbol = "ETH/USDT",
                              .exchange_symbol = "ETHUSDT",
                              .base = "ETH",
                              .quote = "USDT"};
  FakeClock clock{noon};
  pipeline::LatestBoard board;
  pipeline::LatestBoard::Slot& bitcoin;
  pipeline::LatestBoard::Slot& ether;
  pipeline::CoverageSequence coverage_sequence;
  std::vector<std::function<void(Hub::Spans)>> asked;
  std::unique_ptr<Intake> intake;
  std::unique_ptr<Hub> hub;
};

// A client that takes what it is given, when it is told to.
class Listening {
 public:
  explicit Listening(World& world, ClientLimits limits = {})
      : client(std::make_unique<Client>(*world.hub, world.clock, limits, [this] { ++woken; })) {
    hello = read_told(*client->next());
  }
  // What waits, read back.
  std::vector<Told> take() {
    std::vector<Told> told;
    while (const Text text = client->next()) told.push_back(read_told(*text));
    return told;
  }
  void say(std::string_view text) { client->receive(text, false); }
  Told ask(std::string_view text) {
    say(text);
    const auto told = take();
    EXPECT_FALSE(told.empty()) << text;
    return told.empty() ? Told{} : told.front();
  }
  void subscribe(std::string_view stream) {
    say(fmt::format(R"({{"method":"SUBSCRIBE","params":["{}"],"id":1}})", stream));
  }

  int woken = 0;
  Told hello;
  std::unique_ptr<Client> client;
};

}  // namespace candlewick::stream::testing
