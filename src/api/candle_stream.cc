// Rows that were read are passed on before another page is asked for, so that a slow client slows
// only itself.
#include "api/candle_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/json_form.h"
#include "api/resources.h"
#include "api/series.h"

namespace candlewick::api {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t page_rows = 1000;
// Live candles that wait while history is read or the client is slow; more: it has to come again.
constexpr std::size_t most_waiting = 2000;
constexpr Duration comment_interval = 15s;
constexpr Duration ask_again_after = 250ms;
// How far behind the last one a client had corrections are looked for.
constexpr Duration correction_horizon = 48h;
constexpr int correction_periods = 200;
// Warehouses keep microseconds: the next moment there is.
constexpr Duration stored_unit = 1us;

// "1768478400000.0"
std::optional<CandleStream::Begin::Last> parse_event_id(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<std::int64_t> {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), value);
    if (end != digits.end() || error != std::errc{} || value < 0) return std::nullopt;
    return value;
  };
  const auto open_ms = number(text.substr(0, dot));
  const auto revision = number(text.substr(dot + 1));
  // Until the year 2200, as all parameters.
  if (!open_ms || !revision || *open_ms >= 7'258'118'400'000) return std::nullopt;
  return CandleStream::Begin::Last{.open_time = time_from_ms(*open_ms), .revision = *revision};
}

}  // namespace

// What the query thread needs to know; the stream itself may be gone meanwhile.
struct CandleStream::Question {
  query::CandleQuery page;
  std::optional<Candle> must_have;
  std::optional<Begin::Last> last;  // corrections behind it are asked for

  query::StoredQuery stored(Time from, Time until) const {
    return {.exchange = page.exchange,
            .symbol = page.symbol,
            .timeframe = page.timeframe,
            .start = from,
            .end = until};
  }

  Result<void> ask_corrections(warehouse::Database& database, Page& out) const {
    const Duration reach =
        std::max<Duration>(correction_horizon, correction_periods * length_of(page.timeframe));
    auto rows = query::stored_candles(
        database, stored(last->open_time - reach, last->open_time + stored_unit));
    if (!rows) return candlewick::fail(std::move(rows.error()));
    // What was stored after the candle that the client had last; where that one was corrected
    // itself, after its end.
    Time since = next_open(page.timeframe, last->open_time);
    for (const auto& row : *rows) {
      if (row.timestamp == last->open_time && row.revision == last->revision)
        since = row.ingested_at;
    }
    for (auto& row : *rows) {
      const bool is_known = row.timestamp == last->open_time && row.revision <= last->revision;
      if (row.is_closed && !is_known && row.ingested_at > since)
        out.corrections.push_back(std::move(row));
    }
    return {};
  }

  Result<Page> ask(warehouse::Database& database) const {
    Page out;
    if (must_have) {
      const auto rows = query::stored_candles(
          database, stored(must_have->open_time, must_have->open_time + stored_unit));
      if (!rows) return candlewick::fail(rows.error());
      out.is_behind = rows->empty() || rows->front().revision < must_have->revision;
      if (out.is_behind) return out;
    }
    if (last) {
      if (auto asked = ask_corrections(database, out); !asked)
        return candlewick::fail(std::move(asked.error()));
    }
    auto rows = query::candles(database, page);
    if (!rows) return candlewick::fail(std::move(rows.error()));
    out.candles = std::move(*rows);
    out.is_last = out.candles.size() < page.limit;
    return out;
  }
};

CandleStream::CandleStream(Streams& streams, const stream::StreamKey& key, Begin begin,
                           std::shared_ptr<net::Responder> responder)
    : streams_(streams),
      key_(key),
      begin_(begin),
      responder_(std::move(responder)),
      sent_(streams.site().backend.clock.steady()) {}

CandleStream::~CandleStream() {
  detach();
}

void CandleStream::detach() {
  if (std::exchange(is_attached_, false)) streams_.hub().leave(*this, key_);
}

void CandleStream::start() {
  responder_->on_drain([this] { go_on(); });
  responder_->on_close([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->detach();
    self->streams_.done(self);
  });
  out_ = "retry: 1000\n\n";
  flush();
  is_attached_ = true;
  streams_.hub().join_silently(*this, key_);
  if (!begin_.start && !begin_.last) return;
  const auto recent = streams_.hub().told_candles(key_);
  for (const auto& candle : recent.events) {
    auto& known = recent_[candle.open_time];
    if (known.origin.instrument == nullptr || known.revision <= candle.revision) known = candle;
    heard_.insert(candle.open_time);
  }
  if (!recent.is_all && !recent.events.empty()) oldest_recent_ = recent.events.front();
  if (begin_.last) begin_.start = begin_.last->open_time + stored_unit;
  from_ = *begin_.start;
  is_reading_ = true;
  if (streams_.hub().is_test(key_.slot)) return finish_history();
  ask();
}

