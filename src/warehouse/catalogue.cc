// Reads the two built-in tables. Empty fields mean unknown.
#include "warehouse/catalogue.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "warehouse/embedded.h"

namespace candlewick::warehouse {
namespace {

constexpr std::array<std::string_view, 5> asset_header{"asset", "name", "sector", "launch_date",
                                                       "coingecko_id"};
constexpr std::array<std::string_view, 4> exchange_header{"name", "display_name", "region",
                                                          "trading_fees"};

std::optional<std::string> known(std::string& field) {
  if (field.empty()) return std::nullopt;
  return std::move(field);
}

std::string_view embedded_text(std::string_view path) {
  for (const auto& file : embedded_files()) {
    if (file.path == path) return file.text;
  }
  return {};
}

// The fields of the record at the start of `text`, which is moved past it.
Result<std::vector<std::string>> take_record(std::string_view& text, std::size_t& line) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (is_quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        fields.back() += c;
        ++i;
      } else {
        is_quoted = false;
      }
    } else if (c == '"' && fields.back().empty()) {
      is_quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      ++i;
      break;
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  if (is_quoted) return fail(ErrorKind::malformed, "line {}: a quote is not closed", line);
  text.remove_prefix(i);
  return fields;
}

}  // namespace

PairParts parts_of(std::string_view symbol) {
  const auto slash = symbol.find('/');
  if (slash == std::string_view::npos) return {symbol, {}};
  const auto quote = symbol.substr(slash + 1);
  return {symbol.substr(0, slash), quote.substr(0, quote.find(':'))};
}

Result<std::vector<std::vector<std::string>>> parse_csv(std::string_view text,
                                                        std::span<const std::string_view> header) {
  std::vector<std::vector<std::string>> records;
  std::size_t line = 0;
  bool is_header = true;
  while (!text.empty()) {
    auto record = take_record(text, line);
    if (!record) return fail(std::move(record.error()));
    if (record->size() == 1 && record->front().empty()) continue;
    if (record->size() != header.size()) {
      return fail(ErrorKind::malformed, "line {}: {} fields instead of {}", line, record->size(),
                  header.size());
    }
    if (std::exchange(is_header, false)) {
      if (!std::ranges::equal(*record, header)) {
        return fail(ErrorKind::malformed, "line {}: the header is not {}", line,
                    fmt::join(header, ","));
      }
      continue;
    }
    records.push_back(std::move(*record));
  }
  return records;
}

Result<Catalogue> Catalogue::built_in() {
  return parse(embedded_text("warehouse/assets.csv"), embedded_text("warehouse/exchanges.csv"));
}

Result<Catalogue> Catalogue::parse(std::string_view assets_csv, std::string_view exchanges_csv) {
  Catalogue catalogue;
  auto assets = parse_csv(assets_csv, asset_header);
  if (!assets) return within("assets.csv", std::move(assets.error()));
  for (auto& row : *assets) {
    catalogue.assets_.push_back({.asset = std::move(row[0]),
                                 .name = std::move(row[1]),
                                 .sector = known(row[2]),
                                 .launch_date = known(row[3]),
                                 .coingecko_id = known(row[4])});
  }
  std::ranges::sort(catalogue.assets_, {}, &Asset::asset);

  auto exchanges = parse_csv(exchanges_csv, exchange_header);
  if (!exchanges) return within("exchanges.csv", std::move(exchanges.error()));
  for (auto& row : *exchanges) {
    std::optional<Decimal> fees;
    if (!row[3].empty()) {
      auto parsed = Decimal::parse(row[3]);
      if (!parsed) return within("exchanges.csv", std::move(parsed.error()));
      fees = *parsed;
    }
    catalogue.exchanges_.push_back({.name = std::move(row[0]),
                                    .display_name = known(row[1]),
                                    .region = known(row[2]),
                                    .trading_fees = fees});
  }
  return catalogue;
}

const Asset* Catalogue::find_asset(std::string_view asset) const {
  const auto found = std::ranges::lower_bound(assets_, asset, {}, &Asset::asset);
  return found != assets_.end() && found->asset == asset ? &*found : nullptr;
}

}  // namespace candlewick::warehouse
