// Recordings to events, candles or rows.
#include "app/replay.h"

#include <map>

#include "app/command.h"
#include "base/line_reader.h"
#include "exchange/registry.h"
#include "feed/recording.h"
#include "market/event_json.h"
#include "pipeline/trade_candles.h"
#include "pipeline/venue_pipeline.h"

namespace candlewick::app {
namespace {

enum class Emission : unsigned char { events, candles, tops, rows };

// Candles of every instrument that trades, each from its own trades. A recording has either single
// trades or aggregates of an instrument; the first kind seen is the one used.
class FromTrades {
 public:
  explicit FromTrades(Timeframe timeframe) : timeframe_(timeframe) {}

  std::vector<Candle> apply(const Trade& trade) {
    const auto& instrument = *trade.origin.instrument;
    const auto entry =
        builders_
            .try_emplace(instrument.exchange_symbol, pipeline::TradeCandles(instrument, timeframe_),
                         trade.is_aggregate)
            .first;
    std::vector<Candle> closed;
    if (entry->second.is_aggregate == trade.is_aggregate)
      entry->second.candles.apply(trade, closed);
    return closed;
  }
  std::vector<Candle> finish(Time newest) {
    std::vector<Candle> closed;
    for (auto& [symbol, builder] : builders_) builder.candles.advance(newest, closed);
    return closed;
  }

 private:
  struct Builder {
    Builder(pipeline::TradeCandles from_trades, bool aggregate)
        : candles(std::move(from_trades)), is_aggregate(aggregate) {}
    pipeline::TradeCandles candles;
    bool is_aggregate;
  };
  Timeframe timeframe_;
  std::map<std::string, Builder> builders_;
};

class Printer final : public pipeline::PipelineOutput {
 public:
  Printer(Emission emission, bool from_trades, Timeframe timeframe)
      : emission_(emission), from_trades_(from_trades), trades_(timeframe) {}

  void on_row(schema::Row row) override {
    if (emission_ != Emission::rows) return;
    schema::append_json(output_.text(), row);
    output_.end_line();
  }

  void on_event(const Event& event) override {
    if (const auto* trade = std::get_if<Trade>(&event); trade != nullptr && from_trades_) {
      for (const auto& candle : trades_.apply(*trade)) candle_closed(candle);
    }
    const auto* candle = std::get_if<Candle>(&event);
    const bool always =
        std::holds_alternative<Gap>(event) || std::holds_alternative<Refusal>(event);
    const bool is_closed_candle = candle != nullptr && candle->is_closed && !from_trades_;
    const bool is_top = std::holds_alternative<Top>(event);
    if (always || (emission_ == Emission::events && !is_top) ||
        (emission_ == Emission::tops && is_top) ||
        (emission_ == Emission::candles && is_closed_candle)) {
      print(event);
    }
  }

  void finish(std::optional<Time> newest) {
    if (!newest) return;
    for (const auto& candle : trades_.finish(*newest)) candle_closed(candle);
  }

 private:
  void candle_closed(const Candle& candle) {
    if (emission_ == Emission::candles) print(candle);
    if (emission_ == Emission::rows)
      on_row(pipeline::candle_row(candle, candle.origin.received_time.value_or(candle.end_time())));
  }
  void print(const Event& event) {
    append_json(output_.text(), event);
    output_.end_line();
  }

  Emission emission_;
  bool from_trades_;
  FromTrades trades_;
  LineOutput output_;
};

Refusal refusal_of(const exchange::Venue& venue, const Error& error, std::optional<Time> received) {
  Refusal refusal;
  refusal.exchange = venue.name;
  refusal.kind = to_text(error.kind);
  refusal.message = error.message;
  refusal.received_time = received;
  return refusal;
}

Result<void> replay_file(const std::string& file, const exchange::Venue& venue,
                         exchange::Decoder& decoder, pipeline::VenuePipeline& pipeline) {
  auto reader = LineReader::open(file);
  if (!reader) return fail(ErrorKind::misconfigured, "--input: {}", reader.error().message);
  feed::RecordingParser parser;
  std::string line;
  std::string connection_url;
  Events events;
  for (;;) {
    const auto more = reader->next(line);
    if (!more) return fail(more.error());
    if (!*more) return {};
    if (line.empty()) continue;
    events.clear();
    const auto frame = parser.parse(line);
    if (!frame) {
      events.emplace_back(refusal_of(venue, frame.error(), std::nullopt));
    } else if (frame->direction == feed::Direction::open) {
      connection_url = frame->url;
    } else if (frame->direction != feed::Direction::out) {
      const bool is_reply = frame->direction == feed::Direction::http;
      const auto decoded = decoder.decode({.text = frame->text,
                                           .url = is_reply ? frame->url : connection_url,
                                           .received_time = frame->received_time,
                                           .is_reply = is_reply,
                                           .is_binary = frame->is_binary,
                                           .http_status = frame->http_status},
                                          events);
      if (!decoded) events.emplace_back(refusal_of(venue, decoded.error(), frame->received_time));
    }
    if (!events.empty()) pipeline.on_events(events);
  }
}

}  // namespace

int replay(const ReplayOptions& options) {
  const auto venue = venue_named(options.exchange, options.market);
  if (!venue) return report(venue.error());
  const auto timeframe = parse_timeframe(options.timeframe);
  if (!timeframe)
    return report({ErrorKind::misconfigured, "--timeframe: " + timeframe.error().message});
  const Emission emission = options.emit == "rows"      ? Emission::rows
                            : options.emit == "candles" ? Emission::candles
                            : options.emit == "tops"    ? Emission::tops
                                                        : Emission::events;
  const auto catalogue = exchange::make_catalogue(**venue);
  const auto decoder = (*venue)->make_decoder(*catalogue);
  pipeline::LatestBoard board;
  Printer printer(emission, options.candles_from == "trades", *timeframe);
  pipeline::VenuePipeline pipeline({.backfill = {.quiet_periods = (*venue)->quiet_periods},
                                    .book_rule = (*venue)->book_rule,
                                    .track_all = true},
                                   {}, board, printer);
  for (const auto& file : options.inputs) {
    const auto replayed = replay_file(file, **venue, *decoder, pipeline);
    if (!replayed) return report(replayed.error());
  }
  pipeline.finish();
  printer.finish(pipeline.venue_time());
  return done;
}

}  // namespace candlewick::app
