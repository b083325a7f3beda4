// One function a kind of event; the order of the keys is part of the form.
#include "market/event_json.h"

#include "base/json_text.h"

namespace candlewick {
namespace {

using json::Members;

Members begin(std::string& out, std::string_view type, const Origin& origin) {
  Members members(out);
  members("type", type);
  if (origin.instrument != nullptr) {
    members("exchange", origin.instrument->exchange)("symbol", origin.instrument->symbol)(
        "exchange_symbol", origin.instrument->exchange_symbol);
  }
  return members;
}

void end(Members& members, const Origin& origin) {
  members.optional("exchange_time", origin.exchange_time);
  members.optional("received_time", origin.received_time);
  members.close();
}

void append_levels(std::string& out, const std::vector<Level>& levels) {
  out += '[';
  bool first = true;
  for (const auto& level : levels) {
    if (!first) out += ',';
    first = false;
    out += '[';
    json::append(out, level.price);
    out += ',';
    json::append(out, level.size);
    out += ']';
  }
  out += ']';
}

struct Writer {
  std::string& out;

  void operator()(const Trade& trade) const {
    auto members = begin(out, "trade", trade.origin);
    if (!trade.text_id.empty()) {
      members("id", trade.text_id);
    } else if (trade.id != 0) {
      members("id", fmt::format("{}", trade.id));
    }
    members("price", trade.price)("size", trade.size);
    members.optional("quote_size", trade.quote_size);
    members("taker_side", to_text(trade.taker_side));
    if (trade.is_aggregate) {
      members("first_id", fmt::format("{}", trade.first_id))("last_id",
                                                             fmt::format("{}", trade.last_id));
    }
    end(members, trade.origin);
  }

  void operator()(const Quote& quote) const {
    auto members = begin(out, "quote", quote.origin);
    members("bid", quote.bid)("bid_size", quote.bid_size)("ask", quote.ask)("ask_size",
                                                                            quote.ask_size);
    members.optional("sequence", quote.sequence);
    end(members, quote.origin);
  }

  void operator()(const Ticker& ticker) const {
    auto members = begin(out, "ticker", ticker.origin);
    members.optional("last", ticker.last)
        .optional("open_24h", ticker.open_24h)
        .optional("high_24h", ticker.high_24h)
        .optional("low_24h", ticker.low_24h)
        .optional("volume_24h", ticker.volume_24h)
        .optional("quote_volume_24h", ticker.quote_volume_24h)
        .optional("change_pct_24h", ticker.change_pct_24h)
        .optional("bid", ticker.bid)
        .optional("bid_size", ticker.bid_size)
        .optional("ask", ticker.ask)
        .optional("ask_size", ticker.ask_size);
    end(members, ticker.origin);
  }

  void operator()(const Candle& candle) const {
    auto members = begin(out, "candle", candle.origin);
    members("timeframe", to_text(candle.timeframe))("open_time", candle.open_time)(
        "open", candle.open)("high", candle.high)("low", candle.low)("close", candle.close)(
        "volume", candle.volume);
    members.optional("quote_volume", candle.quote_volume)
        .optional("trade_count", candle.trade_count)
        .optional("taker_buy_volume", candle.taker_buy_volume)
        .optional("taker_buy_quote_volume", candle.taker_buy_quote_volume);
    members("is_closed", candle.is_closed)("source", to_text(candle.source))("revision",
                                                                             candle.revision);
    end(members, candle.origin);
  }

  void operator()(const BookUpdate& book) const {
    auto members = begin(out, "book", book.origin);
    members("kind", book.kind == BookKind::snapshot ? "snapshot" : "delta");
    if (book.is_partial) members("is_partial", true);
    members.optional("first_sequence", book.first_sequence)
        .optional("sequence", book.sequence)
        .optional("previous_sequence", book.previous_sequence)
        .optional("checksum", book.checksum);
    append_levels(members.name("bids"), book.bids);
    append_levels(members.name("asks"), book.asks);
    end(members, book.origin);
  }

  void operator()(const Top& top) const {
    auto members = begin(out, "top", top.origin);
    members("sequence", top.sequence)("bid", top.bid.price)("bid_size", top.bid.size)(
        "ask", top.ask.price)("ask_size", top.ask.size);
    end(members, top.origin);
  }

  void operator()(const Gap& gap) const {
    auto members = begin(out, "gap", gap.origin);
    members("stream", to_text(gap.stream))("expected", gap.expected)("got", gap.got)(
        "action", gap.action == GapAction::resync ? "resync" : "backfill");
    end(members, gap.origin);
  }

  void operator()(const ConnectionGap& gap) const {
    Members members(out);
    members("type", "gap")("exchange", gap.exchange)("stream", "connection")(
        "expected", gap.expected)("got", gap.got)("action", "resync");
    members.optional("received_time", gap.received_time).close();
  }

  void operator()(const Refusal& refusal) const {
    Members members(out);
    members("type", "error")("kind", refusal.kind)("exchange", refusal.exchange)("message",
                                                                                 refusal.message);
    members.optional("code", refusal.code).optional("received_time", refusal.received_time);
    members.close();
  }

  void operator()(const Listing& listing) const {
    auto members = begin(out, "instrument", listing.origin);
    const Instrument& instrument = *listing.origin.instrument;
    members("base", instrument.base)("quote", instrument.quote)(
        "market", to_text(instrument.market))("status", to_text(instrument.status));
    members.optional("tick_size", instrument.tick_size).optional("step_size", instrument.step_size);
    end(members, listing.origin);
  }

  void operator()(const ClockReading& reading) const {
    Members members(out);
    members("type", "clock")("exchange", reading.exchange)("exchange_time", reading.exchange_time);
    members.optional("received_time", reading.received_time).close();
  }

  void operator()(const AveragePrice& average) const {
    auto members = begin(out, "average_price", average.origin);
    members("price", average.price)("window_minutes", average.window_minutes);
    end(members, average.origin);
  }

  void operator()(const Derivative& derivative) const {
    auto members = begin(out, "derivative", derivative.origin);
    members.optional("mark_price", derivative.mark_price)
        .optional("index_price", derivative.index_price)
        .optional("funding_rate", derivative.funding_rate)
        .optional("next_funding_time", derivative.next_funding_time)
        .optional("open_interest", derivative.open_interest);
    end(members, derivative.origin);
  }

  void operator()(const ShutdownNotice& notice) const {
    Members members(out);
    members("type", "shutdown")("exchange", notice.exchange);
    members.optional("exchange_time", notice.exchange_time).close();
  }

  void operator()(const LimitNotice& notice) const {
    Members members(out);
    members("type", "limit")("exchange", notice.exchange)("kind", notice.kind)(
        "interval_seconds",
        std::chrono::duration_cast<std::chrono::seconds>(notice.interval).count())("limit",
                                                                                   notice.limit);
    members.close();
  }
};

}  // namespace

void append_json(std::string& out, const Event& event) {
  std::visit(Writer{out}, event);
}

std::string to_json(const Event& event) {
  std::string out;
  append_json(out, event);
  return out;
}

void append_ladder(std::string& out, const std::vector<Level>& levels, std::size_t limit) {
  out += '[';
  for (std::size_t i = 0; i < levels.size() && i < limit; ++i) {
    if (i != 0) out += ',';
    out += "[\"";
    json::append(out, levels[i].price);
    out += "\",\"";
    json::append(out, levels[i].size);
    out += "\"]";
  }
  out += ']';
}

}  // namespace candlewick
