// A loop of its own looks at what is due, a thousand times a second or oftener.
#include "bench/venue.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "bench/measure.h"
#include "net/loop.h"
#include "net/server.h"

namespace candlewick::bench {
namespace {

// As often as quotes are due, within reason.
Duration tick_interval(std::int64_t quotes_a_second) {
  return std::clamp(Duration{std::chrono::seconds{1}} / quotes_a_second,
                    Duration{std::chrono::microseconds{100}},
                    Duration{std::chrono::milliseconds{1}});
}

}  // namespace

std::int64_t steady_ns() {
  return now().time_since_epoch().count();
}

struct VenueServer::Impl final : net::Handler {
  Impl(VenueOptions options, SendTimes& times)
      : options_(options),
        start_ms_(to_ms(options.start)),
        minute_open_ms_(start_ms_),
        times_(times) {}

  void http(net::Request request, std::shared_ptr<net::Responder> responder) override {
    std::string body = "{}";
    if (request.path == "/api/v3/time") {
      body = fmt::format(R"({{"serverTime":{}}})", minute_open_ms_ + 1);
    } else if (request.path == "/api/v3/exchangeInfo") {
      body = fmt::format(
          R"({{"timezone":"UTC","serverTime":{},"rateLimits":[],"symbols":[{{"symbol":"BTCUSDT",)"
          R"("status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","filters":[]}}]}})",
          minute_open_ms_ + 1);
    } else if (request.path == "/api/v3/klines") {
      body = klines(request);
    }
    responder->send({.status = 200, .headers = {}, .body = std::move(body)});
  }

  net::Upgrade websocket(const net::Request& /*request*/) override {
    net::Upgrade upgrade;
    upgrade.on_open = [this](std::shared_ptr<net::Peer> peer) {
      peer->listen({.on_frame = [raw = peer.get()](std::string_view, bool) {
        raw->send(std::string(R"({"result":null,"id":1})"));
      }});
      peer->send(kline(minute_open_ms_, false));
      peer_ = std::move(peer);
    };
    return upgrade;
  }

  static constexpr std::int64_t minute_ms = 60'000;

  static std::int64_t close_of(std::int64_t open_ms) { return 60'000 + (open_ms / minute_ms) % 97; }

  std::string klines(const net::Request& request) const {
    std::int64_t from = start_ms_;
    if (const auto text = request.parameter("startTime")) {
      std::from_chars(text->data(), text->data() + text->size(), from);
    }
    std::string body = "[";
    std::int64_t open = (from + minute_ms - 1) / minute_ms * minute_ms;
    for (int row = 0; row < 1'000 && open <= minute_open_ms_; ++row, open += minute_ms) {
      if (body.size() > 1) body += ',';
      body += fmt::format(
          R"([{},"{}.00000000","60100.00000000","59900.00000000","{}.00000000","12.50000000",{},)"
          R"("750000.00000000",420,"6.25000000","375000.00000000","0"])",
          open, close_of(open - minute_ms), close_of(open), open + minute_ms - 1);
    }
    return body + "]";
  }

  std::string kline(std::int64_t open, bool is_closed) const {
    return fmt::format(
        R"({{"stream":"btcusdt@kline_1m","data":{{"e":"kline","E":{},"s":"BTCUSDT","k":{{"t":{},"T":{},)"
        R"("s":"BTCUSDT","i":"1m","f":1,"L":420,"o":"{}.00000000","c":"{}.00000000","h":"60100.00000000",)"
        R"("l":"59900.00000000","v":"12.50000000","n":420,"x":{},"q":"750000.00000000","V":"6.25000000",)"
        R"("Q":"375000.00000000","B":"0"}}}}}})",
        is_closed ? open + minute_ms + 5 : open + 1, open, open + minute_ms - 1,
        close_of(open - minute_ms), close_of(open), is_closed);
  }

  void tick() {
    const Duration elapsed = now() - began_;
    if (peer_) {
      const auto quotes_due = elapsed.count() / (1'000'000'000 / options_.quotes_a_second);
      while (quotes_ < quotes_due && quotes_ + 1 < static_cast<std::int64_t>(most_quotes)) {
        send_quote();
      }
      const auto candles_due = options_.candle_interval == Duration{0}
                                   ? 0
                                   : elapsed.count() / options_.candle_interval.count();
      while (candles_ < candles_due && candles_ + 1 < static_cast<std::int64_t>(most_candles)) {
        send_candle();
      }
    }
    timer_ = loop_.after(tick_interval(options_.quotes_a_second), [this] { tick(); });
  }

  void send_quote() {
    ++quotes_;
    std::string text = fmt::format(
        R"({{"stream":"btcusdt@bookTicker","data":{{"u":{},"s":"BTCUSDT","b":"60000.{:08}","B":"1.25000000",)"
        R"("a":"60001.00000000","A":"0.50000000"}}}})",
        quotes_, quotes_ % 100'000'000);
    times_.quotes[static_cast<std::size_t>(quotes_)].store(steady_ns(), std::memory_order_release);
    peer_->send(std::move(text));
  }

  void send_candle() {
    std::string text = kline(minute_open_ms_, true);
    times_.candles[static_cast<std::size_t>(candles_)].store(steady_ns(),
                                                             std::memory_order_release);
    ++candles_;
    minute_open_ms_ += minute_ms;
    peer_->send(std::move(text));
  }

  const VenueOptions options_;
  const std::int64_t start_ms_;
  std::int64_t minute_open_ms_;  // of the forming candle
  SendTimes& times_;
  net::Loop loop_{"venue"};
  std::unique_ptr<net::Server> server_;
  std::shared_ptr<net::Peer> peer_;
  net::Timer timer_;
  SteadyTime began_;
  std::int64_t quotes_ = 0;
  std::int64_t candles_ = 0;
};

VenueServer::VenueServer(VenueOptions options, SendTimes& times)
    : impl_(std::make_unique<Impl>(options, times)) {}

VenueServer::~VenueServer() {
  end();
  impl_->server_.reset();
}

Result<void> VenueServer::listen() {
  auto server = net::Server::listen(impl_->loop_, {}, *impl_);
  if (!server) return fail(server.error());
  impl_->server_ = std::move(*server);
  impl_->loop_.start();
  return {};
}

std::string VenueServer::address() const {
  return impl_->server_->address();
}

void VenueServer::begin() {
  impl_->loop_.call([this] {
    impl_->began_ = now();
    impl_->tick();
  });
}

void VenueServer::end() {
  impl_->loop_.call([this] { impl_->timer_.cancel(); });
}

std::int64_t VenueServer::quotes_sent() {
  std::int64_t sent = 0;
  impl_->loop_.call([&] { sent = impl_->quotes_; });
  return sent;
}

}  // namespace candlewick::bench
