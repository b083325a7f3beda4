// What a thousand listeners cost: each of 1,000 WebSocket clients holds the quotes of one
// instrument, which change ten times a second. The service is a process of its own, so that its
// memory and its processor time are its alone; the venue and the clients are in this one. Measured
// from the venue's send to the moment that a client has the event in hand: the clients' own thread,
// which reads all of them one after the other, is in the number.
//
//   bench_streams FOLDER CANDLEWICK     where the data is kept meanwhile, and the program
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include <fmt/format.h>

#include "base/clock.h"
#include "bench/measure.h"
#include "bench/venue.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/websocket_client.h"
#include "test/support/eventually.h"
#include "test/support/program.h"

namespace candlewick::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t client_count = 1'000;
constexpr std::int64_t quotes_a_second = 10;
constexpr Duration warm_up = 2s;
constexpr Duration load_time = 10s;
constexpr std::int64_t first_quote = warm_up / 1s * quotes_a_second;
constexpr std::string_view stream = "binance:BTC/USDT@quote";

struct Usage {
  double resident_bytes = 0;
  double processor_seconds = 0;
};

Usage usage_of(pid_t process) {
  Usage usage;
  double total = 0;
  std::ifstream statm(fmt::format("/proc/{}/statm", process));
  statm >> total >> usage.resident_bytes;
  usage.resident_bytes *= static_cast<double>(sysconf(_SC_PAGESIZE));
  std::string stat;
  std::getline(std::ifstream(fmt::format("/proc/{}/stat", process)), stat);
  // Behind the name, which may hold anything: state, ten numbers, user and system time.
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  usage.processor_seconds = (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return usage;
}

std::uint16_t free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(probe, reinterpret_cast<const sockaddr*>(&address), size);
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(probe);
  return ntohs(address.sin_port);
}

// The listeners, on one loop. What they count is theirs until they are asked on it.
class Listeners {
 public:
  Listeners(const std::string& url, const SendTimes& times) : times_(times) {
    loop_.start();
    loop_.call([&] {
      for (std::size_t i = 0; i < client_count; ++i) connect(url);
    });
  }
  ~Listeners() {
    loop_.call([this] { listeners_.clear(); });
  }
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  std::optional<Error> problem() {
    std::optional<Error> problem;
    loop_.call([&] { problem = problem_; });
    return problem;
  }
  // How many have had their snapshot.
  std::size_t subscribed() {
    std::size_t count = 0;
    loop_.call([&] { count = subscribed_; });
    return count;
  }
  std::vector<double> take_ages() {
    std::vector<double> ages;
    loop_.call([&] { ages = std::move(ages_); });
    return ages;
  }

 private:
  struct Listener {
    std::unique_ptr<net::WebSocketClient> socket;
    bool has_snapshot = false;
  };

  void connect(const std::string& url) {
    auto& listener = *listeners_.emplace_back(std::make_unique<Listener>());
    listener.socket = std::make_unique<net::WebSocketClient>(
        loop_,
        net::WebSocketOptions{.url = url, .connect_deadline = 30s, .handshake_deadline = 30s},
        net::WebSocketEvents{
            .on_open = [&listener] { subscribe(listener); },
            .on_frame = [this, &listener](std::string_view frame, bool) { take(listener, frame); },
            .on_close =
                [this](const net::WebSocketClosed& closed) {
                  if (!problem_) problem_ = closed.error;
                }});
  }

  static void subscribe(Listener& listener) {
    listener.socket->send(
        fmt::format(R"({{"method":"SUBSCRIBE","params":["{}"],"id":1}})", stream));
  }

  void take(Listener& listener, std::string_view frame) {
    const std::int64_t at = steady_ns();
    if (!listener.has_snapshot && frame.find(R"("type":"snapshot")") != frame.npos) {
      listener.has_snapshot = true;
      ++subscribed_;
      return;
    }
    constexpr std::string_view name = R"("sequence":)";
    const auto found = frame.find(name);
    if (found == frame.npos) return;
    std::size_t number = 0;
    std::from_chars(frame.data() + found + name.size(), frame.data() + frame.size(), number);
    if (number < static_cast<std::size_t>(first_quote) || number >= most_quotes) return;
    ages_.push_back(
        static_cast<double>(at - times_.quotes[number].load(std::memory_order_acquire)));
  }

