// A client is written to as long as little of it waits in its socket; the rest stays with it, where
// what is old gives way.
#include "api/streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "api/candle_stream.h"
#include "api/resources.h"
#include "query/coverage.h"

namespace candlewick::api {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view subprotocol = "candlewick.v1";
// Enough for the system to have something to send while the client is looked at again.
constexpr std::size_t most_unsent_bytes = 64U << 10U;
constexpr Duration first_look = 25ms;
constexpr Duration shortest_wait = 1ms;
constexpr Duration tick_interval = 1s;

std::string make_session() {
  std::random_device random;
  return fmt::format("{:06x}", random() & 0xFF'FFFFU);
}

std::vector<Timeframe> kept_timeframes(const Backend& backend) {
  std::vector<Timeframe> timeframes;
  for (const auto& text : backend.timeframes) {
    if (const auto timeframe = parse_timeframe(text)) timeframes.push_back(*timeframe);
  }
  // Minutes are always kept: everything else is made of them.
  if (std::ranges::find(timeframes, Timeframe::m1) == timeframes.end())
    timeframes.push_back(Timeframe::m1);
  return timeframes;
}

}  // namespace

class Streams::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Streams& streams, std::shared_ptr<net::Peer> peer)
      : streams_(streams), peer_(std::move(peer)) {}

  void begin() {
    client_ = std::make_unique<stream::Client>(streams_.hub_, streams_.site_.backend.clock,
                                               streams_.limits_, [this] { flush_soon(); });
    net::PeerEvents events;
    events.on_frame = [this](std::string_view payload, bool is_binary) {
      client_->receive(payload, is_binary);
      flush();
      streams_.look_soon();
    };
    events.on_drain = [this] { flush(); };
    events.on_close = [this](const net::PeerClosed&) { end(); };
    peer_->listen(std::move(events));
    flush();
  }

  void tick() { client_->tick(); }

 private:
  void flush() {
    while (peer_->buffered_bytes() < most_unsent_bytes) {
      const stream::Text text = client_->next();
      if (text == nullptr) break;
      if (!peer_->send(text, false)) break;  // it is closing
    }
    if (const auto& close = client_->close()) peer_->close(close->code, close->reason);
  }

  // All that one turn brings leaves together.
  void flush_soon() {
    if (flush_is_posted_) return;
    flush_is_posted_ = true;
    streams_.loop_.post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        self->flush_is_posted_ = false;
        self->flush();
      }
    });
  }

  void end() {
    streams_.dropped_.add(static_cast<double>(client_->outbox().dropped()));
    streams_.sessions_.erase(shared_from_this());
  }

  Streams& streams_;
  std::shared_ptr<net::Peer> peer_;
  std::unique_ptr<stream::Client> client_;
  bool flush_is_posted_ = false;
};

Streams::Streams(const Site& site, stream::Intake& intake, net::Loop& loop,
                 stream::ClientLimits limits)
    : site_(site),
      intake_(intake),
      loop_(loop),
      limits_(limits),
      hub_({.clock = site.backend.clock,
            .board = site.backend.board,
            .intake = intake,
            .directory = {
                .find =
                    [&site](std::string_view symbol, std::string_view exchange) {
                      return site.instruments.find(symbol, exchange);
                    },
                .has_exchange =
                    [&site](std::string_view exchange) {
                      return site.instruments.has_exchange(exchange);
                    },
                .near = [&site](std::string_view symbol) { return site.instruments.near(symbol); }},
            .ask_coverage = [this](const Instrument& instrument,
                                   auto answer) { ask_coverage(instrument, std::move(answer)); }},
           {.session = make_session(), .timeframes = kept_timeframes(site.backend)}),
      clients_(site.backend.metrics.gauge("candlewick_api_stream_clients",
                                          "Clients of the live streams")),
      streams_(site.backend.metrics.gauge("candlewick_api_streams",
                                          "Streams that are listened to, or were a minute ago")),
      kept_bytes_(site.backend.metrics.gauge("candlewick_api_stream_kept_bytes",
                                             "Events kept for clients that come back")),
      dropped_(site.backend.metrics.counter("candlewick_api_stream_dropped_events_total",
                                            "Events that slow clients did not get")) {
  intake_.on_waiting([this, alive = alive_] {
    loop_.post([this, alive] {
      if (*alive) pump();
    });
  });
}

