// URLs, control messages and refusals. A subscription to a stream that does not exist succeeds and
// stays silent, as it does on the real venue.
#include "simulator/binance/binance.h"

#include <algorithm>

#include "base/json.h"
#include "base/json_text.h"

namespace candlewick::simulator {
namespace binance {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_streams = 1024;
constexpr std::size_t longest_id = 36;

constexpr Flavour global{.name = "binance",
                         .is_futures = false,
                         .messages_per_second = 5,
                         .most_candles = 1000,
                         .most_levels = 5000,
                         .candle_period = 2000ms,
                         .weight_per_minute = 6000,
                         .raw_requests_per_5_minutes = 300'000,
                         .ping_interval = 20s,
                         .has_seconds = true,
                         .has_microseconds = true,
                         .exchange_info_weight = 20,
                         .klines_weights = {2, 2, 2, 2},
                         .depth_weights = {5, 25, 50, 250},
                         .ticker_weights = {2, 2, 40, 80},
                         .trades_weight = 25,
                         .aggregate_trades_weight = 4,
                         .price_weight = 2,
                         .all_prices_weight = 4};

constexpr Flavour us{.name = "binance-us",
                     .is_futures = false,
                     .messages_per_second = 5,
                     .most_candles = 1000,
                     .most_levels = 5000,
                     .candle_period = 2000ms,
                     .weight_per_minute = 1200,
                     .raw_requests_per_5_minutes = 5'000,
                     .ping_interval = 180s,
                     .has_seconds = false,
                     .has_microseconds = false,
                     .exchange_info_weight = 10,
                     .klines_weights = {1, 1, 1, 1},
                     .depth_weights = {1, 5, 10, 50},
                     .ticker_weights = {1, 20, 40, 40},
                     .trades_weight = 1,
                     .aggregate_trades_weight = 1,
                     .price_weight = 1,
                     .all_prices_weight = 2};

constexpr Flavour usdm{.name = "binance-usdm",
                       .is_futures = true,
                       .messages_per_second = 10,
                       .most_candles = 1500,
                       .most_levels = 1000,
                       .candle_period = 250ms,
                       .weight_per_minute = 2400,
                       .raw_requests_per_5_minutes = 0,
                       .ping_interval = 180s,
                       .has_seconds = false,
                       .has_microseconds = false,
                       .exchange_info_weight = 1,
                       .klines_weights = {1, 2, 5, 10},
                       .depth_weights = {5, 10, 20, 20},
                       .ticker_weights = {1, 1, 1, 40},
                       .trades_weight = 5,
                       .aggregate_trades_weight = 20,
                       .price_weight = 1,
                       .all_prices_weight = 2};

// Streams of futures are served at two paths since 2026-04-23. At the paths of before, which
// clients in use still open, this simulator serves all.
bool is_served_at(std::string_view path, std::string_view stream) {
  const auto kind = stream.substr(std::min(stream.find('@'), stream.size()));
  const bool is_frequent =
      kind.starts_with("@depth") || kind.starts_with("@bookTicker") || kind == "@trade";
  if (path.starts_with("/public/")) return is_frequent;
  return !path.starts_with("/market/") || !is_frequent;
}

// The value of `streams`, in which "+" is no space: btcusdt@kline_1d@+08:00.
std::string streams_of(std::string_view target) {
  const auto question = target.find('?');
  auto rest = question == std::string_view::npos ? "" : target.substr(question + 1);
  while (!rest.empty()) {
    const auto item = rest.substr(0, rest.find('&'));
    rest = rest.substr(std::min(rest.size(), item.size() + 1));
    if (item.starts_with("streams=")) return net::percent_decode(item.substr(8)).value_or("");
  }
  return {};
}

// A control message taken apart; `id` is JSON to be sent back as it came.
struct Message {
  bool is_object = false;
  bool has_method = false;
  bool id_is_valid = true;
  std::string id = "null";
  std::string method;
  std::optional<std::vector<std::string>> names;  // nullopt: no list of strings
  std::vector<std::string> params;                // each as JSON text
  std::optional<bool> flag;                       // the second parameter
};

bool is_valid_id(json::Value& id) {
  const auto type = id.type();
  if (type == json::Type::null) return true;
  const auto raw = id.raw();
  if (type == json::Type::number) {
    return raw.find_first_not_of("-0123456789") == std::string_view::npos && raw.size() <= 20;
  }
  if (type != json::Type::string || raw.size() > longest_id) return false;
  return std::ranges::all_of(raw, [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
  });
}

void read_params(json::Value& value, Message& message) {
  if (value.type() != json::Type::array) return;
  message.names.emplace();
  value.elements([&](json::Value item) {
    const auto type = item.type();
    if (type == json::Type::string) {
      const std::string name(item.string());
      message.params.push_back('"' + name + '"');
      if (message.names) message.names->push_back(name);
      return;
    }
    if (type == json::Type::boolean) {
      message.flag = item.boolean();
      message.params.emplace_back(*message.flag ? "true" : "false");
    } else {
      message.params.emplace_back(item.text());
    }
    message.names.reset();
  });
}

Result<Message> read_message(std::string_view text) {
  Message message;
  json::Reader reader;
  const auto read = reader.read(text, [&](json::Value root) {
    if (root.type() != json::Type::object) {
      root.text();
      return;
    }
    message.is_object = true;
    root.members([&](std::string_view key, json::Value value) {
      if (key == "id") {
        const auto type = value.type();
        if (type == json::Type::object || type == json::Type::array) {
          message.id_is_valid = false;
          value.text();
          return;
        }
        message.id_is_valid = is_valid_id(value);
        if (message.id_is_valid && type != json::Type::null) {
          const bool quoted = type == json::Type::string;
          message.id = quoted ? '"' + std::string(value.raw()) + '"' : std::string(value.raw());
        }
      } else if (key == "method" && value.type() == json::Type::string) {
        message.has_method = true;
        message.method = value.string();
      } else if (key == "params") {
        read_params(value, message);
      } else {
        value.text();
      }
    });
  });
  if (!read) return fail(read.error());
  return message;
}

std::string result(std::string_view json, std::string_view id) {
  return fmt::format(R"({{"result":{},"id":{}}})", json, id);
}

std::string refusal(int code, std::string_view message, std::string_view id) {
  std::string out = fmt::format(R"({{"code":{},"msg":)", code);
  json::append_string(out, message);
  if (id != "null") out += fmt::format(R"(,"id":{})", id);
  return out + "}";
}

std::string refusal(int code, std::string_view message) {
  return refusal(code, message, "null");
}

std::string property(Connection& connection, const Message& message) {
  const bool sets = message.method == "SET_PROPERTY";
  if (message.params.empty() || !message.params[0].starts_with('"')) {
    return refusal(2, "Invalid request: property name must be a string", message.id);
  }
  if (message.params.size() > (sets ? 2U : 1U)) {
    return refusal(2, "Invalid request: too many parameters", message.id);
  }
  if (message.params[0] != "\"combined\"") return refusal(0, "Unknown property", message.id);
  if (!sets) return result(connection.wraps ? "true" : "false", message.id);
  if (!message.flag) return refusal(1, "Invalid value type: expected Boolean", message.id);
  connection.wraps = *message.flag;
  return result("null", message.id);
}

std::string listed(const Connection& connection, const Message& message) {
  std::string names = "[";
  for (const auto& stream : connection.streams) {
    if (names.size() > 1) names += ',';
    json::append_string(names, stream);
  }
  return result(names + "]", message.id);
}

class Binance final : public Protocol {
 public:
  Binance(Market& market, const Faults& faults, const Flavour& flavour)
      : context_{market, faults, flavour} {}

