// Straight into one string: these forms are on the path of every /latest.
#include "stream/json_form.h"

#include <algorithm>

#include "market/event_json.h"

namespace candlewick::stream {
namespace {

struct CellWriter {
  std::string& out;

  void operator()(schema::Null) const { out += "null"; }
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(const std::string& words) const { json::append_string(out, words); }
  void operator()(const schema::Json& document) const { out += document.text; }
  template <class Number>
  void operator()(const Number& number) const {
    json::append(out, number);
  }
};

void append_origin(json::Members& members, const Origin& origin) {
  members.nullable("exchange_time", origin.exchange_time)
      .nullable("received_time", origin.received_time);
}

// Which of two events is the newer one; the venue's time where there is one.
std::optional<Time> moment_of(const Origin& origin) {
  return origin.exchange_time ? origin.exchange_time : origin.received_time;
}

}  // namespace

void append_names(json::Members& members, const Instrument& instrument) {
  members("exchange", instrument.exchange)("symbol", instrument.symbol)(
      "exchange_symbol", instrument.exchange_symbol)("market", to_text(instrument.market));
}

void append_candle(std::string& out, const query::Candle& candle) {
  json::Members members(out);
  members("timestamp", candle.timestamp)("open", candle.open)("high", candle.high)(
      "low", candle.low)("close", candle.close)("volume", candle.volume);
  members.nullable("quote_volume", candle.quote_volume)
      .nullable("trade_count", candle.trade_count)
      .nullable("taker_buy_volume", candle.taker_buy_volume)
      .nullable("taker_buy_quote_volume", candle.taker_buy_quote_volume);
  members("is_closed", candle.is_closed)("source", candle.source)("revision", candle.revision)(
      "ingested_at", candle.ingested_at);
  members.nullable("bars", candle.bars);
  members("is_complete", candle.is_complete).close();
}

void append_candle(std::string& out, const Candle& candle) {
  json::Members members(out);
  members("timestamp", candle.open_time)("open", candle.open)("high", candle.high)(
      "low", candle.low)("close", candle.close)("volume", candle.volume);
  members.nullable("quote_volume", candle.quote_volume)
      .nullable("trade_count", candle.trade_count)
      .nullable("taker_buy_volume", candle.taker_buy_volume)
      .nullable("taker_buy_quote_volume", candle.taker_buy_quote_volume);
  members("is_closed", candle.is_closed)("source", to_text(candle.source))("revision",
                                                                           candle.revision);
  members.raw("ingested_at", "null").raw("bars", "null");
  members("is_complete", candle.is_closed).close();
}

void append_columns(std::string& out, const schema::Row& row) {
  json::Members members(out);
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    std::visit(CellWriter{members.name(row.table->columns[i].name)}, row.values[i]);
  }
  members.close();
}

void append_ticker(std::string& out, const Ticker& ticker) {
  json::Members members(out);
  members.nullable("last", ticker.last)
      .nullable("open_24h", ticker.open_24h)
      .nullable("high_24h", ticker.high_24h)
      .nullable("low_24h", ticker.low_24h)
      .nullable("volume_24h", ticker.volume_24h)
      .nullable("quote_volume_24h", ticker.quote_volume_24h)
      .nullable("change_pct_24h", ticker.change_pct_24h)
      .nullable("bid", ticker.bid)
      .nullable("bid_size", ticker.bid_size)
      .nullable("ask", ticker.ask)
      .nullable("ask_size", ticker.ask_size);
  append_origin(members, ticker.origin);
  members.close();
}

void append_quote(std::string& out, const Quote& quote) {
  json::Members members(out);
  members("bid", quote.bid)("bid_size", quote.bid_size)("ask", quote.ask)("ask_size",
                                                                          quote.ask_size);
  members.nullable("sequence", quote.sequence);
  append_origin(members, quote.origin);
  members.close();
}

void append_book(std::string& out, const BookUpdate& book, std::size_t depth) {
  json::Members members(out);
  members.nullable("sequence", book.sequence);
  append_ladder(members.name("bids"), book.bids, depth);
  append_ladder(members.name("asks"), book.asks, depth);
  append_origin(members, book.origin);
  members.close();
}

