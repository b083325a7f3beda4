// One row a venue in tables of few columns each, so that they can be read on a page.
#include "app/exchange_matrix.h"

#include <fmt/format.h>

#include "exchange/registry.h"

namespace candlewick::app {
namespace {

using exchange::ChannelKind;
using exchange::RestKind;
using exchange::Venue;

std::string yes(bool is_so) {
  return is_so ? "yes" : "–";
}

std::string timeframes_of(const Venue& venue) {
  std::string text;
  for (const auto timeframe : venue.timeframes)
    text += (text.empty() ? "" : " ") + std::string(to_text(timeframe));
  return text;
}

// Where a minute's candle comes from, and what makes it final.
std::string candles_of(const Venue& venue) {
  if (has_channel(venue, ChannelKind::candles)) {
    return venue.candle_stream == exchange::CandleStream::flagged
               ? "stream, which says when one is final"
               : "stream, confirmed by REST after its end";
  }
  return venue.trade_ids == exchange::TradeIds::consecutive
             ? "built of trades, whose numbers prove them whole"
             : "REST after its end";
}

std::string book_of(const Venue& venue) {
  std::string text;
  switch (venue.book_rule) {
    case exchange::BookRule::none:
      return has_channel(venue, ChannelKind::ladder) ? "best levels only" : "–";
    case exchange::BookRule::ranges:
      text = "REST snapshot; ranges of numbers follow one another";
      break;
    case exchange::BookRule::linked:
      text = "REST snapshot; each update names the one before";
      break;
    case exchange::BookRule::stream_linked:
      text = "snapshot in the stream; each update names the one before";
      break;
    case exchange::BookRule::stream_consecutive:
      text = "snapshot in the stream; consecutive numbers";
      break;
    case exchange::BookRule::stream_ascending:
      text = "snapshot in the stream; nothing in an update tells of one that is missing";
      break;
  }
  if (venue.checksum != nullptr) text += "; checksum";
  if (venue.book_depth > 0) text += fmt::format("; {} levels", venue.book_depth);
  return text;
}

std::string_view ids_of(const Venue& venue) {
  return venue.trade_ids == exchange::TradeIds::consecutive ? "holes and repeats"
         : venue.trade_ids == exchange::TradeIds::ascending ? "repeats"
                                                            : "–";
}

std::string history_of(const Venue& venue) {
  if (!venue.request({.kind = RestKind::candles, .instrument = nullptr, .start = Time{}}))
    return "–";
  std::string text = fmt::format("{} a request", venue.limits.max_candles);
  if (venue.limits.history_candles > 0)
    text += fmt::format(", the last {} of a timeframe", venue.limits.history_candles);
  return text;
}

}  // namespace

std::string exchange_matrix() {
  std::string text =
      "# Exchanges\n\n"
      "Made of the venues' facts by `candlewick exchanges --format markdown`; a test holds the two "
      "together. What is\nparticular to a venue, its quirks, its limits and when they were read is "
      "in `src/exchange/<name>/README.md`. Every\nother exchange that CCXT knows is followed as "
      "`ccxt:NAME`.\n\n"
      "## Candles and trades\n\n"
      "| exchange | market | candles of a running minute | minutes without trades | timeframes | "
      "history by REST | trade ids show |\n|---|---|---|---|---|---|---|\n";
  for (const auto* venue : exchange::all_venues()) {
    text += fmt::format(
        "| `{}` | {} | {} | {} | {} | {} | {} |\n", key_of(*venue), to_text(venue->market),
        candles_of(*venue),
        venue->quiet_periods == exchange::QuietPeriods::zero_rows ? "have a candle" : "have none",
        timeframes_of(*venue), history_of(*venue), ids_of(*venue));
  }
  text +=
      "\n## Prices and books\n\n"
      "| exchange | ticker | best bid and ask | order book, and what proves it | funding, open "
      "interest, mark price |\n|---|---|---|---|---|\n";
  for (const auto* venue : exchange::all_venues()) {
    const bool has_ticker =
        has_channel(*venue, ChannelKind::ticker) || has_channel(*venue, ChannelKind::mini_ticker);
    text += fmt::format("| `{}` | {} | {} | {} | {} |\n", key_of(*venue), yes(has_ticker),
                        yes(has_channel(*venue, ChannelKind::quotes)), book_of(*venue),
                        yes(has_channel(*venue, ChannelKind::derivative)));
  }
  text +=
      "\n## Rules for `symbols`, and connections\n\n"
      "| exchange | `quote = …` | `top N by quote volume` | channels on a connection | CCXT's name "
      "|\n|---|---|---|---|---|\n";
  for (const auto* venue : exchange::all_venues()) {
    text += fmt::format("| `{}` | {} | {} | {} | `{}` |\n", key_of(*venue),
                        yes(venue->request({.kind = RestKind::instruments}).has_value()),
                        yes(venue->all_tickers != nullptr), venue->limits.channels_per_connection,
                        venue->ccxt_id);
  }
  return text;
}

}  // namespace candlewick::app
