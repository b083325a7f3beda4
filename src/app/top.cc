// Two threads: a loop that asks the service, and the one that paints. They meet at a guarded copy
// of the state. No answer is waited for by the one that paints, so keys are followed at once.
#include "app/top.h"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <latch>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "app/command.h"
#include "app/screen.h"
#include "app/top_state.h"
#include "app/top_view.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/url.h"

namespace candlewick::app {
namespace {

using namespace std::chrono_literals;

constexpr Duration patience = 5s;
// What changes slowly, or costs the service a query, is asked less often.
constexpr Duration between_metrics = 5s;
constexpr Duration between_coverage = 15s;
// The API's own limit for one question.
constexpr std::size_t most_details = 100;
constexpr std::size_t most_list_bytes = 1024;  // of one question, as openapi.json has it

struct Name {
  std::string exchange;
  std::string symbol;
  friend bool operator==(const Name&, const Name&) = default;
};

struct Target {
  std::string url;  // without a slash at its end
  std::string key;
  Duration interval{};
};

// Asks round after round. Everything of it happens on the loop's thread.
class Poller {
 public:
  // Called after every round, well or not, on the loop's thread.
  using Told = std::function<void(const TopState&)>;

  Poller(net::Loop& loop, net::HttpClient& http, Target target, Told told)
      : loop_(loop), http_(http), target_(std::move(target)), told_(std::move(told)) {
    state_.url = target_.url;
  }

  void start() { begin_round(); }
  // Whose candles and quotes are wanted; null: of the first instruments.
  void want(std::vector<Name> names) { wanted_ = std::move(names); }

 private:
  using Take = Result<void> (*)(TopState&, std::string_view);

  void begin_round() {
    begun_ = clock_.steady();
    trouble_.clear();
    before_ = state_;
    under_way_ = 2;
    ask("/health", take_health, [this] { end_part(); });
    ask("/v1/tickers", take_tickers, [this] { end_part(); });
    if (is_due(metrics_asked_, between_metrics)) {
      ++under_way_;
      // Not every key may read it, and what it tells is no more than two columns.
      ask(
          "/metrics",
          [](TopState& state, std::string_view text) -> Result<void> {
            take_metrics(state, text);
            return {};
          },
          [this] { end_part(); }, false);
    }
    if (is_due(coverage_asked_, between_coverage)) {
      ++under_way_;
      ask("/v1/quality?limit=1", take_quality, [this] { end_part(); });
    }
  }

  bool is_due(std::optional<SteadyTime>& asked, Duration interval) {
    if (asked && begun_ - *asked < interval) return false;
    asked = begun_;
    return true;
  }

  void end_part() {
    if (--under_way_ > 0) return;
    if (trouble_.empty()) {
      ask_details();
    } else {
      end_round();
    }
  }

  // Those that are on the screen, exchange by exchange.
  void ask_details() {
    std::map<std::string, std::vector<std::string>> symbols;
    for (const auto& name : wanted_ ? *wanted_ : first_names()) {
      auto& lists = symbols[name.exchange];
      if (lists.empty() || lists.back().size() + name.symbol.size() >= most_list_bytes)
        lists.emplace_back();
      lists.back() += (lists.back().empty() ? "" : ",") + name.symbol;
    }
    under_way_ = 0;
    for (const auto& [exchange, lists] : symbols) under_way_ += lists.size();
    if (symbols.empty()) return end_round();
    for (const auto& [exchange, lists] : symbols) {
      for (const auto& list : lists) {
        ask("/latest?" + net::build_query({{"exchange", exchange}, {"symbols", list}}), take_latest,
            [this] {
              if (--under_way_ == 0) end_round();
            });
      }
    }
  }

  std::vector<Name> first_names() const {
    std::vector<Name> names;
    for (const auto& instrument : state_.instruments) {
      if (names.size() < most_details) names.push_back({instrument.exchange, instrument.symbol});
    }
    return names;
  }

