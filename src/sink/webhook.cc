// The answer's status is the outcome. Nothing of a refused request is taken for stored, so that its
// rows are asked for one by one, each under a name of its own.
#include "sink/webhook.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/fault_point.h"
#include "base/time.h"
#include "net/http_client.h"
#include "net/url.h"

namespace candlewick::sink {
namespace {

constexpr std::size_t shown_answer_bytes = 200;
constexpr Duration longest_pause = std::chrono::hours{1};

bool is_success(int status) {
  return status >= 200 && status < 300;
}

// Seconds; the form with a date is rare enough to be taken for "not said".
std::optional<Duration> retry_after_of(const net::HttpResponse& response) {
  const auto text = response.headers.get("Retry-After");
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || seconds < 0)
    return std::nullopt;
  return std::min<Duration>(longest_pause,
                            std::chrono::seconds{std::min<std::int64_t>(seconds, 86'400)});
}

class Webhook final : public Sink {
 public:
  Webhook(WebhookOptions options, const Clock& clock)
      : options_(std::move(options)),
        clock_(clock),
        http_({.ca_file = options_.ca_file, .user_agent = "candlewick"}) {}

  std::string_view name() const override { return "webhook"; }
  bool needs_stable_batches() const override { return true; }
  Result<void> open() override { return {}; }  // the first request shows what is wrong
  Result<std::optional<log::Sequence>> position(std::string_view) override {
    return std::optional<log::Sequence>{};
  }
  Result<void> write(const Batch& batch) override;
  std::optional<Duration> retry_after() const override { return retry_after_; }
  std::vector<Finding> examine() override;

 private:
  void append(std::string& body, const schema::Row& row) const;
  Result<net::HttpResponse> post(std::string body, std::string batch_name);
  Result<void> outcome(const net::HttpResponse& response) const;

  const WebhookOptions options_;
  const Clock& clock_;
  net::HttpClient http_;
  std::optional<Duration> retry_after_;
};

void Webhook::append(std::string& body, const schema::Row& row) const {
  const auto symbol = row.table->index_of("symbol");
  const auto spelling = row.table->index_of("exchange_symbol");
  if (!options_.exchange_symbol_style || symbol == schema::Table::npos ||
      spelling == schema::Table::npos) {
    return schema::append_json(body, row);
  }
  schema::Row spelled = row;
  spelled.values[symbol] = spelled.values[spelling];
  schema::append_json(body, spelled);
}

Result<net::HttpResponse> Webhook::post(std::string body, std::string batch_name) {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch();
  const std::string timestamp = fmt::format("{}", now.count());
  net::HttpRequest request{.method = "POST",
                           .url = options_.url,
                           .headers = {{"Content-Type", "application/json"},
                                       {"X-Candlewick-Timestamp", timestamp},
                                       {"X-Candlewick-Batch", std::move(batch_name)}}};
  request.headers.add("X-Candlewick-Signature",
                      webhook_signature(options_.secret, timestamp, body));
  request.body = std::move(body);
  return http_.fetch(std::move(request));
}

Result<void> Webhook::outcome(const net::HttpResponse& response) const {
  if (is_success(response.status)) return {};
  const auto says = fmt::format("webhook: HTTP {}: {}", response.status,
                                response.body.substr(0, shown_answer_bytes));
  switch (response.status) {
    case 401:
    case 403:
      return fail(ErrorKind::misconfigured,
                  "{} (is webhook.secret the one that the receiver expects?)", says);
    case 404:
    case 405:
    case 410:
      return fail(ErrorKind::misconfigured, "{} (is webhook.url right?)", says);
    case 408:
    case 425:
    case 429:
      return fail(ErrorKind::transient, "{}", says);
    default:
      break;
  }
  if (response.status >= 500) return fail(ErrorKind::transient, "{}", says);
  // A redirection would take the rows somewhere else.
  if (response.status < 400) return fail(ErrorKind::misconfigured, "{} (a redirection?)", says);
  return fail(ErrorKind::rejected, "{}", says);
}

Result<void> Webhook::write(const Batch& batch) {
  retry_after_.reset();
  std::string body = "[";
  for (const auto& entry : batch.entries()) {
    if (std::ranges::find(options_.tables, entry.row.table->name) == options_.tables.end())
      continue;
    if (body.size() > 1) body += ',';
    append(body, entry.row);
  }
  if (body.size() == 1) return {};
  body += ']';
  fault_point("webhook.before_post");
  const auto response =
      post(std::move(body), fmt::format("{}:{}-{}", batch.log_id(), batch.first(), batch.last()));
  fault_point("webhook.after_post");
  if (!response) {
    // An answer that is no HTTP says nothing about the rows.
    const auto kind = response.error().kind == ErrorKind::misconfigured ? ErrorKind::misconfigured
                                                                        : ErrorKind::transient;
    return fail(kind, "webhook: {}", response.error().message);
  }
  retry_after_ = retry_after_of(*response);
  return outcome(*response);
}

// An empty list is a request like any other, and signed.
std::vector<Finding> Webhook::examine() {
  std::vector<Finding> findings;
  if (options_.secret.empty()) {
    findings.push_back({Finding::Grade::warning, "requests are signed with an empty secret",
                        "set webhook.secret (CANDLEWICK_WEBHOOK_SECRET), and check the header "
                        "X-Candlewick-Signature in the receiver"});
  }
  const auto response = post("[]", "examination");
  const auto done = response ? outcome(*response) : Result<void>(fail(response.error()));
  if (done) {
    findings.push_back({Finding::Grade::good,
                        fmt::format("takes a signed empty list with HTTP {}", response->status),
                        ""});
  } else {
    findings.push_back({Finding::Grade::bad, done.error().message,
                        "the receiver is to answer a list of rows, also an empty one, with 2xx"});
  }
  return findings;
}

std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (comma > 0) words.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return words;
}

}  // namespace

std::string webhook_signature(const Secret& secret, std::string_view timestamp,
                              std::string_view body) {
  std::string text(timestamp);
  text += '.';
  text += body;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  HMAC(EVP_sha256(), secret.reveal().data(), static_cast<int>(secret.reveal().size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
  std::string signature = "sha256=";
  for (unsigned int i = 0; i < length; ++i) signature += fmt::format("{:02x}", digest.at(i));
  return signature;
}

std::unique_ptr<Sink> make_webhook(WebhookOptions options, const Clock& clock) {
  return std::make_unique<Webhook>(std::move(options), clock);
}

Result<std::unique_ptr<Sink>> make_webhook_from(const Settings& settings) {
  WebhookOptions options{.url = std::string(settings.get("url")),
                         .secret = Secret(std::string(settings.get("secret"))),
                         .tables = words_of(settings.get("tables")),
                         .ca_file = std::string(settings.get("ca_file"))};
  if (auto url = net::parse_url(options.url); !url) {
    return fail(ErrorKind::misconfigured, "webhook.url: {}", url.error().message);
  }
  for (const auto& table : options.tables) {
    if (schema::find_table(table) == nullptr)
      return fail(ErrorKind::misconfigured, "webhook.tables: there is no table \"{}\"", table);
  }
  const std::string_view style = settings.get("symbol_style", "unified");
  if (style != "unified" && style != "exchange") {
    return fail(ErrorKind::misconfigured,
                "sink webhook: symbol_style is \"{}\", not \"unified\" or \"exchange\"", style);
  }
  options.exchange_symbol_style = style == "exchange";
  return make_webhook(std::move(options), *settings.clock);
}

}  // namespace candlewick::sink
