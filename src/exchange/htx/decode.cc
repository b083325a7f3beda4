// Frames of the stream are told apart by their members: "ch" is data, "ping" wants an answer,
// "subbed" and "rep" answer us. Replies of REST have a "status" and their "data" or "tick".
//
// Sources: huobiapi.github.io/docs/spot/v1/en, read 2026-11-21.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "exchange/htx/books.h"
#include "exchange/htx/htx.h"
#include "exchange/htx/rows.h"
#include "exchange/htx/unpack.h"
#include "exchange/reading.h"

namespace candlewick::exchange::htx {
namespace {

// "market.btcusdt.kline.1min" → "btcusdt" and "kline.1min".
struct Topic {
  std::string_view symbol;
  std::string_view what;
};
Topic topic_of(std::string_view text) {
  constexpr std::string_view root = "market.";
  if (!text.starts_with(root)) return {};
  text.remove_prefix(root.size());
  const auto point = text.find('.');
  if (point == std::string_view::npos) return {};
  return {text.substr(0, point), text.substr(point + 1)};
}

// All of a document but its payload. Views into the reader's text.
struct Head {
  std::string_view channel;
  std::string_view answered;    // "rep"
  std::string_view subscribed;  // "subbed"
  std::string_view status;
  std::string_view code;
  std::string_view message;
  std::string_view id;
  std::string_view payload;  // "tick" or "data"
  std::string_view ping;
  std::optional<Time> time;
};

class HtxDecoder final : public Decoder {
 public:
  explicit HtxDecoder(Catalogue& catalogue) : catalogue_(catalogue) {}

  Result<void> decode(const Frame& frame, Events& out) override {
    const std::size_t before = out.size();
    auto decoded = is_packed(frame.text) ? decode_packed(frame, out) : decode_text(frame, out);
    if (!decoded) out.resize(before);
    return decoded;
  }
  std::string take_answer() override { return std::exchange(answer_, {}); }
  std::uint64_t inexact_decimals() const override { return payload_reader_.inexact_decimals(); }

 private:
  Result<void> decode_packed(const Frame& frame, Events& out) {
    const auto text = unpacker_.unpack(frame.text);
    if (!text) return fail(text.error());
    Frame unpacked = frame;
    unpacked.text = *text;
    return decode_text(unpacked, out);
  }
  Result<void> decode_text(const Frame& frame, Events& out);
  Result<void> decode_data(const Head& head, const Frame& frame, Events& out);
  Result<void> decode_reply(const Head& head, const Frame& frame, Events& out);
  Result<void> decode_candles(const Head& head, const Origin& origin, const Frame& frame,
                              Events& out);
  Result<void> read_symbols(const Head& head, const Frame& frame, Events& out);
  Result<void> read_all_tickers(const Head& head, const Frame& frame, Events& out);
  void read_tick(std::string_view what, json::Value tick, const Origin& origin, Events& out);
  void read_trades(json::Value list, const Origin& origin, Events& out);

  Catalogue& catalogue_;
  Unpacker unpacker_;
  json::Reader reader_;
  json::Reader payload_reader_;
  WaitingBooks books_;
  std::string answer_;
};

Result<void> HtxDecoder::decode_text(const Frame& frame, Events& out) {
  Head head;
  auto read = reader_.read(frame.text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "tick" || key == "data") {
        head.payload = value.text();
      } else if (key == "ch") {
        head.channel = value.raw();
      } else if (key == "ts") {
        head.time = epoch(value);
      } else if (key == "ping") {
        head.time = epoch(value);
        head.ping = value.raw();
      } else if (key == "rep") {
        head.answered = value.raw();
      } else if (key == "subbed") {
        head.subscribed = value.raw();
      } else if (key == "status") {
        head.status = value.raw();
      } else if (key == "err-code") {
        head.code = value.raw();
      } else if (key == "err-msg" && value.type() == json::Type::string) {
        head.message = value.raw();
      } else if (key == "id" && value.type() != json::Type::null) {
        head.id = value.raw();
      }
    });
  });
  if (!read) return read;
  if (!head.ping.empty()) {
    answer_ = fmt::format(R"({{"pong":{}}})", head.ping);
    out.emplace_back(ClockReading{catalogue_.exchange(), *head.time, frame.received_time});
    return {};
  }
  // {"status":"error","err-code":"bad-request","err-msg":"invalid topic market.x.bbo","id":"7",…}
  if (head.status == "error") {
    books_.give_up(head.id);
    const bool passes = head.code == "too-many-request" || head.code == "system-busy" ||
                        head.code == "gateway-internal-error" || head.code == "429";
    return fail(passes ? ErrorKind::transient : ErrorKind::rejected, "{}{}: {}",
                frame.http_status == 200 ? "" : fmt::format("HTTP {} ", frame.http_status),
                head.code.substr(0, 60), head.message.substr(0, 200));
  }
  return frame.is_reply ? decode_reply(head, frame, out) : decode_data(head, frame, out);
}

