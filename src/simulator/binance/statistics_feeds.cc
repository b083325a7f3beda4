// Figures over a window that ends now: tickers, mini tickers, rolling windows, the average price.
#include <algorithm>

#include "simulator/binance/feed.h"

namespace candlewick::simulator::binance {
namespace {

using namespace std::chrono_literals;

// Once a second, if anything changed.
class StatisticsFeed : public Feed {
 public:
  StatisticsFeed(const Source& source, Duration length, Time now)
      : source_(source), length_(length), told_(now) {}

  std::optional<Time> next() override { return next_multiple(told_, 1000ms); }

  bool emit(std::string& out) override {
    const Time at = *next();
    told_ = at;
    if (source_.is_gone()) return false;
    const Window now = window(source_.market(), source_.listing, from(at), at);
    const bool same = now.bar == last_;
    last_ = now.bar;
    if (same || now.bar.close.is_zero()) return false;
    write(out, now, at);
    return true;
  }

 protected:
  virtual Time from(Time at) const { return at - length_; }
  virtual void write(std::string& out, const Window& now, Time at) const = 0;

  void write_change(std::string& out, const Window& now) const {
    field(out, "p", now.change());
    out += R"(,"P":")" + now.change_percent().to_fixed(3) + '"';
    field(out, "w", now.weighted_average());
  }
  void write_window(std::string& out, const Window& now) const {
    out += ",\"O\":";
    source_.time(out, now.from);
    out += ",\"C\":";
    source_.time(out, now.to);
    field(out, "F", now.bar.first_id);
    field(out, "L", now.bar.last_id);
    field(out, "n", now.bar.count);
    out += '}';
  }

  Source source_;
  Duration length_;

 private:
  Time told_;
  Bar last_;
};

class TickerFeed final : public StatisticsFeed {
 public:
  using StatisticsFeed::StatisticsFeed;

 private:
  void write(std::string& out, const Window& now, Time at) const override {
    source_.begin(out, "24hrTicker", at);
    write_change(out, now);
    if (!source_.is_futures()) field(out, "x", now.price_before);
    field(out, "c", now.bar.close);
    field(out, "Q", now.last_size);
    if (!source_.is_futures()) {
      field(out, "b", now.bid.price);
      field(out, "B", now.bid.size);
      field(out, "a", now.ask.price);
      field(out, "A", now.ask.size);
    }
    field(out, "o", now.bar.open);
    field(out, "h", now.bar.high);
    field(out, "l", now.bar.low);
    field(out, "v", now.bar.volume);
    field(out, "q", now.bar.quote_volume);
    write_window(out, now);
  }
};

class MiniTickerFeed final : public StatisticsFeed {
 public:
  using StatisticsFeed::StatisticsFeed;

 private:
  void write(std::string& out, const Window& now, Time at) const override {
    source_.begin(out, "24hrMiniTicker", at);
    field(out, "c", now.bar.close);
    field(out, "o", now.bar.open);
    field(out, "h", now.bar.high);
    field(out, "l", now.bar.low);
    field(out, "v", now.bar.volume);
    field(out, "q", now.bar.quote_volume);
    out += '}';
  }
};

// The window begins at a whole minute, so it can be up to a minute longer than its name.
class RollingTickerFeed final : public StatisticsFeed {
 public:
  RollingTickerFeed(const Source& source, std::string_view name, Duration length, Time now)
      : StatisticsFeed(source, length, now), name_(name) {}

 private:
  Time from(Time at) const override {
    return std::chrono::floor<std::chrono::minutes>(at - length_);
  }
  void write(std::string& out, const Window& now, Time at) const override {
    source_.begin(out, name_, at);
    field(out, "p", now.change());
    out += R"(,"P":")" + now.change_percent().to_fixed(2) + '"';
    field(out, "o", now.bar.open);
    field(out, "h", now.bar.high);
    field(out, "l", now.bar.low);
    field(out, "c", now.bar.close);
    field(out, "w", now.weighted_average());
    field(out, "v", now.bar.volume);
    field(out, "q", now.bar.quote_volume);
    write_window(out, now);
  }

  std::string name_;
};

class AveragePriceFeed final : public StatisticsFeed {
 public:
  using StatisticsFeed::StatisticsFeed;

 private:
  void write(std::string& out, const Window& now, Time at) const override {
    source_.begin(out, "avgPrice", at);
    out += R"(,"i":"5m")";
    field(out, "w", now.bar.any ? now.weighted_average() : now.bar.close);
    out += ",\"T\":";
    const auto last = source_.market().trades(source_.listing, now.from, now.to, 1, true);
    source_.time(out, last.empty() ? now.to : last.front().time);
    out += '}';
  }
};

// Of futures, whether or not anything was traded.
class MarkPriceFeed final : public Feed {
 public:
  MarkPriceFeed(const Source& source, Duration period, Time now)
      : source_(source), period_(period), told_(now) {}

  std::optional<Time> next() override { return next_multiple(told_, period_); }

  bool emit(std::string& out) override {
    const Time at = *next();
    told_ = at;
    if (source_.is_gone()) return false;
    const MarkPrice price = mark_price(source_.market(), source_.listing, at);
    if (price.mark.is_zero()) return false;
    source_.begin(out, "markPriceUpdate", at);
    field(out, "p", price.mark);
    field(out, "i", price.index);
    field(out, "P", price.index);
    field(out, "r", price.funding_rate);
    out += ",\"T\":";
    source_.time(out, price.next_funding);
    out += '}';
    return true;
  }

 private:
  Source source_;
  Duration period_;
  Time told_;
};

struct Rolling {
  std::string_view name;
  std::string_view event;
  Duration length;
};
constexpr std::array<Rolling, 3> rolling{
    {{"ticker_1h", "1hTicker", 1h}, {"ticker_4h", "4hTicker", 4h}, {"ticker_1d", "1dTicker", 24h}}};

}  // namespace

std::unique_ptr<Feed> make_statistics_feed(const Source& source, std::string_view name, Time now) {
  if (name == "ticker") return std::make_unique<TickerFeed>(source, 24h, now);
  if (name == "miniTicker") return std::make_unique<MiniTickerFeed>(source, 24h, now);
  if (source.is_futures()) {
    if (name == "markPrice") return std::make_unique<MarkPriceFeed>(source, 3s, now);
    if (name == "markPrice@1s") return std::make_unique<MarkPriceFeed>(source, 1s, now);
    return nullptr;
  }
  if (name == "avgPrice") return std::make_unique<AveragePriceFeed>(source, 5min, now);
  const auto* row = std::ranges::find(rolling, name, &Rolling::name);
  if (row == rolling.end()) return nullptr;
  return std::make_unique<RollingTickerFeed>(source, row->event, row->length, now);
}

}  // namespace candlewick::simulator::binance
