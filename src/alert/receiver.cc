// Forms and limits as the services' own pages state them, read 2026-11-21:
// docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (text; & < > are escaped),
// docs.discord.com/developers/resources/webhook (content of at most 2000 characters; 429 has
// retry_after in seconds, with a fraction), core.telegram.org/bots/api#sendmessage (text of at most
// 4096 characters; parameters.retry_after).
#include "alert/receiver.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_text.h"
#include "net/url.h"

namespace candlewick::alert {
namespace {

constexpr Duration patience = std::chrono::seconds{15};     // for an answer
constexpr std::size_t answer_bytes = std::size_t{1} << 16;  // of which it is read
constexpr std::size_t shown_bytes = 200;
constexpr std::size_t slack_units = 4'000;
constexpr std::size_t discord_units = 2'000;
constexpr std::size_t telegram_units = 4'096;
constexpr double longest_pause_seconds = 3'600;
constexpr std::string_view telegram_url = "https://api.telegram.org";

net::HttpRequest post(const std::string& url, std::string body) {
  return {.method = "POST",
          .url = url,
          .headers = {{"Content-Type", "application/json"}},
          .body = std::move(body),
          .timeout = patience,
          .max_body_bytes = answer_bytes};
}

std::string escaped_for_slack(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

void replace_all(std::string& text, std::string_view part, std::string_view by) {
  if (part.size() < 4) return;  // it would be found in ordinary words
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + by.size()))
    text.replace(at, part.size(), by);
}

// The address in every form that a message may have it in.
std::function<std::string(std::string)> redactor(const net::Url& url, std::string secret) {
  return [url, secret = std::move(secret)](std::string text) {
    const std::string shown = fmt::format("{}://{}/***", url.scheme, url.authority());
    for (const auto& form : {url.text(), url.shown()}) replace_all(text, form, shown);
    for (const auto& form : {secret, url.target, url.path()}) {
      if (form.size() > 1) replace_all(text, form, "***");
    }
    return text;
  };
}

Result<net::Url> address_of(const Secret& secret, std::string_view key) {
  auto url = net::parse_url(secret.reveal());
  if (!url || (url->scheme != "https" && url->scheme != "http")) {
    // The reason would hold the address.
    return fail(ErrorKind::misconfigured,
                "alerts.{}: is no https:// address (http:// is for this machine alone)", key);
  }
  return std::move(*url);
}

Result<Receiver> receiver_at(std::string name, const Secret& address, std::string_view key,
                             std::string (*body)(const Message&)) {
  auto url = address_of(address, key);
  if (!url) return fail(url.error());
  return Receiver{
      .name = std::move(name),
      .host = url->authority(),
      .request = [address,
                  body](const Message& message) { return post(address.reveal(), body(message)); },
      .redact = redactor(*url, address.reveal())};
}

std::string slack_body(const Message& message) {
  std::string body;
  json::Members members(body);
  members("text", escaped_for_slack(cut(to_line(message), slack_units))).close();
  return body;
}

// Nobody is called by what a summary happens to say.
std::string discord_body(const Message& message) {
  std::string body;
  json::Members members(body);
  members("content", cut(to_line(message), discord_units));
  members.raw("allowed_mentions", R"({"parse":[]})").close();
  return body;
}

// Without a parse_mode the text is taken as it is.
std::string telegram_body(const Message& message, const std::string& chat) {
  std::string body;
  json::Members members(body);
  members("chat_id", chat)("text", cut(to_line(message), telegram_units));
  members.raw("link_preview_options", R"({"is_disabled":true})").close();
  return body;
}

Result<Receiver> telegram(const Config::Alerts& config) {
  const std::string& token = config.telegram_token.reveal();
  // Of digits, a colon, letters: anything else would be another address.
  const bool is_token = std::ranges::all_of(token, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == ':' || c == '_' || c == '-';
  });
  if (!is_token) {
    return fail(ErrorKind::misconfigured,
                "alerts.telegram_token: is no token of a bot (digits, a colon and letters)");
  }
  std::string base =
      config.telegram_base_url.empty() ? std::string(telegram_url) : config.telegram_base_url;
  while (base.ends_with('/')) base.pop_back();
  const Secret address(fmt::format("{}/bot{}/sendMessage", base, token));
  auto url = net::parse_url(base);
  if (!url) return within("alerts.telegram_base_url", url.error());
  auto whole = address_of(address, "telegram_base_url");
  if (!whole) return fail(whole.error());
  return Receiver{.name = "telegram",
                  .host = url->authority(),
                  .request =
                      [address, chat = config.telegram_chat](const Message& message) {
                        return post(address.reveal(), telegram_body(message, chat));
                      },
                  .redact =
                      [by_address = redactor(*whole, address.reveal()), token](std::string text) {
                        text = by_address(std::move(text));
                        replace_all(text, token, "***");
                        return text;
                      }};
}

