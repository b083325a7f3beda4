// How old a value is when a user can see it, and when it cannot be lost any more. The whole service
// runs in this process against a venue on loopback that sends 10,000 quotes a second, numbered, and
// a closed candle every 20 ms. Measured from the venue's send to
//   visible: the end of the first answer of GET /latest that shows this quote or a later one. The
//            client asks again as soon as it has an answer and has paused for 200 µs, so its own
//            round trip and waiting are in the number;
//   durable: a second connection to the log (which sees what is synced) reads the candle's row; it
//            looks every millisecond.
//
//   bench_latency FOLDER     where the data is kept meanwhile: on the disk that counts
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "app/service.h"
#include "app/warehouse_choice.h"
#include "bench/measure.h"
#include "log/sqlite_log.h"
#include "net/loop.h"
#include "net/server.h"

namespace candlewick::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t quotes_a_second = 10'000;
constexpr Duration tick_interval = 100us;
constexpr Duration candle_interval = 20ms;
constexpr Duration warm_up = 1s;
constexpr Duration load_time = 6s;
constexpr Duration patience = 60s;
constexpr Duration client_pause = 200us;
constexpr Duration reader_pause = 1ms;
constexpr std::size_t most_quotes = 100'000;
constexpr std::size_t most_candles = 1'000;
constexpr std::size_t history_candles = 2'900;  // fewer than 49 h: the last minutes may be open

std::int64_t steady_ns() {
  return now().time_since_epoch().count();
}

// When each number was sent, 0: not yet. Written by the venue's thread, read by the observers.
struct SendTimes {
  std::vector<std::atomic<std::int64_t>> quotes =
      std::vector<std::atomic<std::int64_t>>(most_quotes);
  std::vector<std::atomic<std::int64_t>> candles =
      std::vector<std::atomic<std::int64_t>>(most_candles);
};

// Just enough of Binance. Its minutes go by as fast as candles are sent.
class VenueServer final : public net::Handler {
 public:
  VenueServer(Time start, SendTimes& times)
      : start_ms_(to_ms(start)), minute_open_ms_(start_ms_), times_(times) {}

  Result<void> listen() {
    auto server = net::Server::listen(loop_, {}, *this);
    if (!server) return fail(server.error());
    server_ = std::move(*server);
    loop_.start();
    return {};
  }
  std::string address() const { return server_->address(); }

  void begin() {
    loop_.call([this] {
      began_ = now();
      tick();
    });
  }
  void end() {
    loop_.call([this] { timer_.cancel(); });
  }
  std::int64_t quotes_sent() {
    std::int64_t sent = 0;
    loop_.call([&] { sent = quotes_; });
    return sent;
  }
  ~VenueServer() override {
    end();
    server_.reset();
  }
  VenueServer(const VenueServer&) = delete;
  VenueServer& operator=(const VenueServer&) = delete;

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

 private:
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
      const auto quotes_due = elapsed.count() / (1'000'000'000 / quotes_a_second);
      while (quotes_ < quotes_due && quotes_ + 1 < static_cast<std::int64_t>(most_quotes)) {
        send_quote();
      }
      const auto candles_due = elapsed.count() / candle_interval.count();
      while (candles_ < candles_due && candles_ + 1 < static_cast<std::int64_t>(most_candles)) {
        send_candle();
      }
    }
    timer_ = loop_.after(tick_interval, [this] { tick(); });
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

// A blocking HTTP client of one connection and one question.
class LatestClient {
 public:
  explicit LatestClient(std::string_view address) {
    const auto colon = address.rfind(':');
    std::uint16_t port = 0;
    std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    request_ = fmt::format("GET /latest/BTC-USDT HTTP/1.1\r\nHost: {}\r\n\r\n", address);
  }
  ~LatestClient() { ::close(socket_); }
  LatestClient(const LatestClient&) = delete;
  LatestClient& operator=(const LatestClient&) = delete;