  void end_round() {
    state_.trouble = trouble_;
    const auto now = clock_.steady();
    if (trouble_.empty()) {
      if (counted_) tell_rates(state_, before_, health_at_ - *counted_);
      counted_ = health_at_;
    }
    told_(state_);
    timer_ = loop_.after(std::max(Duration{}, target_.interval - (now - begun_)),
                         [this] { begin_round(); });
  }

  void ask(std::string path, Take take, std::function<void()> then, bool is_needed = true) {
    net::HttpRequest request{.url = target_.url + path, .timeout = patience};
    if (!target_.key.empty()) request.headers.add("X-API-Key", target_.key);
    const bool is_health = path == "/health";
    path.resize(std::min(path.find('?'), path.size()));
    http_.send(std::move(request), loop_,
               [this, path = std::move(path), take, then = std::move(then), is_needed,
                is_health](Result<net::HttpResponse> reply) {
                 if (is_health) health_at_ = clock_.steady();
                 auto problem = problem_of(path, reply);
                 if (problem.empty()) {
                   if (const auto taken = take(state_, reply->body); !taken)
                     problem = fmt::format("{}{}: {}", target_.url, path, taken.error().message);
                 }
                 if (is_needed && trouble_.empty()) trouble_ = std::move(problem);
                 then();
               });
  }

  // Empty: the answer is what was asked for. Health that is bad is told with 503.
  std::string problem_of(std::string_view path, const Result<net::HttpResponse>& reply) const {
    if (!reply) return fmt::format("{}: {}", target_.url, reply.error().message);
    if (reply->status == 200 || (path == "/health" && reply->status == 503)) return {};
    if (reply->status == 401 || reply->status == 403) {
      return fmt::format("{}: HTTP {}: {}", target_.url, reply->status,
                         target_.key.empty() ? "a key is needed (--key, --key-file)"
                                             : "the key may not read this (--key, --key-file)");
    }
    if (reply->status == 429)
      return fmt::format("{}: HTTP 429: too many requests; see --interval", target_.url);
    return fmt::format("{}{}: HTTP {}", target_.url, path, reply->status);
  }