// Seconds, with or without a fraction.
std::optional<Duration> pause_of(double seconds) {
  if (!(seconds >= 0)) return std::nullopt;
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::min(seconds, longest_pause_seconds)));
}

std::optional<Duration> pause_of_header(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return pause_of(seconds);
}

// {"retry_after":1.5,…}, or {"parameters":{"retry_after":5},…}.
std::optional<Duration> pause_of_body(std::string_view body) {
  std::optional<Duration> pause;
  const auto take = [&](std::string_view key, json::Value& value) {
    if (key == "retry_after") pause = pause_of(value.floating());
    return key == "retry_after";
  };
  json::Reader reader;
  const auto read = reader.read(body, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (take(key, value) || key != "parameters") return;
      value.members([&](std::string_view inner, json::Value part) { take(inner, part); });
    });
  });
  return read ? pause : std::nullopt;
}

}  // namespace

std::string cut(std::string text, std::size_t units) {
  std::size_t used = 0;
  std::size_t room_for_dots = 0;  // where it would be cut
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    used += length == 4 ? 2 : 1;
    if (used > units) return text.substr(0, room_for_dots) + "…";
    i += length;
    if (used < units) room_for_dots = std::min(i, text.size());
  }
  return text;
}

std::string to_line(const Message& message) {
  const std::string_view phase = message.phase == Phase::firing     ? "FIRING"
                                 : message.phase == Phase::repeated ? "STILL FIRING"
                                                                    : "RESOLVED";
  std::string line =
      fmt::format("{} {} ({}): {}", phase, message.name, to_text(message.urgency), message.summary);
  std::string labels;
  for (const auto& [key, value] : message.labels)
    labels += fmt::format("{}{}={}", labels.empty() ? "" : ", ", key, value);
  if (!labels.empty()) line += fmt::format(" [{}]", labels);
  return line;
}

std::string to_json(const Message& message) {
  std::string out;
  json::Members members(out);
  members("name", message.name)("severity", to_text(message.urgency))(
      "state", to_text(message.phase))("summary", message.summary);
  json::Members labels(members.name("labels"));
  for (const auto& [key, value] : message.labels) labels(key, value);
  labels.close();
  members("at", message.at)("since", message.since).close();
  return out;
}

Result<std::vector<Receiver>> make_receivers(const Config::Alerts& config) {
  std::vector<Receiver> receivers;
  const auto add = [&](Result<Receiver> receiver) -> Result<void> {
    if (!receiver) return fail(std::move(receiver.error()));
    receivers.push_back(std::move(*receiver));
    return {};
  };
  if (!config.slack_url.empty()) {
    auto added = add(receiver_at("slack", config.slack_url, "slack_url", slack_body));
    if (!added) return fail(added.error());
  }
  if (!config.discord_url.empty()) {
    auto added = add(receiver_at("discord", config.discord_url, "discord_url", discord_body));
    if (!added) return fail(added.error());
  }
  if (config.telegram_token.empty() != config.telegram_chat.empty()) {
    return fail(ErrorKind::misconfigured, "alerts.{}: is empty, but alerts.{} is set",
                config.telegram_token.empty() ? "telegram_token" : "telegram_chat",
                config.telegram_token.empty() ? "telegram_chat" : "telegram_token");
  }
  if (!config.telegram_token.empty()) {
    if (auto added = add(telegram(config)); !added) return fail(added.error());
  }
  if (!config.webhook_url.empty()) {
    auto added = add(receiver_at("webhook", config.webhook_url, "webhook_url", to_json));
    if (!added) return fail(added.error());
  }
  return receivers;
}

Verdict judge(const Result<net::HttpResponse>& answer) {
  using enum Verdict::Kind;
  if (!answer) {
    // An answer that is no HTTP may be a proxy's on a bad day.
    const bool is_lasting = answer.error().kind == ErrorKind::misconfigured;
    return {is_lasting ? refused : retry, std::nullopt, answer.error().message};
  }
  const int status = answer->status;
  if (status >= 200 && status < 300) return {};
  const std::string problem = fmt::format("HTTP {}: {}", status, cut(answer->body, shown_bytes));
  if (status == 429) {
    auto pause = pause_of_body(answer->body);
    if (!pause) pause = pause_of_header(answer->headers.get("Retry-After"));
    return {retry, pause, problem};
  }
  if (status == 408 || status == 425 || status >= 500)
    return {retry, pause_of_header(answer->headers.get("Retry-After")), problem};
  return {refused, std::nullopt, problem};
}

}  // namespace candlewick::alert