  // A connection lives 24 hours, and an address may open 300 in 5 minutes: binance-spot-api-docs,
  // web-socket-streams.md (read 2026-07).
  ProtocolLimits limits() const override {
    return {.weight_per_minute = context_.flavour.weight_per_minute,
            .ping_interval = context_.flavour.ping_interval};
  }

  std::optional<Reply> open(const Request& request, Connection& connection) override;
  Answer receive(Connection& connection, std::string_view text, SteadyTime now, Time at) override;

  std::unique_ptr<Feed> feed(std::string_view stream, bool in_microseconds, Time now) override {
    return make_feed(context_, stream, in_microseconds, now);
  }

  std::string wrap(std::string_view stream, std::string_view payload) const override {
    std::string out;
    out.reserve(stream.size() + payload.size() + 24);
    out += R"({"stream":")";
    out += stream;
    out += R"(","data":)";
    out += payload;
    out += '}';
    return out;
  }

  std::string shutdown_notice(const Connection& connection, Time now) const override {
    std::string notice = R"({"e":"serverShutdown","E":)";
    append_time(notice, now + context_.faults.settings().skew, connection.in_microseconds);
    notice += '}';
    return connection.wraps ? wrap("!serverShutdown", notice) : notice;
  }

  int weight(const Request& request) const override { return weight_of(context_, request); }
  RestSubject subject(const Request& request) const override {
    if (request.path.ends_with("/depth")) return RestSubject::book;
    return request.path.ends_with("lines") ? RestSubject::candles : RestSubject::other;
  }
  Reply rest(const Request& request, const RestView& view) override {
    return answer(context_, request, view);
  }
  Reply refuse(Refusal refusal, std::int64_t retry_after_seconds, Time now) const override;
  void stamp(Reply& reply, int used_weight) const override {
    reply.headers.set("X-MBX-USED-WEIGHT", fmt::format("{}", used_weight));
    reply.headers.set("X-MBX-USED-WEIGHT-1M", fmt::format("{}", used_weight));
  }

