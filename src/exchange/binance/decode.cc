// Frames of Binance to events. Stream payloads are flat objects whose keys are single letters, in
// an order that nobody promises, so each is read once into a table by letter and interpreted after.
// REST replies are told apart by the path they were asked at and read by the names of their
// members.
//
// Sources: web-socket-streams.md and rest-api.md of binance-spot-api-docs, read 2026-07-21; USD-M
// futures: market streams and REST of developers.binance.com, read 2026-11-21.
#include <array>
#include <charconv>

#include "base/digits.h"
#include "base/json.h"
#include "exchange/asset_names.h"
#include "exchange/binance/binance.h"
#include "exchange/binance/target.h"
#include "exchange/reading.h"

namespace candlewick::exchange::binance {
namespace {

constexpr std::array<AssetName, 1> renamed{{{"YOYO", "YOYOW"}}};

// The scalars of an object with one-letter keys: views into the reader's buffer.
class Letters {
 public:
  void put(char key, std::string_view value) {
    const auto index = index_of(key);
    values_[index] = value;
    round_of_[index] = round_;
  }
  bool has(char key) const { return round_of_[index_of(key)] == round_; }
  std::string_view operator[](char key) const {
    return has(key) ? values_[index_of(key)] : std::string_view{};
  }
  void clear() { ++round_; }
  static bool is_letter(char key) {
    return (key >= 'A' && key <= 'Z') || (key >= 'a' && key <= 'z');
  }

 private:
  static std::size_t index_of(char key) { return static_cast<std::size_t>(key - 'A') & 63U; }
  // What was put since clear() has its round: nothing is erased, and one put need not wait for
  // another.
  std::array<std::string_view, 64> values_;
  std::array<std::uint64_t, 64> round_of_{};
  std::uint64_t round_ = 1;
};

// Reads typed values out of letters; the first error sticks.
class Fields {
 public:
  Fields(const Letters& letters, std::uint64_t& inexact) : letters_(letters), inexact_(inexact) {}

  Decimal decimal(char key) {
    Decimal padded;
    if (Decimal::parse_padded(letters_[key], padded)) return padded;
    return any_decimal(key);
  }
  Decimal any_decimal(char key) {
    if (!wanted(key)) return {};
    bool inexact = false;
    auto parsed = Decimal::parse(letters_[key], &inexact);
    if (!parsed) {
      refuse(key, parsed.error().message);
      return {};
    }
    if (inexact) ++inexact_;
    return *parsed;
  }
  std::optional<Decimal> optional_decimal(char key) {
    if (!letters_.has(key)) return std::nullopt;
    return decimal(key);
  }
  // Prices and sizes are not negative; live feeds have sent such.
  Decimal amount(char key) {
    const Decimal value = decimal(key);
    if (value.is_negative()) refuse(key, "negative");
    return value;
  }
  std::uint64_t id(char key) {
    if (!wanted(key)) return 0;
    return number<std::uint64_t>(key);
  }
  Time time(char key) {
    if (!wanted(key)) return {};
    const auto epoch = number<std::int64_t>(key);
    const auto read = time_of(epoch);
    if (!read) {
      refuse(key, fmt::format("not a time: {}", epoch));
      return {};
    }
    return *read;
  }
  bool boolean(char key) {
    if (!wanted(key)) return false;
    const auto text = letters_[key];
    if (text != "true" && text != "false") refuse(key, "not true or false");
    return text == "true";
  }
  std::string_view text(char key) { return wanted(key) ? letters_[key] : std::string_view{}; }
  void refuse(char key, std::string_view why) {
    if (error_) return;
    const std::string name = key == '[' ? "pu" : key == ']' ? "lastUpdateId" : std::string(1, key);
    error_ = Error{ErrorKind::malformed, fmt::format("{}: {}", name, why)};
  }
  const std::optional<Error>& error() const { return error_; }

  // Milliseconds, or microseconds where the connection asked for them: told apart by size. Refuses
  // what lies outside 2001 to 2261, so that a cut or absurd number is never taken for a time.
  static std::optional<Time> time_of(std::int64_t epoch) {
    constexpr std::int64_t first_ms = 1'000'000'000'000;
    constexpr std::int64_t last_ms = 9'190'000'000'000;
    if (epoch >= first_ms && epoch <= last_ms) return time_from_ms(epoch);
    if (epoch >= first_ms * 1000 && epoch <= last_ms * 1000) return time_from_us(epoch);
    return std::nullopt;
  }

 private:
  bool wanted(char key) {
    if (letters_.has(key)) return true;
    refuse(key, "missing");
    return false;
  }
  template <class Integer>
  Integer number(char key) {
    const auto text = letters_[key];
    if (std::uint64_t number = 0; digits::read_long(text, number))
      return static_cast<Integer>(number);
    Integer value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
      refuse(key, fmt::format("not an integer: \"{}\"", text.substr(0, 40)));
    }
    return value;
  }

