// Lines of the sidecar to events. A frame says what it is; a reply is told apart by what was asked.
// The order of members is the sidecar's business, so data is read once all else is known.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/json.h"
#include "exchange/ccxt/ccxt.h"
#include "exchange/reading.h"

namespace candlewick::exchange::ccxt {
namespace {

using namespace std::chrono_literals;

// What CCXT calls a timestamp is whatever a venue's field means, the end of a day's window too:
// those that are so far ahead of our own clock tell no time.
constexpr Duration furthest_ahead = 1min;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

class CcxtDecoder final : public Decoder {
 public:
  explicit CcxtDecoder(Catalogue& catalogue) : catalogue_(catalogue) {}

  std::uint64_t inexact_decimals() const override {
    return reader_.inexact_decimals() + frame_reader_.inexact_decimals() +
           data_reader_.inexact_decimals();
  }

  Result<void> decode(const Frame& frame, Events& out) override {
    const std::size_t before = out.size();
    received_ = frame.received_time;
    auto decoded = frame.is_reply ? decode_reply(frame, out) : decode_frame(frame.text, out);
    if (!decoded) out.resize(before);
    return decoded;
  }

 private:
  using Step = void (CcxtDecoder::*)(json::Value& data, Events& out);

  // {"connection":1,"frame":{"type":"ticker","symbol":"BTC/USDT","data":{…}}}
  Result<void> decode_frame(std::string_view line, Events& out) {
    std::string_view frame;
    auto read = reader_.read(line, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "frame") frame = value.text();
      });
    });
    if (!read || frame.empty()) return read;
    std::string type;
    std::string symbol;
    std::string timeframe;
    std::string channel;
    std::string message;
    std::string_view data;
    read = frame_reader_.read(frame, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "type") type = value.string();
        if (key == "symbol") symbol = value.string();
        if (key == "timeframe") timeframe = value.string();
        if (key == "channel") channel = value.string();
        if (key == "message") message = value.string();
        if (key == "data") data = value.text();
      });
    });
    if (!read) return read;
    if (type == "refused")
      return fail(ErrorKind::rejected, "{} of {}: {}", channel, symbol, message);
    const Step step = type == "candles"  ? &CcxtDecoder::candles
                      : type == "ticker" ? &CcxtDecoder::ticker
                      : type == "ladder" ? &CcxtDecoder::ladder
                      : type == "trades" ? &CcxtDecoder::trades
                                         : nullptr;
    if (step == nullptr) return {};
    source_ = Source::ws;
    return decode_data(step, data, symbol, timeframe, out);
  }

  // {"id":3,"limit":500,"result":[…]}, or {"id":3,"error":{"kind":"rejected","message":"…"}}
  Result<void> decode_reply(const Frame& frame, Events& out) {
    std::string_view result;
    std::string_view error;
    limit_ = 0;
    auto read = reader_.read(frame.text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "result") result = value.text();
        if (key == "error") error = value.text();
        if (key == "limit") limit_ = value.unsigned_integer();
      });
    });
    if (!read) return read;
    if (!error.empty()) return refused(error);
    const auto path = path_of(frame.url);
    const Step step = path == "/candles"   ? &CcxtDecoder::candles
                      : path == "/ticker"  ? &CcxtDecoder::ticker
                      : path == "/depth"   ? &CcxtDecoder::ladder
                      : path == "/trades"  ? &CcxtDecoder::trades
                      : path == "/markets" ? &CcxtDecoder::markets
                      : path == "/time"    ? &CcxtDecoder::time
                                           : nullptr;
    if (step == nullptr) return {};
    source_ = Source::rest;
    const auto since = number(parameter(frame.url, "since"));
    since_ = since ? std::optional{time_from_ms(static_cast<std::int64_t>(*since))} : std::nullopt;
    return decode_data(step, result, parameter(frame.url, "symbol"),
                       parameter(frame.url, "timeframe"), out);
  }

  Result<void> refused(std::string_view error) {
    std::string message;
    auto read = frame_reader_.read(error, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "message") message = value.string();
      });
    });
    if (!read) return read;
    return fail(ErrorKind::rejected, "{}", message);
  }

  Result<void> decode_data(Step step, std::string_view data, std::string_view symbol,
                           std::string_view timeframe, Events& out) {
    if (data.empty()) return fail(ErrorKind::malformed, "nothing is told");
    instrument_ = symbol.empty() ? nullptr : catalogue_.find_or_infer(symbol);
    if (instrument_ == nullptr && step != &CcxtDecoder::markets && step != &CcxtDecoder::time)
      return fail(ErrorKind::malformed, "unknown symbol \"{}\"", symbol.substr(0, 40));
    if (step == &CcxtDecoder::candles) {
      const auto known = parse_timeframe(timeframe);
      if (!known) return fail(ErrorKind::malformed, "{}", known.error().message);
      timeframe_ = *known;
    }
    listed_.clear();
    auto read = data_reader_.read(data, [&](json::Value root) { (this->*step)(root, out); });
    if (!read) return read;
    for (auto& instrument : listed_) {
      const auto& known = catalogue_.put(std::move(instrument));
      out.emplace_back(Listing{{&known, std::nullopt, received_}});
    }
    return {};
  }

  Origin origin(std::optional<Time> exchange_time) const {
    if (exchange_time && received_ && *exchange_time > *received_ + furthest_ahead)
      exchange_time.reset();
    return {instrument_, exchange_time, received_};
  }

  // Of milliseconds; null is none.
  static std::optional<Time> optional_time(json::Value& value) {
    if (value.is_null()) return std::nullopt;
    return value.time_ms();
  }

  // [[1763726400000,"131.01","131.10","130.95","131.07","12.5"],…]: time, open, high, low, close,
  // volume.
  void candles(json::Value& rows, Events& out) {
    std::optional<Time> first;
    std::size_t count = 0;
    rows.elements([&](json::Value row) {
      Candle candle;
      candle.origin = {instrument_, std::nullopt, received_};
      candle.timeframe = timeframe_;
      candle.source = source_;
      candle.closed_is_known = source_ == Source::ws;
      std::size_t column = 0;
      row.elements([&](json::Value value) {
        switch (column++) {
          case 0:
            candle.open_time = value.time_ms();
            break;
          case 1:
            candle.open = amount(value);
            break;
          case 2:
            candle.high = amount(value);
            break;
          case 3:
            candle.low = amount(value);
            break;
          case 4:
            candle.close = amount(value);
            break;
          case 5:
            candle.volume = amount(value);
            break;
          default:
            break;
        }
      });
      if (column < 6) return row.reject("a candle has six columns");
      first = std::min(first.value_or(candle.open_time), candle.open_time);
      ++count;
      out.emplace_back(std::move(candle));
    });
    if (source_ == Source::rest) note_reach(first, count, out);
  }

  // A full answer that begins later than was asked is that of a venue that has nothing older to
  // tell, whatever it traded then.
  void note_reach(std::optional<Time> first, std::size_t count, Events& out) const {
    if (!since_ || !first || limit_ == 0 || count < limit_) return;
    Time from = open_of(timeframe_, *since_);
    if (from < *since_) from = next_open(timeframe_, from);
    if (*first <= from) return;
    out.emplace_back(Gap{.origin = {instrument_, std::nullopt, received_},
                         .stream = Stream::candles,
                         .expected = to_rfc3339(from),
                         .got = to_rfc3339(*first),
                         .action = GapAction::backfill});
  }

  // {"symbol":"BTC/USDT","timestamp":1763726400105,"last":"131.07","open":null,…}
  void ticker(json::Value& data, Events& out) {
    Ticker ticker;
    std::optional<Time> time;
    data.members([&](std::string_view key, json::Value value) {
      if (key == "timestamp") time = optional_time(value);
      if (key == "last") ticker.last = optional_amount(value);
      if (key == "open") ticker.open_24h = optional_amount(value);
      if (key == "high") ticker.high_24h = optional_amount(value);
      if (key == "low") ticker.low_24h = optional_amount(value);
      if (key == "volume") ticker.volume_24h = optional_amount(value);
      if (key == "quote_volume") ticker.quote_volume_24h = optional_amount(value);
      if (key == "change_pct" && !value.is_null()) ticker.change_pct_24h = value.decimal();
      if (key == "bid") ticker.bid = optional_amount(value);
      if (key == "bid_size") ticker.bid_size = optional_amount(value);
      if (key == "ask") ticker.ask = optional_amount(value);
      if (key == "ask_size") ticker.ask_size = optional_amount(value);
    });
    ticker.origin = origin(time);
    out.emplace_back(std::move(ticker));
  }

  // {"timestamp":1763726400250,"bids":[["131.07","18.9"]],"asks":[["131.08","40.12"]]}
  void ladder(json::Value& data, Events& out) {
    BookUpdate book;
    book.kind = BookKind::snapshot;
    book.is_partial = true;
    std::optional<Time> time;
    data.members([&](std::string_view key, json::Value value) {
      if (key == "timestamp") time = optional_time(value);
      if (key == "bids") read_levels(value, book.bids);
      if (key == "asks") read_levels(value, book.asks);
    });
    book.origin = origin(time);
    out.emplace_back(std::move(book));
  }

  // [{"id":"77","timestamp":1763726400101,"price":"131.07","size":"2.5","taker_side":"buy"},…]
  void trades(json::Value& data, Events& out) {
    data.elements([&](json::Value row) {
      Trade trade;
      std::optional<Time> time;
      std::optional<Side> side;
      row.members([&](std::string_view key, json::Value value) {
        if (key == "timestamp") time = optional_time(value);
        if (key == "price") trade.price = amount(value);
        if (key == "size") trade.size = amount(value);
        if (key == "id" && !value.is_null()) trade.text_id = value.string();
        if (key == "taker_side" && !value.is_null()) {
          const auto text = value.string();
          if (text != "buy" && text != "sell") value.reject("neither buy nor sell");
          side = text == "buy" ? Side::buy : Side::sell;
        }
      });
      // Not every venue tells who took; such a trade cannot be said in our words.
      if (!side) return;
      trade.taker_side = *side;
      if (const auto id = number(trade.text_id)) {
        trade.id = *id;
        trade.text_id.clear();
      }
      trade.origin = origin(time);
      out.emplace_back(std::move(trade));
    });
  }

  // [{"symbol":"BTC/USDT","base":"BTC","quote":"USDT","is_active":true,"tick_size":"0.01",
  //   "step_size":null},…]
  void markets(json::Value& data, Events& /*out*/) {
    data.elements([&](json::Value row) {
      Instrument instrument;
      instrument.exchange = catalogue_.exchange();
      instrument.listed = true;
      row.members([&](std::string_view key, json::Value value) {
        if (key == "symbol") instrument.symbol = value.string();
        if (key == "base") instrument.base = value.string();
        if (key == "quote") instrument.quote = value.string();
        if (key == "is_active" && !value.is_null())
          instrument.status = value.boolean() ? ListingStatus::trading : ListingStatus::halted;
        if (key == "tick_size") instrument.tick_size = optional_amount(value);
        if (key == "step_size") instrument.step_size = optional_amount(value);
      });
      if (instrument.symbol.empty() ||
          instrument.symbol != instrument.base + "/" + instrument.quote)
        return row.reject("no symbol of a spot market");
      // How CCXT calls it is how it is asked for; the venue's own spelling stays in the sidecar.
      instrument.exchange_symbol = instrument.symbol;
      listed_.push_back(std::move(instrument));
    });
  }

  // {"time":1763726400777}
  void time(json::Value& data, Events& out) {
    std::optional<Time> told;
    data.members([&](std::string_view key, json::Value value) {
      if (key == "time") told = value.time_ms();
    });
    if (!told) return data.reject("no time");
    out.emplace_back(ClockReading{catalogue_.exchange(), *told, received_});
  }

  Catalogue& catalogue_;
  json::Reader reader_;
  json::Reader frame_reader_;
  json::Reader data_reader_;
  // Of the frame at work.
  std::optional<Time> received_;
  const Instrument* instrument_ = nullptr;
  Timeframe timeframe_ = Timeframe::m1;
  Source source_ = Source::ws;
  std::optional<Time> since_;
  std::uint64_t limit_ = 0;
  std::vector<Instrument> listed_;  // to be put into the catalogue once all of them are read
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue) {
  return std::make_unique<CcxtDecoder>(catalogue);
}

}  // namespace candlewick::exchange::ccxt