 private:
  bool add(Connection& connection, std::string_view stream) const;

  Context context_;
};

bool Binance::add(Connection& connection, std::string_view stream) const {
  if (stream.empty() || std::ranges::find(connection.streams, stream) != connection.streams.end()) {
    return true;
  }
  if (connection.streams.size() >= most_streams) return false;
  // Accepted, and silent for ever.
  if (context_.flavour.is_futures && !is_served_at(connection.path, stream)) return true;
  connection.streams.emplace_back(stream);
  return true;
}

std::optional<Reply> Binance::open(const Request& request, Connection& connection) {
  std::string streams;
  std::string_view path = request.path;
  if (context_.flavour.is_futures && (path.starts_with("/public/") || path.starts_with("/market/")))
    path.remove_prefix(7);
  if (path == "/stream") {
    connection.wraps = true;
    streams = streams_of(request.target);
  } else if (path.starts_with("/ws/")) {
    streams = path.substr(4);
  } else if (path != "/ws") {
    return Reply{.status = 404, .headers = {}, .body = "Not Found"};
  }
  const auto unit = request.parameter("timeUnit").value_or("");
  connection.in_microseconds =
      context_.flavour.has_microseconds && (unit == "MICROSECOND" || unit == "microsecond");
  for (std::string_view rest = streams; !rest.empty();) {
    const auto slash = rest.find('/');
    if (!add(connection, rest.substr(0, slash))) return error(400, -1130, "Too many streams.");
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  }
  return std::nullopt;
}