Result<void> HtxDecoder::decode_data(const Head& head, const Frame& frame, Events& out) {
  const auto text = !head.channel.empty()    ? head.channel
                    : !head.answered.empty() ? head.answered
                                             : head.subscribed;
  const auto topic = topic_of(text);
  // A book kept by changes, not one that comes again and again in one piece.
  const bool is_kept = topic.what.starts_with("mbp.") && !topic.what.starts_with("mbp.refresh.");
  if (topic.symbol.empty() || (head.channel.empty() && !is_kept)) return {};
  // Contracts have symbols of another form, and sizes that mean something else.
  const auto* instrument = catalogue_.find_or_infer(topic.symbol);
  if (instrument == nullptr) return {};
  if (!head.subscribed.empty()) {
    answer_ = books_.begin(*instrument, text);
    return {};
  }
  if (head.payload.empty()) return {};
  const Origin origin{instrument, head.time, frame.received_time};
  Events found;
  auto read = payload_reader_.read(
      head.payload, [&](json::Value tick) { read_tick(topic.what, tick, origin, found); });
  if (!read) return read;
  for (auto& event : found) {
    auto* book = is_kept ? std::get_if<BookUpdate>(&event) : nullptr;
    if (book == nullptr) {
      out.push_back(std::move(event));
    } else if (head.answered.empty()) {
      books_.change(std::move(*book), out);
    } else {
      book->kind = BookKind::snapshot;
      answer_ = books_.snapshot(std::move(*book), out);
    }
  }
  return {};
}

void HtxDecoder::read_tick(std::string_view what, json::Value tick, const Origin& origin,
                           Events& out) {
  constexpr std::string_view kline = "kline.";
  if (what.starts_with(kline)) {
    const auto timeframe = timeframe_of(what.substr(kline.size()));
    if (!timeframe) return;  // days of UTC+8
    Candle candle;
    candle.origin = origin;
    candle.timeframe = *timeframe;
    read_candle(tick, candle);
    out.emplace_back(std::move(candle));
  } else if (what == "trade.detail") {
    tick.members([&](std::string_view key, json::Value value) {
      if (key == "data") read_trades(value, origin, out);
    });
  } else if (what == "bbo") {
    Quote quote;
    quote.origin = origin;
    read_quote(tick, quote);
    out.emplace_back(std::move(quote));
  } else if (what == "detail" || what == "ticker") {
    Ticker ticker;
    ticker.origin = origin;
    read_ticker(tick, ticker);
    out.emplace_back(std::move(ticker));
  } else if (what.starts_with("mbp.") || what == "depth.step0") {
    // Other steps show rounded prices.
    BookUpdate book;
    book.origin = origin;
    read_book(tick, book);
    if (what == "depth.step0" || what.starts_with("mbp.refresh.")) {
      book.kind = BookKind::snapshot;
      book.is_partial = true;
    }
    out.emplace_back(std::move(book));
  }
}

// The newest come first.
void HtxDecoder::read_trades(json::Value list, const Origin& origin, Events& out) {
  const std::size_t before = out.size();
  list.elements([&](json::Value row) {
    Trade trade;
    trade.origin = origin;
    read_trade(row, trade);
    out.emplace_back(std::move(trade));
  });
  std::stable_sort(
      out.begin() + static_cast<std::ptrdiff_t>(before), out.end(),
      [](const Event& a, const Event& b) { return std::get<Trade>(a).id < std::get<Trade>(b).id; });
}

Result<void> HtxDecoder::read_symbols(const Head& head, const Frame& frame, Events& out) {
  return payload_reader_.read(head.payload, [&](json::Value list) {
    list.elements([&](json::Value row) {
      auto listed = read_listing(row);
      if (listed.exchange_symbol.empty()) return;
      listed.market = catalogue_.market();
      const Instrument& stored = catalogue_.put(std::move(listed));
      out.emplace_back(Listing{.origin = {&stored, std::nullopt, frame.received_time}});
    });
  });
}