void append_trade(std::string& out, const Trade& trade) {
  json::Members members(out);
  // As text: ids may be longer than a JavaScript number is exact.
  members("id", trade.text_id.empty() ? std::to_string(trade.id) : trade.text_id)(
      "price", trade.price)("size", trade.size)("taker_side", to_text(trade.taker_side));
  append_origin(members, trade.origin);
  members.close();
}

void append_ticker_row(std::string& out, const pipeline::Latest& latest, Time now) {
  json::Members members(out);
  append_names(members, *latest.instrument);
  members("stale", latest.is_stale).nullable("last_price", last_price(latest));
  append_times(members, latest.received_time, latest.exchange_time, now);
  std::string& ticker = members.name("ticker");
  if (latest.ticker) {
    append_ticker(ticker, *latest.ticker);
  } else {
    ticker += "null";
  }
  members.close();
}

void append_ladder_page(std::string& out, const Instrument& instrument, const BookUpdate& book,
                        std::size_t depth, Time now) {
  json::Members members(out);
  append_names(members, instrument);
  members.nullable("sequence", book.sequence);
  append_times(members, book.origin.received_time, book.origin.exchange_time, now);
  append_ladder(members.name("bids"), book.bids, depth);
  append_ladder(members.name("asks"), book.asks, depth);
  // How many levels are kept in memory, all of them whole: fewer than asked for is no sign of a
  // thin market.
  members("levels_kept", std::max(book.bids.size(), book.asks.size())).close();
}

void append_sequence(std::string& out, std::uint64_t sequence) {
  constexpr std::uint64_t first_inexact = std::uint64_t{1} << 53;
  if (sequence < first_inexact) {
    json::append(out, sequence);
  } else {
    out += '"';
    json::append(out, sequence);
    out += '"';
  }
}

void append_span(std::string& out, const query::CoverageSpan& span, SequenceForm form) {
  json::Members members(out);
  members("exchange", span.exchange)("symbol", span.symbol)("timeframe", span.timeframe)(
      "stream", span.stream)("from", span.from)("to", span.to)("state", span.state);
  members.nullable("cause", span.cause).nullable("evidence", span.evidence);
  members("recorded_at", span.recorded_at);
  std::string& sequence = members.name("seq");
  if (form == SequenceForm::text_if_long && span.seq >= 0) {
    append_sequence(sequence, static_cast<std::uint64_t>(span.seq));
  } else {
    json::append(sequence, span.seq);
  }
  members.close();
}

void append_times(json::Members& members, const std::optional<Time>& received_time,
                  const std::optional<Time>& exchange_time, Time now) {
  members.nullable("received_time", received_time).nullable("exchange_time", exchange_time);
  append_age(members.name("age_ms"), received_time, now);
}

void append_age(std::string& out, const std::optional<Time>& received_time, Time now) {
  if (!received_time) {
    out += "null";
    return;
  }
  const Duration age = now - *received_time;
  json::append(out, std::int64_t{std::chrono::floor<std::chrono::milliseconds>(age).count()});
}

std::optional<Decimal> last_price(const pipeline::Latest& latest) {
  std::optional<Decimal> price;
  std::optional<Time> newest;
  const auto consider = [&](const std::optional<Decimal>& value,
                            const std::optional<Time>& moment) {
    if (!value || (price && (!moment || (newest && *moment <= *newest)))) return;
    price = value;
    newest = moment;
  };
  if (latest.trade) consider(latest.trade->price, moment_of(latest.trade->origin));
  if (latest.ticker) consider(latest.ticker->last, moment_of(latest.ticker->origin));
  for (const auto* candles : {&latest.forming, &latest.closed}) {
    for (const auto& [timeframe, candle] : *candles) {
      consider(candle.close, moment_of(candle.origin));
    }
  }
  if (!price && latest.tick) {
    const auto* stored = std::get_if<Decimal>(&latest.tick->at("last_price"));
    if (stored != nullptr) price = *stored;
  }
  return price;
}

bool has_live_ladder(const pipeline::Latest& latest) {
  return latest.ladder && !latest.ladder_stale_since && !latest.is_stale;
}

bool has_data(const pipeline::Latest& latest) {
  return latest.tick || latest.ticker || latest.trade || latest.quote || latest.ladder ||
         latest.indicators || !latest.forming.empty() || !latest.closed.empty();
}

}  // namespace candlewick::stream
