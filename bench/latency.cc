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
#include "bench/venue.h"
#include "log/sqlite_log.h"

namespace candlewick::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t quotes_a_second = 10'000;
constexpr Duration candle_interval = 20ms;
constexpr Duration warm_up = 1s;
constexpr Duration load_time = 6s;
constexpr Duration patience = 60s;
constexpr Duration client_pause = 200us;
constexpr Duration reader_pause = 1ms;
constexpr std::size_t history_candles = 2'900;  // fewer than 49 h: the last minutes may be open

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
  VenueServer venue(
      {.start = start, .quotes_a_second = quotes_a_second, .candle_interval = candle_interval},
      times);
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