void CandleStream::ask() {
  const Instrument& instrument = streams_.hub().instrument(key_.slot);
  Question question{.page = {.exchange = instrument.exchange,
                             .symbol = instrument.symbol,
                             .timeframe = key_.timeframe,
                             .start = begin_.start,
                             .limit = page_rows,
                             .order = query::Order::ascending,
                             .closed_only = true},
                    .must_have = std::nullopt,
                    .last = std::nullopt};
  if (is_first_page_) {
    question.must_have = oldest_recent_;
    question.last = begin_.last;
  }
  is_asking_ = true;
  const auto answer = [weak = weak_from_this(), &loop = streams_.loop()](std::optional<Page> page) {
    loop.post([weak, page = std::move(page)]() mutable {
      if (const auto self = weak.lock()) self->take(std::move(page));
    });
  };
  const bool is_asked = streams_.site().questions.read(
      [question = std::move(question), answer](warehouse::Database* database) -> Result<void> {
        if (database == nullptr) {
          answer(std::nullopt);
          return {};
        }
        auto page = question.ask(*database);
        if (!page) {
          answer(std::nullopt);
          return candlewick::fail(std::move(page.error()));
        }
        answer(*std::move(page));
        return {};
      });
  if (!is_asked) answer(std::nullopt);
}

void CandleStream::take(std::optional<Page> page) {
  is_asking_ = false;
  if (!is_attached_) return;
  if (!page || page->is_behind) {
    retry_ = streams_.loop().after(ask_again_after, [weak = weak_from_this()] {
      if (const auto self = weak.lock(); self != nullptr && self->is_attached_) self->ask();
    });
    return;
  }
  is_first_page_ = false;
  is_asking_ = true;  // until these are told
  tell(*page, streams_.intake().queued());
}

// Whatever these rows can hold was queued before they were read: with that heard first, nothing
// that waits is missed among them.
void CandleStream::tell(const Page& page, std::uint64_t queued) {
  if (!is_attached_) return;
  if (streams_.hub().heard() < queued) {
    streams_.pump();
    streams_.loop().post([weak = weak_from_this(), page, queued] {
      if (const auto self = weak.lock()) self->tell(page, queued);
    });
    return;
  }
  is_asking_ = false;
  for (const auto* rows : {&page.corrections, &page.candles}) {
    for (const auto& row : *rows) {
      note(row.timestamp, row.revision);
      std::string data;
      append_candle(data, row);
      tell(row.timestamp, row.revision, true, data);
    }
  }
  if (!page.candles.empty()) begin_.start = page.candles.back().timestamp + stored_unit;
  if (page.is_last) return finish_history();
  go_on();
}

void CandleStream::note(Time open_time, std::int64_t revision) {
  if (!heard_.contains(open_time)) return;
  auto& known = told_.try_emplace(open_time, revision).first->second;
  known = std::max(known, revision);
}

bool CandleStream::is_told(Time open_time, std::int64_t revision) const {
  const auto found = told_.find(open_time);
  return found != told_.end() && revision <= found->second;
}

// Behind the last one that the client had; of older ones those that came later than it.
bool CandleStream::is_wanted(const Candle& recent) const {
  if (is_told(recent.open_time, recent.revision)) return false;
  if (recent.open_time >= from_) return true;
  if (!begin_.last) return false;
  const auto& last = *begin_.last;
  if (recent.open_time == last.open_time) return recent.revision > last.revision;
  const auto found = recent_.find(last.open_time);
  Time since = next_open(key_.timeframe, last.open_time);
  if (found != recent_.end() && found->second.revision == last.revision)
    since = found->second.origin.received_time.value_or(since);
  return recent.origin.received_time.value_or(since) >= since;
}

void CandleStream::finish_history() {
  for (const auto& [open_time, candle] : recent_) {
    if (!is_wanted(candle)) continue;
    std::string data;
    append_candle(data, candle);
    tell(open_time, candle.revision, true, data);
  }
  recent_.clear();
  is_reading_ = false;
  go_on();
}