Streams::~Streams() {
  intake_.on_waiting({});
  *alive_ = false;
  timer_.cancel();
  for (const auto& stream : candles_) stream->detach();
}

net::Upgrade Streams::open(const net::Request& request, std::string_view request_id) {
  net::Upgrade upgrade;
  if (!request.query.empty()) {
    upgrade.refusal = to_response({.kind = &problems::unknown_parameter,
                                   .detail = "streams are asked for in messages",
                                   .parameter = request.query.front().first.substr(0, 64)},
                                  request_id);
    return upgrade;
  }
  if (request.headers.has("Sec-WebSocket-Protocol")) {
    if (!request.headers.has_token("Sec-WebSocket-Protocol", subprotocol)) {
      upgrade.refusal =
          to_response({.kind = &problems::invalid_request,
                       .detail = fmt::format("the only subprotocol is {}", subprotocol)},
                      request_id);
      return upgrade;
    }
    upgrade.subprotocol = subprotocol;
  }
  upgrade.on_open = [this](std::shared_ptr<net::Peer> peer) {
    auto session = std::make_shared<Session>(*this, std::move(peer));
    sessions_.insert(session);
    session->begin();
    look_soon();
  };
  return upgrade;
}

void Streams::keep(std::shared_ptr<CandleStream> stream) {
  candles_.insert(std::move(stream));
  look_soon();
}

void Streams::done(const std::shared_ptr<CandleStream>& stream) {
  candles_.erase(stream);
}

void Streams::drain() {
  for (const auto& stream : std::exchange(candles_, {})) stream->finish();
}

void Streams::ask_coverage(const Instrument& instrument,
                           std::function<void(stream::Hub::Spans)> answer) {
  query::CoverageQuery query{.exchange = instrument.exchange, .symbol = instrument.symbol};
  auto shared = std::make_shared<std::function<void(stream::Hub::Spans)>>(std::move(answer));
  const auto tell = [&loop = loop_, alive = alive_, shared](stream::Hub::Spans spans) {
    loop.post([alive, shared, spans = std::move(spans)]() mutable {
      if (*alive) (*shared)(std::move(spans));
    });
  };
  const bool is_asked = site_.questions.read(
      [query = std::move(query), tell](warehouse::Database* database) -> Result<void> {
        if (database == nullptr) {
          tell(std::nullopt);
          return {};
        }
        auto spans = query::coverage(*database, query);
        if (!spans) {
          tell(std::nullopt);
          return candlewick::fail(std::move(spans.error()));
        }
        tell(*std::move(spans));
        return {};
      });
  if (!is_asked) tell(std::nullopt);
}

void Streams::pump() {
  if (is_pumping_) return;
  is_pumping_ = true;
  const bool has_more = hub_.pump() == Duration{0};
  is_pumping_ = false;
  if (!has_more || is_posted_) return;
  // Behind what the loop has to write now.
  is_posted_ = true;
  loop_.post([this, alive = alive_] {
    if (!*alive) return;
    is_posted_ = false;
    pump();
  });
}

void Streams::look_soon() {
  if (timer_.armed()) return;
  timer_ = loop_.after(first_look, [this] { turn(); });
}

void Streams::turn() {
  const Duration next = std::max<Duration>(hub_.pump(), shortest_wait);
  if (!intake_.is_empty()) pump();
  // A copy, since a stream may end.
  const auto candles = candles_;
  for (const auto& stream : candles) stream->tick();
  const SteadyTime now = site_.backend.clock.steady();
  const bool is_idle = sessions_.empty() && candles_.empty() && hub_.active_streams() == 0;
  if (now - ticked_ >= tick_interval || is_idle) {
    ticked_ = now;
    for (const auto& session : sessions_) session->tick();
    clients_.set(static_cast<double>(sessions_.size() + candles_.size()));
    streams_.set(static_cast<double>(hub_.active_streams()));
    kept_bytes_.set(static_cast<double>(hub_.kept_bytes()));
  }
  if (is_idle) return;
  timer_ = loop_.after(next, [this] { turn(); });
}

void answer_stream(const Site&, Call call) {
  net::Response response = to_response(
      {.kind = &problems::upgrade_required, .detail = "this is a WebSocket: see docs/streaming.md"},
      call.request_id());
  response.headers.add("Upgrade", "websocket");
  call.send(std::move(response));
}

}  // namespace candlewick::api
