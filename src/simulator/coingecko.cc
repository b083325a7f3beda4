// Shapes: https://docs.coingecko.com (reference), read in November 2026. What clients of ours pass
// over is left out of /coins/{id}.
#include "simulator/coingecko.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include "base/json_text.h"
#include "warehouse/catalogue.h"

namespace candlewick::simulator {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view root = "/api/v3";
constexpr std::string_view lookalike = "-lookalike";
constexpr std::size_t default_page = 100;
constexpr std::size_t largest_page = 250;
constexpr int refused_key_code = 10011;

struct Coin {
  std::string id;
  std::string symbol;  // small letters
  std::string name;
  std::optional<std::string> category;
  std::optional<std::string> genesis_date;
  std::size_t listing = 0;
  std::int64_t supply = 0;  // coins
};

std::string in_small_letters(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// FNV-1a: the same everywhere.
std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return hash;
}

bool is_dollar(std::string_view quote) {
  return quote == "USDT" || quote == "USDC" || quote == "USD" || quote == "FDUSD";
}

std::vector<Coin> coins_of(const Market& market) {
  std::vector<Coin> coins;
  const auto catalogue = warehouse::Catalogue::built_in();
  for (std::size_t i = 0; i < market.listings().size(); ++i) {
    const Instrument& instrument = market.listings()[i].instrument;
    const std::string symbol = in_small_letters(instrument.base);
    if (!is_dollar(instrument.quote) ||
        std::ranges::find(coins, symbol, &Coin::symbol) != coins.end())
      continue;
    const auto* asset = catalogue ? catalogue->find_asset(instrument.base) : nullptr;
    Coin coin{.id = asset != nullptr ? asset->coingecko_id.value_or(symbol) : symbol,
              .symbol = symbol,
              .name = asset != nullptr ? asset->name : instrument.base,
              .listing = i,
              .supply = 1'000'000 * static_cast<std::int64_t>(1 + hash_text(symbol) % 900)};
    if (asset != nullptr) {
      coin.category = asset->sector;
      coin.genesis_date = asset->launch_date;
    }
    Coin other = coin;
    other.id += lookalike;
    other.name += " (lookalike)";
    other.genesis_date.reset();
    other.supply = 1;
    coins.push_back(
        std::move(other));  // first, so that nobody may take the first for the right one
    coins.push_back(std::move(coin));
  }
  return coins;
}

Reply json_reply(int status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.headers.add("Content-Type", "application/json; charset=utf-8");
  reply.body = std::move(body);
  return reply;
}

Reply status_reply(int status, int code, std::string_view message) {
  std::string body;
  json::Members outer(body);
  json::Members inner(outer.name("status"));
  inner("error_code", code)("error_message", message);
  inner.close();
  outer.close();
  return json_reply(status, std::move(body));
}

Reply error_reply(int status, std::string_view message) {
  std::string body;
  json::Members members(body);
  members("error", message);
  members.close();
  return json_reply(status, std::move(body));
}

std::optional<std::size_t> number_of(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_in_list(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == wanted) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

class CoinGecko final : public Protocol {
 public:
  explicit CoinGecko(Market& market) : market_(market), coins_(coins_of(market)) {}

  ProtocolLimits limits() const override { return {.weight_per_minute = 30}; }

  std::optional<Reply> open(const Request&, Connection&) override {
    return error_reply(404, "there are no streams here");
  }
  Answer receive(Connection&, std::string_view, SteadyTime, Time) override { return {}; }
  std::unique_ptr<Feed> feed(std::string_view, bool, Time) override { return nullptr; }

  int weight(const Request&) const override { return 1; }
  Reply rest(const Request& request, const RestView& view) override;
  Reply refuse(Refusal refusal, std::int64_t retry_after_seconds, Time now) const override;
  RestSubject subject(const Request&) const override { return RestSubject::other; }

 private:
  std::string list() const;
  Reply markets(const Request& request, Time now);
  Reply coin(std::string_view id) const;

  Market& market_;
  std::vector<Coin> coins_;
};

Reply CoinGecko::rest(const Request& request, const RestView& view) {
  if (const auto key = request.headers.find("x-cg-demo-api-key"); key && !key->starts_with("CG-"))
    return status_reply(401, refused_key_code, "Invalid API Key");
  std::string_view path = request.path;
  if (!path.starts_with(root)) return error_reply(404, "Incorrect path");
  path.remove_prefix(root.size());
  if (path == "/ping") return json_reply(200, R"({"gecko_says":"(V3) To the Moon!"})");
  if (path == "/coins/list") return json_reply(200, list());
  if (path == "/coins/markets") return markets(request, view.as_of);
  constexpr std::string_view one_coin = "/coins/";
  if (path.starts_with(one_coin)) return coin(path.substr(one_coin.size()));
  return error_reply(404, "Incorrect path");
}

std::string CoinGecko::list() const {
  std::string body = "[";
  for (const auto& coin : coins_) {
    if (body.size() > 1) body += ',';
    json::Members members(body);
    members("id", coin.id)("symbol", coin.symbol)("name", coin.name);
    members.close();
  }
  return body + "]";
}

Reply CoinGecko::markets(const Request& request, Time now) {
  if (!request.parameter("vs_currency")) return error_reply(422, "Missing parameter vs_currency");
  if (*request.parameter("vs_currency") != "usd") return error_reply(422, "invalid vs_currency");
  const auto ids = request.parameter("ids");
  const std::size_t page_size = std::clamp<std::size_t>(
      number_of(request.parameter("per_page").value_or("")).value_or(default_page), 1,
      largest_page);
  const std::size_t page =
      std::max<std::size_t>(number_of(request.parameter("page").value_or("")).value_or(1), 1);

  struct Row {
    const Coin* coin;
    std::optional<Decimal> price;
    std::optional<Decimal> market_cap;
  };
  std::vector<Row> rows;
  for (const auto& coin : coins_) {
    if (ids && !is_in_list(*ids, coin.id)) continue;
    const auto price = market_.price_before(coin.listing, now);
    rows.push_back(
        {&coin, price, price ? Decimal::multiply(*price, Decimal{coin.supply}) : std::nullopt});
  }
  std::ranges::stable_sort(rows, std::ranges::greater{}, &Row::market_cap);
  std::string body = "[";
  const std::size_t first = std::min((page - 1) * page_size, rows.size());
  for (std::size_t i = first; i < std::min(first + page_size, rows.size()); ++i) {
    const Row& row = rows[i];
    if (body.size() > 1) body += ',';
    json::Members members(body);
    members("id", row.coin->id)("symbol", row.coin->symbol)("name", row.coin->name);
    members.nullable("current_price", row.price).nullable("market_cap", row.market_cap);
    members("market_cap_rank", i + 1)("circulating_supply", Decimal{row.coin->supply});
    members("total_supply", Decimal{row.coin->supply}).raw("max_supply", "null");
    members("last_updated", Time{std::chrono::floor<std::chrono::milliseconds>(now)});
    members.close();
  }
  return json_reply(200, body + "]");
}

Reply CoinGecko::coin(std::string_view id) const {
  const auto found = std::ranges::find(coins_, id, &Coin::id);
  if (found == coins_.end()) return error_reply(404, "coin not found");
  std::string body;
  json::Members members(body);
  members("id", found->id)("symbol", found->symbol)("name", found->name);
  std::string& categories = members.name("categories");
  categories += '[';
  if (found->category) json::append_string(categories, *found->category);
  categories += ']';
  members.nullable("genesis_date", found->genesis_date);
  members.close();
  return json_reply(200, std::move(body));
}

Reply CoinGecko::refuse(Refusal refusal, std::int64_t retry_after_seconds, Time) const {
  int status = 503;
  std::string_view message = "Service Unavailable";
  switch (refusal) {
    case Refusal::too_many_requests:
    case Refusal::too_many_connections:
      status = 429;
      message = "You've exceeded the Rate Limit";
      break;
    case Refusal::banned:
      status = 403;
      message = "Forbidden";
      break;
    case Refusal::internal:
      status = 500;
      message = "Internal Server Error";
      break;
    case Refusal::bad_gateway:
      status = 502;
      message = "Bad Gateway";
      break;
    case Refusal::unavailable:
      break;
    case Refusal::timeout:
      status = 504;
      message = "Gateway Timeout";
      break;
  }
  Reply reply = status_reply(status, status, message);
  if (retry_after_seconds > 0)
    reply.headers.add("Retry-After", std::to_string(retry_after_seconds));
  return reply;
}

}  // namespace

std::unique_ptr<Protocol> make_coingecko(Market& market, const Faults&) {
  return std::make_unique<CoinGecko>(market);
}

}  // namespace candlewick::simulator
