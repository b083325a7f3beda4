// Facts read at https://docs.coingecko.com (reference: coins/list, coins/markets, coins/{id},
// errors and rate limits), November 2026. Fields that nobody here needs are passed over.
#include "fundamentals/coingecko_reply.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace candlewick::fundamentals {
namespace {

constexpr std::size_t longest_reason = 200;

// Categories that tell who holds a coin, where it lives or who sued, and not what it is for.
constexpr std::array<std::string_view, 6> no_sectors{"Portfolio", "Holdings", "Index",
                                                     "Ecosystem", "Alleged",  "Made in"};

bool is_sector(std::string_view category) {
  return !category.empty() && std::ranges::none_of(no_sectors, [&](std::string_view word) {
    return category.find(word) != std::string_view::npos;
  });
}

std::optional<Decimal> known_amount(json::Value& value) {
  const auto type = value.type();
  if (type == json::Type::null) return std::nullopt;
  if (type != json::Type::number) {
    value.reject("a number or null was expected");
    return std::nullopt;
  }
  const auto amount = Decimal::parse(value.raw());
  if (!amount) {
    if (amount.error().kind == ErrorKind::malformed) value.reject(amount.error().message);
    return std::nullopt;
  }
  if (amount->is_zero() || amount->is_negative()) return std::nullopt;
  return *amount;
}

std::optional<std::string> text_or_null(json::Value& value) {
  if (value.is_null()) return std::nullopt;
  return std::string(value.string());
}

void need(json::Value& row, const std::string& text, std::string_view what) {
  if (text.empty()) row.reject(what);
}

}  // namespace

// [{"id":"bitcoin","symbol":"btc","name":"Bitcoin"},…]
Result<std::vector<ListedCoin>> read_list(std::string_view body) {
  json::Reader reader;
  std::vector<ListedCoin> coins;
  auto read = reader.read(body, [&](json::Value root) {
    root.elements([&](json::Value row) {
      ListedCoin coin;
      row.members([&](std::string_view key, json::Value value) {
        if (key == "id") coin.id = text_or_null(value).value_or("");
        if (key == "symbol") coin.symbol = text_or_null(value).value_or("");
      });
      // Coins without a symbol exist; they are nobody's ticker.
      if (!coin.id.empty() && !coin.symbol.empty()) coins.push_back(std::move(coin));
    });
  });
  if (!read) return within("/coins/list", std::move(read.error()));
  return coins;
}

// [{"id":"bitcoin","symbol":"btc","name":"Bitcoin","market_cap":1297846869995,
//   "circulating_supply":20068353.0,"last_updated":"2026-08-10T14:25:20.000Z",…},…]
Result<std::vector<CoinMarket>> read_markets(std::string_view body) {
  json::Reader reader;
  std::vector<CoinMarket> coins;
  auto read = reader.read(body, [&](json::Value root) {
    root.elements([&](json::Value row) {
      CoinMarket coin;
      row.members([&](std::string_view key, json::Value value) {
        if (key == "id") {
          coin.id = value.string();
        } else if (key == "name") {
          coin.name = value.string();
        } else if (key == "market_cap") {
          coin.facts.market_cap = known_amount(value);
        } else if (key == "circulating_supply") {
          coin.facts.circulating_supply = known_amount(value);
        } else if (key == "last_updated" && !value.is_null()) {
          coin.last_updated = value.time_text();
        }
      });
      need(row, coin.id, "a coin without an id");
      coins.push_back(std::move(coin));
    });
  });
  if (!read) return within("/coins/markets", std::move(read.error()));
  return coins;
}

// {"id":"bitcoin","symbol":"btc","name":"Bitcoin","categories":["Smart Contract Platform",null],
//  "genesis_date":"2009-01-03",…}
Result<AssetFacts> read_coin(std::string_view body) {
  json::Reader reader;
  AssetFacts facts;
  auto read = reader.read(body, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "id") {
        facts.coingecko_id = value.string();
      } else if (key == "name") {
        facts.name = value.string();
      } else if (key == "categories" && !value.is_null()) {
        value.elements([&](json::Value category) {
          const auto text = text_or_null(category);
          if (!facts.sector && text && is_sector(*text)) facts.sector = text;
        });
      } else if (key == "genesis_date") {
        const auto text = text_or_null(value);
        if (!text || text->empty()) return;
        const auto date = parse_rfc3339(*text);
        if (!date) return value.reject(date.error().message);
        facts.launch_date = std::chrono::floor<std::chrono::days>(*date);
      }
    });
    need(root, facts.coingecko_id, "a coin without an id");
    need(root, facts.name, "a coin without a name");
  });
  if (!read) return within("/coins/{id}", std::move(read.error()));
  return facts;
}

// {"status":{"error_code":10011,"error_message":"…"}} or {"error":"coin not found"}
std::string refusal_reason(std::string_view body) {
  json::Reader reader;
  std::string reason;
  const auto note = [&](std::string_view key, json::Value value) {
    if (key != "error_message" && key != "error") return;
    if (value.type() == json::Type::string) reason = value.string();
  };
  const auto read = reader.read(body, [&](json::Value root) {
    if (root.type() != json::Type::object) return;
    root.members([&](std::string_view key, json::Value value) {
      if (key == "status" && value.type() == json::Type::object) return value.members(note);
      note(key, value);
    });
  });
  if (!read) return {};
  return reason.substr(0, longest_reason);
}

}  // namespace candlewick::fundamentals
