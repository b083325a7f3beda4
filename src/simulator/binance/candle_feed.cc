// Candles as they form: an update every two seconds if anything changed, and a last one, marked as
// closed, a moment after the end, also where nothing was traded.
#include <algorithm>

#include "simulator/binance/feed.h"
#include "simulator/noise.h"

namespace candlewick::simulator::binance {
namespace {

using namespace std::chrono_literals;

// A closed candle's last frame comes a moment after its end.
constexpr Duration closing_delay = 25ms;

class KlineFeed final : public Feed {
 public:
  KlineFeed(const Source& source, Timeframe timeframe, Duration shift, Time now)
      : source_(source),
        timeframe_(timeframe),
        shift_(shift),
        period_(timeframe == Timeframe::s1 ? 1000ms : source.context.flavour.candle_period),
        open_(open_of(timeframe, now, shift)),
        told_(now) {
    if (const auto row = source.market().row(source.listing, timeframe, open_, now, shift)) {
      last_ = row->bar;
    }
  }

  std::optional<Time> next() override {
    if (open_ >= source_.market().known_until(source_.listing)) return std::nullopt;
    const Time end = next_open(timeframe_, open_, shift_);
    const Time update = next_multiple(told_, period_);
    return update < end ? update : end + closing_delay;
  }

  bool emit(std::string& out) override {
    const Time at = *next();
    const Time open = open_;
    const Time end = next_open(timeframe_, open, shift_);
    const bool is_last = at >= end;
    told_ = at;
    const auto row =
        source_.market().row(source_.listing, timeframe_, open, std::min(at, end), shift_);
    if (is_last) open_ = end;
    if (!row || source_.is_gone()) return false;
    if (!is_last && (row->bar == last_ || !row->bar.any)) return false;
    last_ = is_last ? Bar{} : row->bar;
    write(out, *row, at, is_last && !stays_unclosed(open));
    return true;
  }
  int rank() const override { return 4; }

 private:
  bool stays_unclosed(Time open) const {
    // Streams are shared, so what is drawn belongs to the candle and not to a connection.
    const auto chance =
        source_.context.faults.settings().chance[static_cast<std::size_t>(Fault::unclosed)];
    if (chance <= 0.0) return false;
    const auto which = static_cast<std::uint64_t>(to_ms(open));
    return source_.context.faults.draw("unclosed", hash_text(source_.symbol()), which) < chance;
  }

  void write(std::string& out, const Row& row, Time at, bool is_closed) const {
    const Bar& bar = row.bar;
    source_.begin(out, "kline", at);
    out += ",\"k\":{\"t\":";
    source_.time(out, row.open_time);
    out += ",\"T\":";
    append_last_instant(out, row.end_time, source_.micros);
    out += R"(,"s":")" + source_.symbol() + R"(","i":")";
    out += to_text(timeframe_);
    out += '"';
    if (bar.count != 0) {
      field(out, "f", bar.first_id);
      field(out, "L", bar.last_id);
    } else {
      out += R"(,"f":-1,"L":-1)";
    }
    field(out, "o", bar.open);
    field(out, "c", bar.close);
    field(out, "h", bar.high);
    field(out, "l", bar.low);
    field(out, "v", bar.volume);
    field(out, "n", bar.count);
    field(out, "x", is_closed);
    field(out, "q", bar.quote_volume);
    field(out, "V", bar.taker_volume);
    field(out, "Q", bar.taker_quote_volume);
    out += R"(,"B":"0"}})";
  }

  Source source_;
  Timeframe timeframe_;
  Duration shift_;
  Duration period_;
  Time open_;
  Time told_;
  Bar last_;
};

}  // namespace

std::unique_ptr<Feed> make_candle_feed(const Source& source, std::string_view name, Time now) {
  if (!name.starts_with("kline_")) return nullptr;
  auto rest = name.substr(6);
  Duration shift{};
  if (rest.ends_with("@+08:00")) {
    shift = 8h;
    rest.remove_suffix(7);
  }
  const auto timeframe = parse_timeframe(rest);
  if (!timeframe) return nullptr;
  if (*timeframe == Timeframe::s1 && !source.context.flavour.has_seconds) return nullptr;
  if (length_of(*timeframe) < length_of(source.market().shortest())) return nullptr;
  return std::make_unique<KlineFeed>(source, *timeframe, shift, now);
}

}  // namespace candlewick::simulator::binance
