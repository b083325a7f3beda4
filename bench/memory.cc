// What a subscribed stream keeps resident while nothing happens on it: feed, sessions, decoders,
// pipeline and board of one venue with a thousand instruments of four streams each, connected and
// quiet; and what the history behind an instrument's candles adds.
//
// No sockets: the kernel's buffers of a connection, which a thousand streams share, are not in it.
#include <malloc.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <unordered_map>

#include <fmt/format.h>
#include <unistd.h>

#include "base/observation.h"
#include "bench/measure.h"
#include "exchange/registry.h"
#include "feed/venue_feed.h"
#include "pipeline/venue_pipeline.h"

namespace candlewick::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t instrument_count = 1'000;
constexpr std::size_t with_history = 100;
constexpr std::int64_t history_candles = 49 * 60;
constexpr Time start_time{std::chrono::minutes{28'000'000}};

double resident_bytes() {
  malloc_trim(0);  // what was freed is not kept for a stream
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Connections that are open and silent.
class QuietPort final : public feed::Port {
 public:
  void open(feed::ConnectionId connection, const std::string& /*url*/) override {
    opened.push_back(connection);
  }
  void send(feed::ConnectionId /*connection*/, std::string /*message*/) override {}
  void close(feed::ConnectionId /*connection*/) override {}
  void request(feed::RequestId, const std::string&, const exchange::RestRequest&) override {}

  std::vector<feed::ConnectionId> opened;
};

class NoRows final : public pipeline::PipelineOutput {
 public:
  void on_row(schema::Row /*row*/) override {}
};

pipeline::Memory history(const Instrument& instrument) {
  pipeline::Memory memory;
  for (std::int64_t i = 0; i < history_candles; ++i) {
    Candle candle;
    candle.origin.instrument = &instrument;
    candle.open_time = start_time - (history_candles - i) * 1min;
    candle.open = Decimal{60'000 + i % 97};
    candle.high = Decimal{60'100 + i % 89};
    candle.low = Decimal{59'900 - i % 83};
    candle.close = Decimal{60'010 + i % 79};
    candle.volume = Decimal{1 + i % 7};
    candle.quote_volume = Decimal{60'000 * (1 + i % 7)};
    candle.trade_count = 1'000;
    candle.taker_buy_volume = Decimal{1};
    candle.taker_buy_quote_volume = Decimal{60'000};
    candle.is_closed = true;
    memory.candles.push_back(candle);
  }
  return memory;
}

Result<void> run() {
  const auto* venue = exchange::find_venue("binance");
  const auto catalogue = exchange::make_catalogue(*venue);
  pipeline::LatestBoard board;
  QuietPort port;
  NoRows rows;
  NullObserver observer;
  const double before = resident_bytes();

  std::vector<const Instrument*> instruments;
  for (std::size_t i = 0; i < instrument_count; ++i) {
    instruments.push_back(catalogue->find_or_infer(fmt::format("COIN{}USDT", i)));
    if (instruments.back() == nullptr) return fail(ErrorKind::rejected, "no such instrument");
  }
  pipeline::VenuePipeline pipeline({}, instruments, board, rows);
  feed::VenueFeed feed(*venue, *catalogue, {}, port, pipeline, observer);
  std::vector<exchange::Channel> channels;
  using exchange::ChannelKind;
  for (const auto* instrument : instruments) {
    for (const auto kind :
         {ChannelKind::candles, ChannelKind::ticker, ChannelKind::quotes, ChannelKind::ladder}) {
      channels.push_back({.kind = kind, .timeframe = Timeframe::m1, .instrument = instrument});
    }
  }
  const auto streams = static_cast<double>(channels.size());
  feed::Moment moment{SteadyTime{}, start_time};
  feed.subscribe(std::move(channels), moment);
  for (std::size_t i = 0; i < port.opened.size(); ++i) feed.on_open(port.opened[i], moment);
  // All subscriptions go out at the venue's pace.
  for (int tick = 0; tick < 20; ++tick) {
    moment.steady += 1s;
    moment.wall += 1s;
    for (const auto connection : port.opened) feed.on_control(connection, moment);
    feed.on_tick(moment);
  }
  const double subscribed = resident_bytes();
  print_sample("memory/idle stream", "ours", (subscribed - before) / streams, "bytes");

  for (std::size_t i = 0; i < with_history; ++i) {
    if (auto done = pipeline.remember(*instruments[i], Timeframe::m1, history(*instruments[i]));
        !done) {
      return done;
    }
  }
  print_sample("memory/candle history of 49 h", "ours",
               (resident_bytes() - subscribed) / static_cast<double>(with_history), "bytes");
  return {};
}

}  // namespace
}  // namespace candlewick::bench

int main() {
  const auto done = candlewick::bench::run();
  return done ? 0 : candlewick::bench::report(done.error());
}