Answer Binance::receive(Connection& connection, std::string_view text, SteadyTime now,
                        Time /*at*/) {
  auto& messages = connection.messages;
  while (!messages.empty() && now - messages.front() >= 1s) messages.pop_front();
  messages.push_back(now);
  if (messages.size() > context_.flavour.messages_per_second) {
    return {.frames = {}, .close = Answer::Close{1008, "Too many requests"}};
  }
  const auto message = read_message(text);
  const auto reply = [](std::string frame) {
    return Answer{.frames = {std::move(frame)}, .close = std::nullopt};
  };
  if (!message) return reply(refusal(3, "Invalid JSON: expected value at line 1 column 1"));
  if (!message->is_object) return reply(refusal(2, "Invalid request: expected an object"));
  if (!message->id_is_valid) {
    return reply(refusal(2, "Invalid request: request ID must be an integer, a string or null"));
  }
  if (!message->has_method) {
    return reply(refusal(2, "Invalid request: missing field `method`", message->id));
  }
  if (message->method == "LIST_SUBSCRIPTIONS") return reply(listed(connection, *message));
  if (message->method == "SET_PROPERTY" || message->method == "GET_PROPERTY") {
    return reply(property(connection, *message));
  }
  const bool subscribes = message->method == "SUBSCRIBE";
  if (!subscribes && message->method != "UNSUBSCRIBE") {
    return reply(refusal(2,
                         fmt::format("Invalid request: unknown variant `{}`, expected one of "
                                     "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, "
                                     "`SET_PROPERTY`, `GET_PROPERTY`",
                                     message->method.substr(0, 40)),
                         message->id));
  }
  if (!message->names) {
    return reply(
        refusal(2, "Invalid request: params must be an array of stream names", message->id));
  }
  for (const auto& name : *message->names) {
    if (!subscribes) {
      std::erase(connection.streams, name);
    } else if (!add(connection, name)) {
      return {.frames = {}, .close = Answer::Close{1008, "Too many streams"}};
    }
  }
  return reply(result("null", message->id));
}

Reply Binance::refuse(Refusal refusal, std::int64_t retry_after_seconds, Time now) const {
  const auto limited = [&](int status, std::string_view message) {
    Reply reply = error(status, -1003, message);
    reply.headers.set("Retry-After", fmt::format("{}", retry_after_seconds));
    return reply;
  };
  switch (refusal) {
    case Refusal::too_many_requests:
      return limited(429, fmt::format("Too much request weight used; current limit is {} request "
                                      "weight per 1 MINUTE. Please use WebSocket Streams for live "
                                      "updates to avoid polling the API.",
                                      context_.faults.settings().weight_per_minute.value_or(
                                          context_.flavour.weight_per_minute)));
    case Refusal::banned:
      return limited(418,
                     fmt::format("Way too much request weight used; IP banned until {}. "
                                 "Please use WebSocket Streams for live updates to avoid bans.",
                                 to_ms(now) + retry_after_seconds * 1000));
    case Refusal::too_many_connections: {
      Reply reply{.status = 429, .headers = {{"Content-Type", "text/html"}}, .body = {}};
      reply.headers.set("Retry-After", fmt::format("{}", retry_after_seconds));
      return reply;
    }
    case Refusal::internal:
      return error(500, -1000, "An unknown error occurred while processing the request.");
    case Refusal::timeout:
      return error(504, -1007,
                   "Timeout waiting for response from backend server. Send status unknown; "
                   "execution status unknown.");
    case Refusal::bad_gateway:
    case Refusal::unavailable:
      break;
  }
  // What the front says is no JSON.
  const bool is_gateway = refusal == Refusal::bad_gateway;
  return {.status = is_gateway ? 502 : 503,
          .headers = {{"Content-Type", "text/html"}},
          .body = is_gateway ? "<html><head><title>502 Bad Gateway</title></head></html>"
                             : "<html><head><title>503 Service Unavailable</title></head></html>"};
}

}  // namespace
}  // namespace binance

std::unique_ptr<Protocol> make_binance(Market& market, const Faults& faults) {
  return std::make_unique<binance::Binance>(market, faults, binance::global);
}

std::unique_ptr<Protocol> make_binance_us(Market& market, const Faults& faults) {
  return std::make_unique<binance::Binance>(market, faults, binance::us);
}

std::unique_ptr<Protocol> make_binance_usdm(Market& market, const Faults& faults) {
  return std::make_unique<binance::Binance>(market, faults, binance::usdm);
}

}  // namespace candlewick::simulator