  const Letters& letters_;
  std::uint64_t& inexact_;
  std::optional<Error> error_;
};

bool is_integer(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// [["price","size"],…]; older REST replies have an empty third element.
void read_levels(json::Value value, std::vector<Level>& levels) {
  levels.clear();
  const auto other = [&](json::Value pair) {
    Level& level = levels.emplace_back();
    int index = 0;
    pair.elements([&](json::Value part) {
      if (index == 0) level.price = part.decimal();
      if (index == 1) {
        level.size = part.decimal();
        if (level.size.is_negative()) part.reject("negative size");
      }
      ++index;
    });
    if (index < 2) pair.reject("a level is a price and a size");
  };
  value.padded_pairs([&](Decimal price, Decimal size) { levels.emplace_back(price, size); }, other);
}

class BinanceDecoder final : public Decoder {
 public:
  explicit BinanceDecoder(Catalogue& catalogue) : catalogue_(catalogue) {}

  std::uint64_t inexact_decimals() const override { return inexact_ + reader_.inexact_decimals(); }

  Result<void> decode(const Frame& frame, Events& out) override {
    const std::size_t before = out.size();
    auto decoded = frame.is_reply ? decode_reply(frame, out) : decode_stream(frame, out);
    if (!decoded) out.resize(before);
    return decoded;
  }

 private:
  // {"stream":"btcusdt@trade","data":{…}}, or the payload alone on /ws/ connections, or an answer
  // to a request of ours, or an error.
  Result<void> decode_stream(const Frame& frame, Events& out) {
    payload_.clear();
    kline_.clear();
    bids_.clear();
    asks_.clear();
    stream_ = {};
    std::optional<Error> element_error;
    bool is_answer = false;
    std::optional<std::int64_t> code;
    std::string_view message;
    auto read = reader_.read(frame.text, [&](json::Value root) {
      if (root.type() == json::Type::array) {
        return root.elements(
            [&](json::Value element) { read_element(element, frame, out, element_error); });
      }
      root.members(
          [&](std::string_view key, std::string_view text) {
            if (key == "stream") {
              stream_ = text;
            } else if (key == "result" || key == "id") {
              is_answer = true;
            } else if (key == "code") {
              code = read_code(text, element_error);
            } else if (key == "msg") {
              message = text;
            } else {
              read_plain(key, text);
            }
          },
          [&](std::string_view key, json::Value value) {
            if (key == "data" && value.type() == json::Type::array) {
              value.elements(
                  [&](json::Value element) { read_element(element, frame, out, element_error); });
            } else if (key == "data") {
              read_payload(value);
            } else if (key == "result" || key == "id") {
              is_answer = true;
            } else if (key == "error") {
              is_answer = true;
              value.members([&](std::string_view name, json::Value member) {
                if (name == "code") code = member.integer();
                if (name == "msg") message = member.raw();
              });
            } else {
              read_member(key, value);
            }
          });
    });
    if (!read) return read;
    if (element_error) return fail(std::move(*element_error));
    if (code) return fail(ErrorKind::rejected, "{}: {}", *code, message);
    if (is_answer) return {};
    return interpret(frame, out);
  }

  // An element of an all-market array such as !miniTicker@arr.
  void read_element(json::Value element, const Frame& frame, Events& out,
                    std::optional<Error>& error) {
    payload_.clear();
    if (element.type() != json::Type::object) return;
    read_payload(element);
    if (error) return;
    if (auto done = interpret(frame, out); !done) error = done.error();
    payload_.clear();
  }

  static std::int64_t read_code(std::string_view text, std::optional<Error>& error) {
    std::int64_t code = 0;
    const auto [end, outcome] = std::from_chars(text.data(), text.data() + text.size(), code);
    if (outcome != std::errc{} || end != text.data() + text.size()) {
      error = Error{ErrorKind::malformed,
                    fmt::format("code: not an integer: \"{}\"", text.substr(0, 40))};
    }
    return code;
  }

  void read_payload(json::Value value) {
    value.members([&](std::string_view key, std::string_view text) { read_plain(key, text); },
                  [&](std::string_view key, json::Value member) { read_member(key, member); });
  }

  [[gnu::always_inline]] void read_plain(std::string_view key, std::string_view text) {
    if (key.size() == 1 && Letters::is_letter(key[0])) {
      payload_.put(key[0], text);
    } else if (key == "pu") {
      payload_.put('[', text);  // longer keys go to free places
    } else if (key == "lastUpdateId") {
      payload_.put(']', text);
    }
  }

  void read_member(std::string_view key, json::Value value) {
    if (key.size() != 1 || !Letters::is_letter(key[0])) return read_named(key, value);
    switch (value.type()) {
      case json::Type::object:
        if (key[0] != 'k') return;
        payload_.put('k', "{");
        return read_kline(value);
      case json::Type::array:
        if (key[0] == 'b') read_levels(value, bids_);
        if (key[0] == 'a') read_levels(value, asks_);
        payload_.put(key[0], "[");
        return;
      default:
        payload_.put(key[0], value.raw());
    }
  }

  void read_kline(json::Value value) {
    const auto is_letter = [](std::string_view key) {
      return key.size() == 1 && Letters::is_letter(key[0]);
    };
    value.members(
        [&](std::string_view key, std::string_view text) {
          if (is_letter(key)) kline_.put(key[0], text);
        },
        [&](std::string_view key, json::Value member) {
          if (is_letter(key)) kline_.put(key[0], member.raw());
        });
  }

  void read_named(std::string_view key, json::Value value) {
    if (key == "lastUpdateId") {
      payload_.put(']', value.raw());
    } else if (key == "pu") {
      payload_.put('[', value.raw());  // the two-letter key of futures, in a free place
    } else if (key == "bids") {
      read_levels(value, bids_);
    } else if (key == "asks") {
      read_levels(value, asks_);
    }
  }

  Result<void> interpret(const Frame& frame, Events& out) {
    if (payload_.has(']')) return partial_depth(frame, out);
    const auto kind = payload_['e'];
    if (kind.empty()) {
      // A quote is the only payload without a kind; an empty object is an empty answer.
      if (payload_.has('u') && payload_.has('b')) return quote(frame, out);
      return {};
    }
    if (kind == "depthUpdate") return is_ladder() ? ladder(frame, out) : depth(frame, out);
    if (kind == "trade") return trade(frame, out, false);
    if (kind == "aggTrade") return trade(frame, out, true);
    if (kind == "bookTicker") return quote(frame, out);
    if (kind == "kline") return candle(frame, out);
    if (kind == "24hrTicker" || kind == "24hrMiniTicker")
      return ticker(frame, out, kind == "24hrMiniTicker");
    if (kind == "avgPrice") return average(frame, out);
    if (kind == "markPriceUpdate") return mark_price(frame, out);
    if (kind == "serverShutdown") {
      Fields fields(payload_, inexact_);
      ShutdownNotice notice{.exchange = catalogue_.exchange(), .exchange_time = fields.time('E')};
      if (fields.error()) return within("serverShutdown", *fields.error());
      out.emplace_back(std::move(notice));
    }
    return {};
  }

  // The frames of one connection are about few symbols, and runs of them about the same one.
  const Instrument* instrument(std::string_view exchange_symbol) {
    if (last_ != nullptr && last_->exchange_symbol == exchange_symbol) return last_;
    const auto* found = catalogue_.find_or_infer(exchange_symbol);
    if (found != nullptr) last_ = found;
    return found;
  }

  // Events are made where they stay: moving one takes longer than reading its fields. After an
  // error decode() takes them away again.
  template <class E>
  static E& add(Events& out) {
    return *std::get_if<E>(&out.emplace_back(std::in_place_type<E>));
  }

  // Fills the origin, or reports the first thing that was wrong.
  template <class E>
  Result<void> finish(std::string_view kind, E& event, Fields& fields, const Frame& frame,
                      std::string_view symbol) {
    if (fields.error()) return within(kind, *fields.error());
    event.origin.instrument = instrument(symbol);
    if (event.origin.instrument == nullptr) {
      return fail(ErrorKind::malformed, "{}: unknown symbol \"{}\"", kind, symbol.substr(0, 40));
    }
    // Part by part: the processor waits when it copies in one go what was just written in two.
    if (frame.received_time) event.origin.received_time.emplace(*frame.received_time);
    return {};
  }

  // {"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000",
  //  "q":"0.02000000","T":1723161255342,"m":true,"M":true}
  // aggTrade: a is the aggregate's id, f and l its first and last trade.
  Result<void> trade(const Frame& frame, Events& out, bool is_aggregate) {
    Fields fields(payload_, inexact_);
    Trade& event = add<Trade>(out);
    event.is_aggregate = is_aggregate;
    event.id = fields.id(is_aggregate ? 'a' : 't');
    event.first_id = is_aggregate ? fields.id('f') : event.id;
    event.last_id = is_aggregate ? fields.id('l') : event.id;
    event.price = fields.amount('p');
    event.size = fields.amount('q');
    // m: the buyer was the maker, so the taker sold.
    event.taker_side = fields.boolean('m') ? Side::sell : Side::buy;
    event.origin.exchange_time = fields.time('T');
    const auto symbol = fields.text('s');
    return finish(is_aggregate ? "aggTrade" : "trade", event, fields, frame, symbol);
  }

  // {"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000",
  //  "A":"40.66000000"}: spot sends neither kind nor time; futures send e, E and T.
  Result<void> quote(const Frame& frame, Events& out) {
    Fields fields(payload_, inexact_);
    Quote& event = add<Quote>(out);
    event.bid = fields.amount('b');
    event.bid_size = fields.amount('B');
    event.ask = fields.amount('a');
    event.ask_size = fields.amount('A');
    event.sequence = fields.id('u');
    if (payload_.has('T')) {
      event.origin.exchange_time = fields.time('T');
    } else if (payload_.has('E')) {
      event.origin.exchange_time = fields.time('E');
    }
    const auto symbol = fields.text('s');
    return finish("bookTicker", event, fields, frame, symbol);
  }

  // {"e":"depthUpdate","E":1672515782136,"s":"BNBBTC","U":157,"u":160,"b":[["0.0024","10"]],"a":[…]}
  Result<void> depth(const Frame& frame, Events& out) {
    Fields fields(payload_, inexact_);
    if (payload_['b'] != "[" || payload_['a'] != "[") fields.refuse('b', "levels are missing");
    BookUpdate& event = add<BookUpdate>(out);
    event.kind = BookKind::delta;
    event.first_sequence = fields.id('U');
    event.sequence = fields.id('u');
    if (payload_.has('[') && is_integer(payload_['['])) event.previous_sequence = fields.id('[');
    event.origin.exchange_time = fields.time(payload_.has('T') ? 'T' : 'E');
    const auto symbol = fields.text('s');
    if (event.first_sequence > event.sequence) fields.refuse('U', "after u");
    event.bids = bids_;
    event.asks = asks_;
    return finish("depthUpdate", event, fields, frame, symbol);
  }

  // "btcusdt@depth20@100ms"
  bool is_ladder() const {
    const auto at = stream_.find("@depth");
    const auto levels = at == std::string_view::npos ? "" : stream_.substr(at + 6);
    return !levels.empty() && levels.front() != '@';
  }

  // Futures send the best levels in the words of a change: only the stream's name tells.
  Result<void> ladder(const Frame& frame, Events& out) {
    if (auto read = depth(frame, out); !read) return read;
    auto& event = std::get<BookUpdate>(out.back());
    event.kind = BookKind::snapshot;
    event.is_partial = true;
    event.first_sequence.reset();
    event.previous_sequence.reset();
    return {};
  }

  // {"lastUpdateId":160,"bids":[…],"asks":[…]}: only the stream's name says what it is about.
  Result<void> partial_depth(const Frame& frame, Events& out) {
    auto symbol = stream_.substr(0, stream_.find('@'));
    if (symbol.empty()) symbol = stream_in(frame.url);
    if (symbol.empty()) {
      return fail(ErrorKind::malformed, "partial depth: the stream's name is missing");
    }
    BookUpdate& event = add<BookUpdate>(out);
    event.kind = BookKind::snapshot;
    event.is_partial = true;
    Fields fields(payload_, inexact_);
    event.sequence = fields.id(']');
    event.bids = bids_;
    event.asks = asks_;
    return finish("partial depth", event, fields, frame, upper(symbol));
  }

  // {"e":"kline","E":…,"s":"BNBBTC","k":{"t":1672515780000,"T":1672515839999,"s":"BNBBTC","i":"1m",
  //  "f":100,"L":200,"o":"0.0010","c":"0.0020","h":"0.0025","l":"0.0015","v":"1000","n":100,"x":false,
  //  "q":"1.0000","V":"500","Q":"0.500","B":"123456"}}
  Result<void> candle(const Frame& frame, Events& out) {
    Fields outer(payload_, inexact_);
    const Time time = outer.time('E');
    if (!payload_.has('k')) outer.refuse('k', "missing");
    if (outer.error()) return within("kline", *outer.error());
    Fields fields(kline_, inexact_);
    Candle& event = add<Candle>(out);
    const auto timeframe = parse_timeframe(fields.text('i'));
    if (timeframe) {
      event.timeframe = *timeframe;
    } else {
      fields.refuse('i', timeframe.error().message);
    }
    event.open_time = fields.time('t');
    event.open = fields.amount('o');
    event.high = fields.amount('h');
    event.low = fields.amount('l');
    event.close = fields.amount('c');
    event.volume = fields.amount('v');
    event.quote_volume = fields.amount('q');
    event.trade_count = fields.id('n');
    event.taker_buy_volume = fields.amount('V');
    event.taker_buy_quote_volume = fields.amount('Q');
    event.is_closed = fields.boolean('x');
    event.source = Source::ws;
    event.origin.exchange_time = time;
    const auto symbol = kline_.has('s') ? fields.text('s') : payload_['s'];
    return finish("kline", event, fields, frame, symbol);
  }

  // {"e":"24hrTicker","E":…,"s":"BNBBTC","p":"0.0015","P":"250.00","w":…,"x":…,"c":"0.0025","Q":…,
  //  "b":…,"B":…,"a":…,"A":…,"o":…,"h":…,"l":…,"v":…,"q":…,"O":…,"C":…,"F":…,"L":…,"n":…}
  // The mini form has c, o, h, l, v and q alone. Futures leave out the quote.
  Result<void> ticker(const Frame& frame, Events& out, bool is_mini) {
    Fields fields(payload_, inexact_);
    Ticker& event = add<Ticker>(out);
    event.last = fields.amount('c');
    event.open_24h = fields.amount('o');
    event.high_24h = fields.amount('h');
    event.low_24h = fields.amount('l');
    event.volume_24h = fields.amount('v');
    event.quote_volume_24h = fields.amount('q');
    if (!is_mini) {
      event.change_pct_24h = fields.decimal('P');
      event.bid = fields.optional_decimal('b');
      event.bid_size = fields.optional_decimal('B');
      event.ask = fields.optional_decimal('a');
      event.ask_size = fields.optional_decimal('A');
    }
    event.origin.exchange_time = fields.time('E');
    const auto symbol = fields.text('s');
    return finish(is_mini ? "24hrMiniTicker" : "24hrTicker", event, fields, frame, symbol);
  }

  // {"e":"avgPrice","E":1693907033000,"s":"BTCUSDT","i":"5m","w":"25776.86000000","T":1693907032213}
  Result<void> average(const Frame& frame, Events& out) {
    Fields fields(payload_, inexact_);
    AveragePrice& event = add<AveragePrice>(out);
    event.price = fields.amount('w');
    const auto window = parse_duration(fields.text('i'));
    if (!window) fields.refuse('i', window.error().message);
    if (window)
      event.window_minutes = std::chrono::duration_cast<std::chrono::minutes>(*window).count();
    event.origin.exchange_time = fields.time('T');
    const auto symbol = fields.text('s');
    return finish("avgPrice", event, fields, frame, symbol);
  }

  // {"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT","p":"11794.15000000",
  //  "i":"11784.62659091","P":"11784.25641265","r":"0.00038167","T":1562306400000}
  // Contracts with a date have no funding: an empty rate and no time.
  Result<void> mark_price(const Frame& frame, Events& out) {
    Fields fields(payload_, inexact_);
    Derivative& event = add<Derivative>(out);
    event.mark_price = fields.amount('p');
    if (payload_.has('i')) event.index_price = fields.amount('i');
    if (!payload_['r'].empty()) {
      event.funding_rate = fields.decimal('r');
      if (payload_['T'] != "0") event.next_funding_time = fields.time('T');
    }
    event.origin.exchange_time = fields.time('E');
    const auto symbol = fields.text('s');
    return finish("markPriceUpdate", event, fields, frame, symbol);
  }

  Result<void> decode_reply(const Frame& frame, Events& out) {
    const Target target = parse_target(frame.url);
    if (frame.http_status >= 400) return error_reply(frame);
    if (target.path == "klines" || target.path == "uiKlines") return klines(frame, target, out);
    if (target.path == "depth") return depth_reply(frame, target, out);
    if (target.path == "trades" || target.path == "historicalTrades")
      return trades(frame, target, out);
    if (target.path == "aggTrades") return aggregate_trades(frame, target, out);
    if (target.path == "ticker/24hr" || target.path == "ticker/price" ||
        target.path == "ticker/bookTicker") {
      return tickers(frame, target, out);
    }
    if (target.path == "exchangeInfo") return exchange_info(frame, out);
    if (target.path == "time") return server_time(frame, out);
    if (target.path == "avgPrice") return average_reply(frame, target, out);
    if (target.path == "openInterest" || target.path == "premiumIndex")
      return derivatives(frame, out);
    return probe(frame);
  }

  // ping and whatever we do not ask for: it must still be a whole document.
  Result<void> probe(const Frame& frame) {
    std::optional<std::int64_t> code;
    std::string message;
    auto read = reader_.read(frame.text, [&](json::Value root) {
      if (root.type() != json::Type::object) return;
      root.members([&](std::string_view key, json::Value value) {
        if (key == "code") code = value.integer();
        if (key == "msg") message = value.string();
      });
    });
    if (!read) return read;
    if (code) return fail(ErrorKind::rejected, "{}: {}", *code, message);
    return {};
  }

  // {"code":-1121,"msg":"Invalid symbol."}; a front end or a proxy may answer with a page instead.
  Result<void> error_reply(const Frame& frame) {
    auto asked = probe(frame);
    if (!asked && asked.error().kind == ErrorKind::rejected) return asked;
    return fail(ErrorKind::rejected, "HTTP {}: {}", frame.http_status, frame.text.substr(0, 200));
  }

  Result<const Instrument*> asked_instrument(const Target& target) {
    const auto* found = instrument(target.symbol);
    if (found == nullptr) {
      return fail(ErrorKind::malformed, "{}: unknown symbol \"{}\"", target.path, target.symbol);
    }
    return found;
  }

  // [[1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",
  //   1499644799999,"2434.19055334",308,"1756.87402397","28.46694368","0"],…]
  // Nothing says which row is final: whoever knows the venue's clock decides.
  Result<void> klines(const Frame& frame, const Target& target, Events& out) {
    const auto asked = asked_instrument(target);
    if (!asked) return fail(asked.error());
    const auto timeframe = parse_timeframe(target.interval);
    if (!timeframe) return within("klines", timeframe.error());
    return reader_.read(frame.text, [&](json::Value root) {
      root.elements([&](json::Value row) {
        Candle candle;
        candle.origin = {*asked, std::nullopt, frame.received_time};
        candle.timeframe = *timeframe;
        candle.source = Source::rest;
        candle.closed_is_known = false;
        int column = 0;
        row.elements([&](json::Value cell) {
          switch (column++) {
            case 0:
              candle.open_time = epoch(cell);
              break;
            case 1:
              candle.open = amount(cell);
              break;
            case 2:
              candle.high = amount(cell);
              break;
            case 3:
              candle.low = amount(cell);
              break;
            case 4:
              candle.close = amount(cell);
              break;
            case 5:
              candle.volume = amount(cell);
              break;
            case 7:
              candle.quote_volume = amount(cell);
              break;
            case 8:
              candle.trade_count = cell.unsigned_integer();
              break;
            case 9:
              candle.taker_buy_volume = amount(cell);
              break;
            case 10:
              candle.taker_buy_quote_volume = amount(cell);
              break;
            default:
              break;
          }
        });
        if (column < 11) return row.reject("a kline has 12 columns");
        out.emplace_back(std::move(candle));
      });
    });
  }

  Result<void> depth_reply(const Frame& frame, const Target& target, Events& out) {
    const auto asked = asked_instrument(target);
    if (!asked) return fail(asked.error());
    BookUpdate book;
    book.kind = BookKind::snapshot;
    book.origin = {*asked, std::nullopt, frame.received_time};
    bool bids = false;
    bool asks = false;
    auto read = reader_.read(frame.text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "lastUpdateId") {
          book.sequence = value.unsigned_integer();
        } else if (key == "bids") {
          bids = true;
          read_levels(value, book.bids);
        } else if (key == "asks") {
          asks = true;
          read_levels(value, book.asks);
        } else if (key == "T") {  // futures
          book.origin.exchange_time = epoch(value);
        }
      });
    });
    if (!read) return read;
    if (!book.sequence || !bids || !asks) {
      return fail(ErrorKind::malformed, "depth: lastUpdateId, bids or asks are missing");
    }
    out.emplace_back(std::move(book));
    return {};
  }

  // [{"id":28457,"price":"4.00000100","qty":"12.00000000","quoteQty":"48.000012",
  //   "time":1499865549590,"isBuyerMaker":true,"isBestMatch":true},…]
  Result<void> trades(const Frame& frame, const Target& target, Events& out) {
    const auto asked = asked_instrument(target);
    if (!asked) return fail(asked.error());
    return reader_.read(frame.text, [&](json::Value root) {
      root.elements([&](json::Value row) {
        Trade trade;
        trade.origin = {*asked, std::nullopt, frame.received_time};
        unsigned seen = 0;
        row.members([&](std::string_view key, json::Value value) {
          if (key == "id") {
            trade.id = trade.first_id = trade.last_id = value.unsigned_integer();
            seen |= 1;
          } else if (key == "price") {
            trade.price = amount(value);
            seen |= 2;
          } else if (key == "qty") {
            trade.size = amount(value);
            seen |= 4;
          } else if (key == "quoteQty") {
            trade.quote_size = amount(value);
          } else if (key == "time") {
            trade.origin.exchange_time = epoch(value);
            seen |= 8;
          } else if (key == "isBuyerMaker") {
            trade.taker_side = value.boolean() ? Side::sell : Side::buy;
            seen |= 16;
          }
        });
        if (seen != 31) return row.reject("a trade has id, price, qty, time and isBuyerMaker");
        out.emplace_back(std::move(trade));
      });
    });
  }

  // [{"a":26129,"p":"0.01633102","q":"4.70443515","f":27781,"l":27781,"T":1498793709153,"m":true,"M":true},…]
  Result<void> aggregate_trades(const Frame& frame, const Target& target, Events& out) {
    const auto asked = asked_instrument(target);
    if (!asked) return fail(asked.error());
    std::optional<Error> error;
    auto read = reader_.read(frame.text, [&](json::Value root) {
      root.elements([&](json::Value row) {
        payload_.clear();
        row.members([&](std::string_view key, json::Value value) { read_member(key, value); });
        payload_.put('s', (*asked)->exchange_symbol);
        if (error) return;
        if (auto done = trade(frame, out, true); !done) error = done.error();
      });
    });
    if (!read) return read;
    if (error) return fail(std::move(*error));
    return {};
  }

  // One object for one symbol, else an array; the members tell price, quote and statistics apart.
  Result<void> tickers(const Frame& frame, const Target& target, Events& out) {
    std::optional<Error> error;
    const bool is_quote = target.path == "ticker/bookTicker";
    auto read = reader_.read(frame.text, [&](json::Value root) {
      const auto one = [&](json::Value row) {
        if (auto done = ticker_row(row, frame, is_quote, out); !done && !error)
          error = done.error();
      };
      if (root.type() == json::Type::array) return root.elements(one);
      one(root);
    });
    if (!read) return read;
    if (error) return fail(std::move(*error));
    return {};
  }

  Result<void> ticker_row(json::Value row, const Frame& frame, bool is_quote, Events& out) {
    Ticker ticker;
    std::string_view symbol;
    std::optional<Time> time;
    row.members([&](std::string_view key, json::Value value) {
      if (key == "symbol") symbol = value.raw();
      if (key == "lastPrice" || key == "price") ticker.last = amount(value);
      if (key == "openPrice") ticker.open_24h = amount(value);
      if (key == "highPrice") ticker.high_24h = amount(value);
      if (key == "lowPrice") ticker.low_24h = amount(value);
      if (key == "volume") ticker.volume_24h = amount(value);
      if (key == "quoteVolume") ticker.quote_volume_24h = amount(value);
      if (key == "priceChangePercent") ticker.change_pct_24h = value.decimal();
      if (key == "bidPrice") ticker.bid = amount(value);
      if (key == "bidQty") ticker.bid_size = amount(value);
      if (key == "askPrice") ticker.ask = amount(value);
      if (key == "askQty") ticker.ask_size = amount(value);
      if (key == "closeTime") time = epoch(value);
    });
    const auto* known = instrument(symbol);
    if (known == nullptr) {
      return fail(ErrorKind::malformed, "ticker: unknown symbol \"{}\"", symbol.substr(0, 40));
    }
    const Origin origin{known, time, frame.received_time};
    if (is_quote) {
      if (!ticker.bid || !ticker.bid_size || !ticker.ask || !ticker.ask_size) {
        return fail(ErrorKind::malformed, "bookTicker: a price or size is missing");
      }
      out.emplace_back(Quote{origin, *ticker.bid, *ticker.bid_size, *ticker.ask, *ticker.ask_size,
                             std::nullopt});
      return {};
    }
    if (!ticker.last) return fail(ErrorKind::malformed, "ticker: the last price is missing");
    ticker.origin = origin;
    out.emplace_back(std::move(ticker));
    return {};
  }

  // {"openInterest":"10659.509","symbol":"BTCUSDT","time":1589437530011}
  // {"symbol":"BTCUSDT","markPrice":"11793.63104562","indexPrice":"11781.80495970",
  //  "estimatedSettlePrice":"11781.16138815","lastFundingRate":"0.00038246",
  //  "interestRate":"0.00010000","nextFundingTime":1597392000000,"time":1597370495002}
  Result<void> derivatives(const Frame& frame, Events& out) {
    return reader_.read(frame.text, [&](json::Value root) {
      const auto one = [&](json::Value row) { derivative(row, frame, out); };
      if (root.type() == json::Type::array) return root.elements(one);
      one(root);
    });
  }

  void derivative(json::Value row, const Frame& frame, Events& out) {
    Derivative event;
    event.origin.received_time = frame.received_time;
    bool has_figures = false;
    row.members([&](std::string_view key, json::Value value) {
      const bool is_figure = key == "openInterest" || key == "markPrice";
      has_figures = has_figures || is_figure;
      if (key == "symbol") event.origin.instrument = instrument(value.raw());
      if (key == "time") event.origin.exchange_time = epoch(value);
      if (key == "openInterest") event.open_interest = amount(value);
      if (key == "markPrice") event.mark_price = amount(value);
      if (key == "indexPrice") event.index_price = amount(value);
      if (key == "lastFundingRate" && !value.raw().empty()) event.funding_rate = value.decimal();
      if (key == "nextFundingTime" && value.raw() != "0") event.next_funding_time = epoch(value);
    });
    if (event.origin.instrument == nullptr || !has_figures)
      return row.reject("open interest or a mark price has a known symbol and a figure");
    out.emplace_back(std::move(event));
  }

  // {"timezone":"UTC","serverTime":1565246363776,"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT",
  //  "interval":"MINUTE","intervalNum":1,"limit":6000},…],"symbols":[{"symbol":"ETHBTC","status":
  //  "TRADING","baseAsset":"ETH",…,"filters":[{"filterType":"PRICE_FILTER","tickSize":…},…]},…]}
  Result<void> exchange_info(const Frame& frame, Events& out) {
    std::vector<Instrument> listed;
    std::optional<Time> time;
    bool symbols = false;
    auto read = reader_.read(frame.text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "serverTime") time = epoch(value);
        if (key == "rateLimits") value.elements([&](json::Value row) { rate_limit(row, out); });
        if (key == "symbols") {
          symbols = true;
          value.elements([&](json::Value row) { listed.push_back(listing(row)); });
        }
      });
    });
    if (!read) return read;
    if (!symbols) return fail(ErrorKind::malformed, "exchangeInfo: symbols are missing");
    if (time) {
      out.emplace_back(ClockReading{catalogue_.exchange(), *time, frame.received_time});
    }
    for (auto& instrument : listed) {
      const Instrument& stored = catalogue_.put(std::move(instrument));
      out.emplace_back(Listing{.origin = {&stored, time, frame.received_time}});
    }
    return {};
  }

  void rate_limit(json::Value row, Events& out) {
    LimitNotice notice;
    notice.exchange = catalogue_.exchange();
    std::int64_t count = 0;
    row.members([&](std::string_view key, json::Value value) {
      if (key == "rateLimitType") notice.kind = value.string();
      if (key == "limit") notice.limit = value.integer();
      if (key == "intervalNum") count = value.integer();
      if (key == "interval") {
        const auto unit = value.string();
        notice.interval = unit == "SECOND"   ? std::chrono::seconds{1}
                          : unit == "MINUTE" ? std::chrono::seconds{60}
                          : unit == "HOUR"   ? std::chrono::seconds{3600}
                          : unit == "DAY"    ? std::chrono::seconds{86400}
                                             : Duration{0};
      }
    });
    // An interval of a kind unknown to us limits nothing that we could keep to.
    if (count < 1 || count > 100'000 || notice.interval == Duration{0}) return;
    notice.interval *= count;
    out.emplace_back(std::move(notice));
  }

  Instrument listing(json::Value row) {
    Instrument instrument;
    instrument.listed = true;
    instrument.market = catalogue_.market();
    std::string margin;
    std::string_view status;
    row.members([&](std::string_view key, json::Value value) {
      if (key == "symbol") instrument.exchange_symbol = value.string();
      if (key == "baseAsset") instrument.base = value.string();
      if (key == "quoteAsset") instrument.quote = value.string();
      if (key == "marginAsset") margin = value.string();
      if (key == "status" || key == "contractStatus") status = value.raw();
      if (key == "filters") {
        value.elements([&](json::Value filter) {
          filter.members([&](std::string_view name, json::Value part) {
            if (name == "tickSize") instrument.tick_size = part.decimal();
            if (name == "stepSize" && !instrument.step_size) instrument.step_size = part.decimal();
          });
        });
      }
    });
    if (instrument.exchange_symbol.empty() || instrument.base.empty() || instrument.quote.empty()) {
      row.reject("a listing has symbol, baseAsset and quoteAsset");
    }
    instrument.base = unified_asset(renamed, instrument.base);
    instrument.quote = unified_asset(renamed, instrument.quote);
    instrument.symbol = instrument.base + "/" + instrument.quote;
    if (instrument.market != Market::spot) {
      instrument.symbol += ":" + (margin.empty() ? instrument.quote : margin);
      // Dated futures: "BTCUSDT_210625" is BTC/USDT:USDT-210625.
      if (const auto dash = instrument.exchange_symbol.rfind('_'); dash != std::string::npos) {
        instrument.symbol += "-" + instrument.exchange_symbol.substr(dash + 1);
        instrument.market = Market::future;
      }
    }
    instrument.status = status == "TRADING" ? ListingStatus::trading
                        : status == "HALT" || status == "BREAK" || status == "CANCEL_ONLY" ||
                                status == "PENDING_TRADING" || status == "SETTLING"
                            ? ListingStatus::halted
                        : status == "CLOSE" || status == "DELIVERED" ? ListingStatus::delisted
                                                                     : ListingStatus::unknown;
    return instrument;
  }

  Result<void> server_time(const Frame& frame, Events& out) {
    std::optional<Time> time;
    auto read = reader_.read(frame.text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "serverTime") time = epoch(value);
      });
    });
    if (!read) return read;
    if (!time) return fail(ErrorKind::malformed, "time: serverTime is missing");
    out.emplace_back(ClockReading{catalogue_.exchange(), *time, frame.received_time});
    return {};
  }

  // {"mins":5,"price":"9.35751834","closeTime":1694061154503}
  Result<void> average_reply(const Frame& frame, const Target& target, Events& out) {
    const auto asked = asked_instrument(target);
    if (!asked) return fail(asked.error());
    AveragePrice average;
    average.origin = {*asked, std::nullopt, frame.received_time};
    bool priced = false;
    auto read = reader_.read(frame.text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "mins") average.window_minutes = value.integer();
        if (key == "closeTime") average.origin.exchange_time = epoch(value);
        if (key == "price") {
          average.price = amount(value);
          priced = true;
        }
      });
    });
    if (!read) return read;
    if (!priced) return fail(ErrorKind::malformed, "avgPrice: price is missing");
    out.emplace_back(std::move(average));
    return {};
  }

  Catalogue& catalogue_;
  json::Reader reader_;
  std::uint64_t inexact_ = 0;
  Letters payload_;
  Letters kline_;
  std::vector<Level> bids_;
  std::vector<Level> asks_;
  std::string_view stream_;
  const Instrument* last_ = nullptr;
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue) {
  return std::make_unique<BinanceDecoder>(catalogue);
}

}  // namespace candlewick::exchange::binance