// The connection has taken what was written.
void CandleStream::go_on() {
  flush();
  if (is_reading_) {
    if (!is_asking_ && !retry_.armed() && out_.empty() && is_attached_) ask();
    return;
  }
  while (!waiting_.empty() && out_.empty()) {
    const stream::Message message = std::move(waiting_.front());
    waiting_.pop_front();
    tell(message);
    flush();
  }
}

void CandleStream::tell(const stream::Message& message) {
  const auto& candle = *message.candle;
  if (candle.is_closed && is_told(candle.open_time, candle.revision)) return;
  if (!candle.is_closed && newest_closed_ && candle.open_time <= *newest_closed_) return;
  tell(candle.open_time, candle.revision, candle.is_closed, message.data());
}

void CandleStream::tell(Time open_time, std::int64_t revision, bool is_closed,
                        std::string_view data) {
  if (is_closed) {
    newest_closed_ = std::max(newest_closed_.value_or(open_time), open_time);
    out_ += fmt::format("id: {}.{}\n", to_ms(open_time), revision);
  }
  out_ += "event: candle\ndata: ";
  out_ += data;
  out_ += "\n\n";
}

void CandleStream::on_message(const stream::StreamKey&, const stream::Message& message) {
  if (is_cut_) return;
  // What did not come cannot be told: the client comes again and reads it.
  if (!message.candle) return cut();
  if (is_reading_ && message.candle->is_closed) heard_.insert(message.candle->open_time);
  // Of forming candles the newest is enough.
  if (!waiting_.empty() && waiting_.back().is_paced) waiting_.pop_back();
  waiting_.push_back(message);
  if (waiting_.size() > most_waiting) return cut();
  if (!is_reading_) go_on();
}

void CandleStream::flush() {
  if (out_.empty() || responder_ == nullptr) return;
  switch (responder_->write(std::move(out_))) {
    case net::Responder::Room::more:
      out_.clear();
      sent_ = streams_.site().backend.clock.steady();
      return;
    case net::Responder::Room::full:
      return;
    case net::Responder::Room::closed:
      out_.clear();
      return;
  }
}

void CandleStream::tick() {
  const SteadyTime now = streams_.site().backend.clock.steady();
  go_on();
  if (out_.empty() && now - sent_ >= comment_interval) {
    out_ = ":\n\n";
    flush();
  }
}

void CandleStream::finish() {
  detach();
  if (responder_ != nullptr) responder_->end();
}

// Without an end: the client sees that something is missing, and comes again. Not at once, since
// the hub may be telling at this moment.
void CandleStream::cut() {
  is_cut_ = true;
  waiting_.clear();
  streams_.loop().post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->detach();
    self->responder_.reset();
    self->streams_.done(self);
  });
}

void answer_candle_stream(const Site& site, Call call) {
  Arguments& arguments = call.arguments;
  const stream::Hub& hub = site.streams->hub();
  const std::string exchange = arguments.text("exchange");
  const std::string symbol = arguments.required("symbol");
  const Timeframe timeframe = arguments.timeframe("timeframe", hub.timeframes().front());
  CandleStream::Begin begin{.start = arguments.time("start"), .last = std::nullopt};
  if (std::ranges::find(hub.timeframes(), timeframe) == hub.timeframes().end()) {
    arguments.refuse(problems::invalid_parameter, "timeframe",
                     "only timeframes that are kept are streamed; others are made of minutes by "
                     "/v1/candles");
  }
  if (const auto id = call.request().headers.find("Last-Event-ID"); id && !id->empty()) {
    begin.last = parse_event_id(*id);
    if (!begin.last) {
      arguments.refuse(problems::invalid_parameter, "Last-Event-ID",
                       "is not the id of an event: open time in milliseconds, dot, revision");
    }
  }
  if (const auto& problem = arguments.problem()) return call.fail(*problem);
  const bool is_test = exchange == "test";
  if (!exchange.empty() && !is_test && !site.instruments.has_exchange(exchange))
    return call.fail(unknown_exchange(site, exchange));
  const auto slot = hub.find_slot(symbol, exchange);
  if (!slot) return call.fail(unknown_symbol(site, symbol, exchange));
  const bool is_head = call.request().method == "HEAD";
  net::Headers headers{{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
  if (is_head) return call.send({.status = 200, .headers = std::move(headers)});
  auto stream = std::make_shared<CandleStream>(
      *site.streams,
      stream::StreamKey{.slot = *slot, .channel = stream::Channel::candle, .timeframe = timeframe},
      begin, call.begin(200, std::move(headers)));
  site.streams->keep(stream);
  stream->start();
}

}  // namespace candlewick::api