  // The number of the quote it shows; 0 while it shows none.
  Result<std::int64_t> ask() {
    if (!connected_ || ::send(socket_, request_.data(), request_.size(), MSG_NOSIGNAL) < 0) {
      return fail(ErrorKind::transient, "the API does not answer");
    }
    std::size_t end = std::string::npos;
    answer_.clear();
    while (answer_.size() < end) {
      char buffer[16'384];
      const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
      if (got <= 0) return fail(ErrorKind::transient, "the API has closed the connection");
      answer_.append(buffer, static_cast<std::size_t>(got));
      if (end == std::string::npos) end = length();
    }
    const auto quote = answer_.find(R"("quote":{)");
    const auto at = answer_.find(R"("sequence":)", quote);
    std::int64_t number = 0;
    if (quote != std::string::npos && at != std::string::npos) {
      std::from_chars(answer_.data() + at + 11, answer_.data() + answer_.size(), number);
    }
    return number;
  }

 private:
  // Of head and body, once the head is there.
  std::size_t length() const {
    const auto head = answer_.find("\r\n\r\n");
    const auto field = answer_.find("Content-Length: ");
    if (head == std::string::npos || field > head) return std::string::npos;
    std::size_t body = 0;
    std::from_chars(answer_.data() + field + 16, answer_.data() + head, body);
    return head + 4 + body;
  }

  int socket_ = -1;
  bool connected_ = false;
  std::string request_;
  std::string answer_;
};

struct Observed {
  std::vector<double> ages;  // nanoseconds
  std::optional<Error> error;
};

void watch_latest(const std::string& address, const SendTimes& times, std::int64_t first,
                  const std::atomic<bool>& stop, Observed& out) {
  LatestClient client(address);
  std::int64_t seen = 0;
  while (!stop.load()) {
    const auto newest = client.ask();
    const std::int64_t at = steady_ns();
    if (!newest) {
      out.error = newest.error();
      return;
    }
    for (std::int64_t number = seen + 1; number <= *newest; ++number) {
      const auto sent =
          times.quotes[static_cast<std::size_t>(number)].load(std::memory_order_acquire);
      if (number >= first) out.ages.push_back(static_cast<double>(at - sent));
    }
    seen = std::max(seen, *newest);
    std::this_thread::sleep_for(client_pause);
  }
}

void watch_log(const std::filesystem::path& path, const SendTimes& times, Time start,
               std::int64_t first, const std::atomic<bool>& stop, Observed& out) {
  auto log = log::open_sqlite_log({.path = path});
  if (!log) {
    out.error = log.error();
    return;
  }
  const auto newest = (*log)->last_sequence();
  log::Sequence after = newest ? *newest : 0;
  while (!stop.load()) {
    const auto page = (*log)->read(after, 10'000, std::size_t{8} << 20);
    const std::int64_t at = steady_ns();
    if (!page) {
      out.error = page.error();
      return;
    }
    after = page->last;
    for (const auto& entry : page->entries) {
      if (entry.row.table != &schema::fact_ohlcv) continue;
      const auto* open = std::get_if<Time>(&entry.row.at("timestamp"));
      const auto* is_closed = std::get_if<bool>(&entry.row.at("is_closed"));
      if (open == nullptr || is_closed == nullptr || !*is_closed || *open < start) continue;
      const std::int64_t number = (*open - start) / 1min;
      if (number < first || number >= static_cast<std::int64_t>(most_candles)) continue;
      const auto sent =
          times.candles[static_cast<std::size_t>(number)].load(std::memory_order_acquire);
      if (sent != 0) out.ages.push_back(static_cast<double>(at - sent));
    }
    std::this_thread::sleep_for(reader_pause);
  }
}

// The history is in the log, and nothing waits to be.
Result<void> wait_until_quiet(const app::Service& service) {
  const SteadyTime deadline = now() + patience;
  while (now() < deadline) {
    const auto log = service.log();
    if (log.committed_rows >= history_candles && log.queued_rows == 0) return {};
    std::this_thread::sleep_for(10ms);
  }
  return fail(ErrorKind::transient, "the service has not filled its history in time: {} rows",
              service.log().committed_rows);
}

Result<void> run(const std::filesystem::path& folder) {
  const RealClock clock;
  const Time start = std::chrono::floor<std::chrono::minutes>(clock.now());
  SendTimes times;
  VenueServer venue(start, times);
  if (auto listening = venue.listen(); !listening) return listening;

  Config config;
  config.symbols = {"BTC/USDT"};
  config.warehouse = "sqlite";
  config.data_dir = folder.string();
  config.http.listen = {"127.0.0.1", 0};
  config.http.requests_per_minute = 10'000'000;
  config.venues["binance"] = {.base_url = "http://" + venue.address(),
                              .ws_url = "ws://" + venue.address()};
  Metrics metrics;
  LogObserver observer(clock, {.level = Severity::error});
  auto service = app::Service::start(config, clock, observer, metrics);
  if (!service) return fail(service.error());
  if (auto quiet = wait_until_quiet(**service); !quiet) return quiet;

  const std::int64_t first_quote = warm_up / 1s * quotes_a_second;
  const std::int64_t first_candle = warm_up / candle_interval;
  std::atomic<bool> stop = false;
  Observed visible;
  Observed durable;
  std::thread latest_client(
      [&] { watch_latest((*service)->api_address(), times, first_quote, stop, visible); });
  std::thread log_reader(
      [&] { watch_log(app::log_path(config), times, start, first_candle, stop, durable); });
  venue.begin();
  std::this_thread::sleep_for(load_time);
  const auto sent = venue.quotes_sent();
  venue.end();
  std::this_thread::sleep_for(500ms);  // what was sent last arrives
  stop = true;
  latest_client.join();
  log_reader.join();
  (*service)->stop();

  if (visible.error) return fail(*visible.error);
  if (durable.error) return fail(*durable.error);
  const auto wanted = load_time / 1s * quotes_a_second;
  if (sent < wanted * 98 / 100) {
    return fail(ErrorKind::transient, "the venue sent only {} of {} quotes", sent, wanted);
  }
  if (visible.ages.size() + static_cast<std::size_t>(first_quote) <
      static_cast<std::size_t>(sent)) {
    return fail(ErrorKind::transient, "only {} of {} quotes became visible", visible.ages.size(),
                sent - first_quote);
  }
  if (durable.ages.size() < 200) {
    return fail(ErrorKind::transient, "only {} closed candles became durable", durable.ages.size());
  }
  print_sample("latency/visible p50", "ours", quantile(visible.ages, 0.5) / 1e6, "ms");
  print_sample("latency/visible p99", "ours", quantile(visible.ages, 0.99) / 1e6, "ms");
  print_sample("latency/durable p50", "ours", quantile(durable.ages, 0.5) / 1e6, "ms");
  print_sample("latency/durable p99", "ours", quantile(durable.ages, 0.99) / 1e6, "ms");
  return {};
}

}  // namespace
}  // namespace candlewick::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_latency FOLDER\n");
    return 2;
  }
  const std::filesystem::path folder =
      std::filesystem::path(argv[1]) / fmt::format("latency-{}", ::getpid());
  const auto done = candlewick::bench::run(folder);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return done ? 0 : candlewick::bench::report(done.error());
}