  net::Loop& loop_;
  net::HttpClient& http_;
  const Target target_;
  const Told told_;
  const RealClock clock_;
  TopState state_;
  TopState before_;
  std::string trouble_;  // of this round
  std::optional<std::vector<Name>> wanted_;
  std::size_t under_way_ = 0;
  SteadyTime begun_;
  SteadyTime health_at_;
  std::optional<SteadyTime> counted_;  // when the frames of the round before were told
  std::optional<SteadyTime> metrics_asked_;
  std::optional<SteadyTime> coverage_asked_;
  net::Timer timer_;
};

// Where the configuration has the service listen, from this machine.
Result<std::string> configured_url(const Config& config) {
  Endpoint endpoint = config.http.listen;
  if (endpoint.port == 0) {
    return fail(ErrorKind::misconfigured,
                "--url: is needed, because http.listen leaves the port to the system");
  }
  if (endpoint.host == "0.0.0.0") endpoint.host = "127.0.0.1";
  if (endpoint.host == "::") endpoint.host = "::1";
  return fmt::format("{}://{}", config.http.certificate_file.empty() ? "http" : "https",
                     to_text(endpoint));
}

Result<Target> target_of(const Config& config, const TopOptions& options) {
  auto url = options.url.empty() ? configured_url(config) : Result<std::string>(options.url);
  if (!url) return fail(std::move(url.error()));
  const auto parsed = net::parse_url(*url);
  if (!parsed) return fail(ErrorKind::misconfigured, "--url: {}", parsed.error().message);
  if (parsed->scheme != "http" && parsed->scheme != "https")
    return fail(ErrorKind::misconfigured, "--url: {} is no HTTP address", *url);
  while (url->ends_with('/')) url->pop_back();
  std::string key = options.key;
  if (!options.key_file.empty()) {
    auto text = read_text_file(options.key_file);
    if (!text) return fail(ErrorKind::misconfigured, "--key-file: {}", text.error().message);
    key = std::move(*text);
    while (key.ends_with('\n') || key.ends_with('\r')) key.pop_back();
  }
  // It becomes a line of the request's head.
  if (std::ranges::any_of(key, [](char c) { return c <= ' ' || c > '~'; }))
    return fail(ErrorKind::misconfigured, "--key: has characters that no key has");
  return Target{.url = std::move(*url),
                .key = std::move(key),
                .interval = Duration{static_cast<std::int64_t>(options.interval_seconds * 1e9)}};
}

// The loop, the client and the poller, taken down in the right order.
class Service {
 public:
  Service(const Config& config, Target target, Poller::Told told)
      : http_({.ca_file = config.ca_file}),
        poller_(loop_, http_, std::move(target), std::move(told)) {
    loop_.start();
    loop_.post([this] { poller_.start(); });
  }
  ~Service() {
    loop_.stop();
    loop_.join();
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  void want(std::vector<Name> names) {
    loop_.post([this, names = std::move(names)]() mutable { poller_.want(std::move(names)); });
  }

 private:
  net::Loop loop_{"top"};
  net::HttpClient http_;
  Poller poller_;
};

// Two rounds, because rates are known only then. An unreachable service is an error.
int print_once(const Config& config, Target target) {
  Guarded<TopState> newest;
  std::latch is_told(1);
  // Of the loop's thread.
  int rounds = 0;
  bool is_over = false;
  {
    const Service service(config, std::move(target), [&](const TopState& state) {
      ++rounds;
      if (is_over || (rounds == 1 && state.trouble.empty())) return;
      is_over = true;
      newest.with([&](TopState& copy) { copy = state; });
      is_told.count_down();
    });
    is_told.wait();
  }
  const auto state = newest.with([](const TopState& told) { return told; });
  if (!state.trouble.empty()) return report({ErrorKind::transient, state.trouble});
  LineOutput output;
  output.text() += top_snapshot(state, uses_colour(STDOUT_FILENO));
  return done;
}

void paint(const Screen& screen, const TopScreen& content) {
  std::string frame = "\033[H";
  for (std::size_t i = 0; i < content.lines.size(); ++i)
    frame += (i == 0 ? "" : "\r\n") + content.lines[i] + "\033[K";
  screen.write(frame);
}

int run_on(Screen& screen, const Config& config, Target target) {
  Guarded<TopState> newest;
  newest.with([&](TopState& state) { state.url = target.url; });
  Service service(config, std::move(target), [&](const TopState& state) {
    newest.with([&](TopState& copy) { copy = state; });
    screen.wake();
  });
  const bool colour = uses_colour(STDOUT_FILENO);
  TopView view;
  std::string typed;
  std::vector<Name> asked_for;
  while (!view.is_over) {
    const auto size = screen.size();
    const auto state = newest.with([](const TopState& told) { return told; });
    const auto content = top_screen(state, view, size.columns, size.lines, colour);
    paint(screen, content);
    std::vector<Name> shown;
    for (const auto position : content.instruments) {
      const auto& instrument = state.instruments[position];
      if (shown.size() < most_details) shown.push_back({instrument.exchange, instrument.symbol});
    }
    if (shown != asked_for) {
      service.want(shown);
      asked_for = std::move(shown);
    }
    auto news = screen.wait(10s);
    if (news.is_over) break;
    typed += news.typed;
    for (const auto& key : take_keys(typed)) press(view, key, content.page_rows);
  }
  return done;
}

}  // namespace

int top(const LoadedConfig& loaded, const TopOptions& options) {
  auto target = target_of(loaded.config, options);
  if (!target) return report(target.error());
  if (options.once || !Screen::is_possible()) return print_once(loaded.config, std::move(*target));
  const auto screen = Screen::open();
  if (!screen) return report(screen.error());
  return run_on(**screen, loaded.config, std::move(*target));
}

}  // namespace candlewick::app