  const SendTimes& times_;
  net::Loop loop_{"clients"};
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::size_t subscribed_ = 0;
  std::vector<double> ages_;  // nanoseconds
  std::optional<Error> problem_;
};

void write_settings(const std::filesystem::path& file, const std::filesystem::path& data,
                    std::uint16_t port, const VenueServer& venue) {
  std::ofstream(file) << fmt::format(
      "symbols = [\"BTC/USDT\"]\nwarehouse = \"sqlite\"\ndata_dir = \"{}\"\nlog_level = \"error\"\n"
      "[http]\nlisten = \"127.0.0.1:{}\"\nmax_connections = {}\nrequests_per_minute = 1000000\n"
      "[exchange.binance]\nbase_url = \"http://{}\"\nws_url = \"ws://{}\"\n",
      data.string(), port, client_count + 10, venue.address(), venue.address());
}

Result<void> wait_until_ready(test::Program& service, const std::string& address) {
  net::HttpClient http;
  const bool is_ready = test::eventually([&] {
    const auto answer = http.fetch({.url = "http://" + address + "/readyz"});
    return !service.is_running() || (answer && answer->status == 200);
  });
  if (is_ready && service.is_running()) return {};
  return fail(ErrorKind::transient, "the service is not ready: {}", service.err());
}

Result<void> run(const std::filesystem::path& folder, const std::filesystem::path& candlewick) {
  const RealClock clock;
  SendTimes times;
  VenueServer venue({.start = std::chrono::floor<std::chrono::minutes>(clock.now()),
                     .quotes_a_second = quotes_a_second},
                    times);
  if (auto listening = venue.listen(); !listening) return listening;
  std::filesystem::create_directories(folder);
  const std::uint16_t port = free_port();
  const std::string address = fmt::format("127.0.0.1:{}", port);
  write_settings(folder / "candlewick.toml", folder / "data", port, venue);
  test::Program service(candlewick, {"run", "--config", (folder / "candlewick.toml").string()});
  if (auto ready = wait_until_ready(service, address); !ready) return ready;

  const Usage alone = usage_of(service.process());
  Listeners listeners(fmt::format("ws://{}/v1/stream", address), times);
  const bool all = test::eventually(
      [&] { return listeners.problem() || listeners.subscribed() == client_count; });
  if (auto problem = listeners.problem()) return fail(*problem);
  if (!all) return fail(ErrorKind::transient, "not all of the clients are subscribed in time");
  venue.begin();
  std::this_thread::sleep_for(warm_up);
  const Usage before = usage_of(service.process());
  const SteadyTime start = now();
  std::this_thread::sleep_for(load_time);
  const double seconds = seconds_since(start);
  const Usage after = usage_of(service.process());
  const auto sent = venue.quotes_sent();
  venue.end();
  std::this_thread::sleep_for(500ms);  // what was sent last arrives
  if (auto problem = listeners.problem()) return fail(*problem);
  const auto ages = listeners.take_ages();
  service.stop();

  const auto wanted = static_cast<double>(sent + 1 - first_quote) * client_count;
  if (sent < first_quote || static_cast<double>(ages.size()) < 0.98 * wanted) {
    return fail(ErrorKind::transient, "only {} of {} updates came", ages.size(), wanted);
  }
  constexpr double mib = 1 << 20;
  print_sample("streams/1,000 clients p50", "ours", quantile(ages, 0.5) / 1e6, "ms");
  print_sample("streams/1,000 clients p99", "ours", quantile(ages, 0.99) / 1e6, "ms");
  print_sample("streams/processor", "ours",
               (after.processor_seconds - before.processor_seconds) / seconds * 100, "% of a core");
  print_sample("streams/memory of a client", "ours",
               (before.resident_bytes - alone.resident_bytes) / client_count, "bytes");
  print_sample("streams/memory growth", "ours",
               (after.resident_bytes - before.resident_bytes) / mib, "MiB");
  return {};
}

}  // namespace
}  // namespace candlewick::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_streams FOLDER CANDLEWICK\n");
    return 2;
  }
  const auto folder = std::filesystem::absolute(argv[1]) / fmt::format("streams-{}", ::getpid());
  const auto done = candlewick::bench::run(folder, std::filesystem::absolute(argv[2]));
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return done ? 0 : candlewick::bench::report(done.error());
}
