// What the commands share.
#include "app/command.h"

#include <unistd.h>
#include <cstdio>

#include <fmt/format.h>

#include "exchange/ccxt/ccxt.h"
#include "exchange/registry.h"

namespace candlewick::app {

int report(const Error& error) {
  fmt::print(stderr, "candlewick: {}\n", error.message);
  return error.kind == ErrorKind::misconfigured ? wrong_use : failed;
}

Result<const exchange::Venue*> venue_named(std::string_view name, std::string_view market) {
  const auto kind = parse_market(market);
  if (!kind)
    return fail(ErrorKind::misconfigured, "--market: unknown market \"{}\" (spot, swap or future)",
                market);
  const auto* venue =
      *kind == Market::spot ? exchange::find_venue(name) : exchange::find_venue(name, *kind);
  if (venue == nullptr && exchange::ccxt::is_bridged(name)) {
    return fail(ErrorKind::misconfigured,
                "--exchange: {} is followed by `run` through CCXT; this command needs a venue that "
                "is built in ({})",
                name, exchange::venue_names());
  }
  if (venue == nullptr) {
    return fail(ErrorKind::misconfigured,
                "--exchange: no venue \"{}\" with a {} market (there are {})", name, market,
                exchange::venue_names());
  }
  return venue;
}

Result<const exchange::Venue*> venue_of(std::string_view name, std::string_view symbol) {
  auto venue = venue_named(name);
  if (!venue || (*venue)->market != Market::spot || !symbol.contains(':')) return venue;
  const auto* swaps = exchange::find_venue(name, Market::swap);
  return swaps == nullptr ? *venue : swaps;
}

Result<const Instrument*> instrument_named(const exchange::Venue& venue, Catalogue& catalogue,
                                           std::string_view typed) {
  if (const auto* known = catalogue.resolve(typed)) return known;
  // What stands behind the colon is a derivative's settlement.
  const auto colon = typed.find(':');
  if (colon != std::string_view::npos && venue.market == Market::spot) {
    const auto* swaps = exchange::find_venue(venue.name, Market::swap);
    return fail(ErrorKind::misconfigured, "--symbol: \"{}\" is no spot symbol of {}{}", typed,
                venue.name,
                swaps == nullptr ? "" : fmt::format(", but of {}", exchange::key_of(*swaps)));
  }
  const auto whole = typed;
  typed = typed.substr(0, colon);
  // "BTC/USDT", "btc-usdt" → what this venue would call it.
  const auto separator = typed.find_first_of("/-_");
  std::string spelled;
  if (separator != std::string_view::npos) {
    spelled = folded_symbol(typed.substr(0, separator)) + std::string(venue.symbol_separator) +
              folded_symbol(typed.substr(separator + 1));
  } else {
    spelled = folded_symbol(typed);
  }
  if (const auto* inferred = catalogue.find_or_infer(spelled)) return inferred;
  std::string near;
  for (const auto& match : catalogue.near_matches(whole))
    near += (near.empty() ? "; near: " : ", ") + match;
  return fail(ErrorKind::misconfigured, "--symbol: {} lists no \"{}\"{}", exchange::key_of(venue),
              whole, near);
}

Result<StoredName> stored_name(std::string_view exchange, std::string_view typed) {
  if (exchange::ccxt::is_bridged(exchange)) {
    if (const auto known = exchange::ccxt::exchange_of(exchange); !known)
      return fail(known.error());
    auto symbol = unified_symbol(typed);
    if (!symbol) return fail(ErrorKind::misconfigured, "--symbol: {}", symbol.error().message);
    return StoredName{std::string(exchange), *std::move(symbol)};
  }
  const auto venue = venue_of(exchange, typed);
  if (!venue) return fail(venue.error());
  const auto catalogue = exchange::make_catalogue(**venue);
  const auto instrument = instrument_named(**venue, *catalogue, typed);
  if (!instrument) return fail(instrument.error());
  return StoredName{(*instrument)->exchange, (*instrument)->symbol};
}

Result<std::optional<Time>> optional_time(std::string_view flag, const std::string& text) {
  if (text.empty()) return std::optional<Time>{};
  const auto time = parse_time(text);
  if (!time) return fail(ErrorKind::misconfigured, "{}: {}", flag, time.error().message);
  return std::optional<Time>{*time};
}

bool is_terminal() {
  return isatty(STDOUT_FILENO) == 1;
}

void LineOutput::flush() {
  std::fwrite(buffer_.data(), 1, buffer_.size(), stdout);
  std::fflush(stdout);
  buffer_.clear();
}

}  // namespace candlewick::app