// {"status":"ok","ts":1639547261293,"data":[{"symbol":"hbcbtc","open":5.313E-5,…,"bid":5.126E-5,
//  "bidSize":5.25,"ask":5.214E-5,"askSize":150.0},…]}
Result<void> HtxDecoder::read_all_tickers(const Head& head, const Frame& frame, Events& out) {
  return payload_reader_.read(head.payload, [&](json::Value list) {
    list.elements([&](json::Value row) {
      Ticker ticker;
      const auto* instrument = catalogue_.find_or_infer(read_ticker(row, ticker));
      if (instrument == nullptr) return;
      ticker.origin = {instrument, head.time, frame.received_time};
      out.emplace_back(std::move(ticker));
    });
  });
}

// What a reply is about is told by the URL that it was asked at.
Result<void> HtxDecoder::decode_reply(const Head& head, const Frame& frame, Events& out) {
  const auto path = path_of(frame.url);
  if (head.payload.empty())
    return fail(ErrorKind::malformed, "an answer has a tick or data (HTTP {})", frame.http_status);
  if (path.ends_with("/common/symbols")) return read_symbols(head, frame, out);
  if (path.ends_with("/market/tickers")) return read_all_tickers(head, frame, out);
  if (path.ends_with("/common/timestamp")) {
    return payload_reader_.read("[" + std::string(head.payload) + "]", [&](json::Value list) {
      list.elements([&](json::Value time) {
        out.emplace_back(ClockReading{catalogue_.exchange(), epoch(time), frame.received_time});
      });
    });
  }
  const bool is_known = path.contains("/market/");
  if (!is_known) return {};
  const auto* instrument = catalogue_.find_or_infer(parameter(frame.url, "symbol"));
  if (instrument == nullptr)
    return fail(ErrorKind::malformed, "asked for no symbol that is known here");
  const Origin origin{instrument, std::nullopt, frame.received_time};
  if (path.contains("/history/trade")) {
    return payload_reader_.read(head.payload, [&](json::Value orders) {
      const std::size_t before = out.size();
      orders.elements([&](json::Value order) {
        order.members([&](std::string_view key, json::Value value) {
          if (key == "data") read_trades(value, origin, out);
        });
      });
      std::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(),
                       [](const Event& a, const Event& b) {
                         return std::get<Trade>(a).id < std::get<Trade>(b).id;
                       });
    });
  }
  if (path.ends_with("/depth") || path.ends_with("/merged")) {
    Origin dated = origin;
    dated.exchange_time = head.time;
    return payload_reader_.read(head.payload, [&](json::Value tick) {
      read_tick(path.ends_with("/depth") ? "depth.step0" : "detail", tick, dated, out);
    });
  }
  return path.contains("/history/") ? decode_candles(head, origin, frame, out) : Result<void>{};
}

Result<void> HtxDecoder::decode_candles(const Head& head, const Origin& origin, const Frame& frame,
                                        Events& out) {
  const auto timeframe = timeframe_of(parameter(frame.url, "period"));
  if (!timeframe)
    return fail(ErrorKind::malformed, "asked for no candle length that is known here");
  // Rows of another time would be taken for the lack of those asked for.
  const auto border = [&](std::string_view name) -> std::optional<Time> {
    const auto text = parameter(frame.url, name);
    std::int64_t seconds = 0;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return time_of_epoch(seconds);
  };
  const auto from = border("from");
  const auto to = border("to");
  std::size_t rows = 0;
  const std::size_t before = out.size();
  auto read = payload_reader_.read(head.payload, [&](json::Value list) {
    list.elements([&](json::Value row) {
      Candle candle;
      candle.origin = origin;
      candle.timeframe = *timeframe;
      candle.source = Source::rest;
      candle.closed_is_known = false;
      read_candle(row, candle);
      ++rows;
      if ((from && candle.open_time < *from) || (to && candle.open_time > *to)) return;
      out.emplace_back(std::move(candle));
    });
  });
  if (!read) return read;
  if (rows > 0 && out.size() == before)
    return fail(ErrorKind::transient, "{} candles came, none of the time asked for", rows);
  return {};
}

}  // namespace

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue) {
  return std::make_unique<HtxDecoder>(catalogue);
}

}  // namespace candlewick::exchange::htx
