// What is followed, and how that changes while the service runs: the part of Ingest that makes
// lines, compares what is wanted with what there is, and joins and leaves.
#include <algorithm>
#include <map>

#include "app/command.h"
#include "app/observations.h"
#include "app/venue_line.h"
#include "exchange/registry.h"

namespace candlewick::app {

using namespace std::chrono_literals;

namespace {

bool names_settlement(const Selection& selection) {
  return selection.symbol.contains(':');
}

bool is_of_derivatives(const std::string& name) {
  const auto* venue = exchange::find_venue(name);
  return venue != nullptr && venue->market != Market::spot;
}

// Symbols that name their settlement ("BTC/USDT:USDT") are of derivatives' markets alone. Where
// there are none such, a pair means its perpetual there.
Result<std::vector<Selection>> selections_of(const Wanted& wanted, const std::string& name) {
  std::vector<Selection> all;
  for (const auto& text : wanted.symbols) {
    auto selection = parse_selection(text);
    if (!selection) return fail(ErrorKind::misconfigured, "symbols: {}", selection.error().message);
    const bool is_known =
        selection->venue.empty() ||
        std::ranges::find(wanted.exchanges, selection->venue) != wanted.exchanges.end();
    if (!is_known) {
      return fail(ErrorKind::misconfigured, "symbols: \"{}\" names {}, which is not in exchanges",
                  text, selection->venue);
    }
    all.push_back(std::move(*selection));
  }
  const bool are_told_apart = std::ranges::any_of(wanted.exchanges, is_of_derivatives) &&
                              std::ranges::any_of(all, names_settlement) &&
                              !exchange::ccxt::is_bridged(name);
  std::erase_if(all, [&](const Selection& selection) {
    if (!selection.venue.empty()) return selection.venue != name;
    return are_told_apart && !selection.is_rule() &&
           names_settlement(selection) != is_of_derivatives(name);
  });
  return all;
}

Result<void> check_rules(const exchange::Venue& venue, std::span<const Selection> selections) {
  for (const auto& selection : selections) {
    if (!selection.is_rule()) continue;
    if (!venue.request({.kind = exchange::RestKind::instruments})) {
      return fail(ErrorKind::misconfigured,
                  "symbols: \"{}\": {} has no list of its instruments; name them",
                  to_text(selection), exchange::key_of(venue));
    }
    if (selection.top > 0 && venue.all_tickers == nullptr) {
      return fail(ErrorKind::misconfigured,
                  "symbols: \"{}\": {} does not tell the volumes of all instruments at once; name "
                  "them, or go by their quote asset",
                  to_text(selection), exchange::key_of(venue));
    }
  }
  return {};
}

// Two markets of one exchange spell their symbols alike: with the exchange's spelling in the column
// of symbols, rows of one would be taken for the other's.
Result<void> check_spelling(const exchange::Venue& venue, const Wanted& wanted,
                            std::string_view symbol_style) {
  for (const auto& name : wanted.exchanges) {
    const auto* other = exchange::find_venue(name);
    if (symbol_style != "exchange" || other == nullptr || other == &venue ||
        other->name != venue.name) {
      continue;
    }
    return fail(
        ErrorKind::misconfigured,
        "sink.symbol_style: \"exchange\" would write symbols of {} and {} alike; \"unified\" "
        "tells them apart",
        exchange::key_of(venue), exchange::key_of(*other));
  }
  return {};
}

// Those named, in order, each once.
Result<std::vector<const Instrument*>> named_ones(const exchange::Venue& venue,
                                                  Catalogue& catalogue,
                                                  std::span<const Selection> selections) {
  std::vector<const Instrument*> instruments;
  for (const auto& selection : selections) {
    if (selection.is_rule()) continue;
    const auto instrument = instrument_named(venue, catalogue, selection.symbol);
    if (!instrument) {
      return fail(ErrorKind::misconfigured, "symbols: {} has no \"{}\"", exchange::key_of(venue),
                  selection.symbol);
    }
    if (std::ranges::find(instruments, *instrument) == instruments.end())
      instruments.push_back(*instrument);
  }
  return instruments;
}

}  // namespace

// What a look at what is wanted came to, and then what the warehouse remembers of it.
struct Ingest::Change {
  struct Joining {
    VenueLine* line;
    const Instrument* instrument;
    Memories memories;
  };
  std::vector<Joining> joining;
  std::vector<std::pair<VenueLine*, const Instrument*>> leaving;
  std::vector<VenueLine*> ending;
  std::vector<std::unique_ptr<VenueLine>> beginning;
  std::map<VenueLine*, std::vector<Selection>> selections;
  Wanted wanted;
};

// Those of the configuration; minutes are always among them.
Result<void> Ingest::settle_timeframes(VenueLine& line) const {
  for (const auto& text : parts_.config.timeframes) {
    const auto timeframe = parse_timeframe(text);
    if (!timeframe)
      return fail(ErrorKind::misconfigured, "timeframes: {}", timeframe.error().message);
    if (std::ranges::find(line.venue->timeframes, *timeframe) == line.venue->timeframes.end()) {
      return fail(ErrorKind::misconfigured, "timeframes: {} has no candles of {}", line.name(),
                  text);
    }
    line.timeframes.push_back(*timeframe);
  }
  if (std::ranges::find(line.timeframes, Timeframe::m1) == line.timeframes.end())
    line.timeframes.insert(line.timeframes.begin(), Timeframe::m1);
  return {};
}

Result<std::unique_ptr<Ingest::VenueLine>> Ingest::make_line(const std::string& name,
                                                             const Wanted& wanted,
                                                             warehouse::Database* memory) {
  auto line = std::make_unique<VenueLine>();
  if (exchange::ccxt::is_bridged(name)) {
    auto made = bridged_venue(parts_.config, name);
    if (!made) return fail(made.error());
    line->bridged = std::move(*made);
  }
  line->venue = line->bridged ? &line->bridged->venue() : exchange::find_venue(name);
  if (line->venue == nullptr) {
    return fail(ErrorKind::misconfigured, "exchanges: there is no venue \"{}\" (there are {})",
                name, exchange::venue_names());
  }
  if (auto told = check_spelling(*line->venue, wanted, parts_.config.sink.symbol_style); !told)
    return fail(told.error());
  line->catalogue = exchange::make_catalogue(*line->venue);
  auto selections = selections_of(wanted, name);
  if (!selections) return fail(selections.error());
  line->selections = std::move(*selections);
  if (auto checked = check_rules(*line->venue, line->selections); !checked)
    return fail(checked.error());
  auto instruments = named_ones(*line->venue, *line->catalogue, line->selections);
  if (!instruments) return fail(instruments.error());
  line->instruments = std::move(*instruments);
  if (auto settled = settle_timeframes(*line); !settled) return fail(settled.error());
  std::vector<Memories> remembered;
  for (const auto* instrument : line->instruments) {
    if (memory == nullptr) break;
    auto memories = read_memories(*memory, *instrument, line->timeframes, parts_.config);
    if (!memories) return fail(memories.error());
    remembered.push_back(std::move(*memories));
  }
  // Its instruments are on the board from here on, and may not go away.
  if (auto made = make_pipeline(*line); !made) return fail(made.error());
  for (std::size_t i = 0; i < remembered.size(); ++i) {
    for (auto& [timeframe, known] : remembered[i]) {
      // A checkpoint that cannot be read is worth nothing; that is no reason to refuse the rest.
      static_cast<void>(
          line->pipeline->remember(*line->instruments[i], timeframe, std::move(known)));
    }
  }
  return line;
}

Result<void> Ingest::follow(const Wanted& wanted) {
  const std::scoped_lock lock(changing_);
  if (is_closed_to_changes_)
    return fail(ErrorKind::transient, "the service is starting or stopping");
  return follow_now(wanted);
}

// Two looks at the loop's side, and between them what may block.
Result<void> Ingest::follow_now(const Wanted& wanted) {
  Change change{.wanted = wanted};
  std::vector<std::string> running;
  Result<void> looked;
  parts_.loop.call([&] {
    for (auto& line : lines_) {
      const auto name = line->name();
      if (std::ranges::find(wanted.exchanges, name) == wanted.exchanges.end()) {
        change.ending.push_back(line.get());
        continue;
      }
      running.push_back(name);
      auto selections = selections_of(wanted, name);
      if (selections) {
        if (auto checked = check_rules(*line->venue, *selections); !checked)
          selections = fail(checked.error());
      }
      if (!selections) {
        looked = fail(selections.error());
        return;
      }
      change.selections[line.get()] = std::move(*selections);
      if (looked = choose(*line, change); !looked) return;
    }
  });
  if (!looked) return looked;
  std::unique_ptr<warehouse::Database> memory;
  const bool is_any_new = !change.joining.empty() || running.size() < wanted.exchanges.size();
  if (is_any_new && parts_.open_memory) {
    auto opened = parts_.open_memory();
    if (!opened) return fail(opened.error());
    memory = std::move(*opened);
  }
  for (auto& joining : change.joining) {
    if (memory == nullptr) break;
    auto memories =
        read_memories(*memory, *joining.instrument, joining.line->timeframes, parts_.config);
    if (!memories) return fail(memories.error());
    joining.memories = std::move(*memories);
  }
  for (const auto& name : wanted.exchanges) {
    if (std::ranges::find(running, name) != running.end()) continue;
    auto line = make_line(name, wanted, memory.get());
    if (!line) {
      parts_.loop.call([&] {
        for (auto& begun : change.beginning) discard(std::move(begun));
      });
      return fail(line.error());
    }
    change.beginning.push_back(std::move(*line));
    running.push_back(name);
  }
  parts_.loop.call([&] { apply(std::move(change)); });
  return {};
}

// What the selections mean now, against what is followed. While a rule cannot be told yet, what it
// brought before stays; and so does what it would not bring any more, for history without holes,
// as long as all rules stay.
Result<void> Ingest::choose(VenueLine& line, Change& change) {
  const auto given = change.selections.find(&line);
  const auto& selections = given == change.selections.end() ? line.selections : given->second;
  auto wanted = named_ones(*line.venue, *line.catalogue, selections);
  if (!wanted) return fail(wanted.error());
  const auto add = [&](const Instrument* instrument) {
    if (std::ranges::find(*wanted, instrument) == wanted->end()) wanted->push_back(instrument);
  };
  const bool all_stay = std::ranges::all_of(line.selections, [&](const Selection& known) {
    return !known.is_rule() || std::ranges::find(selections, known) != selections.end();
  });
  for (const auto& selection : selections) {
    if (!selection.is_rule()) continue;
    for (const auto* instrument :
         exchange::instruments_of_rule(selection, *line.catalogue, line.volumes)) {
      add(instrument);
    }
    if (!all_stay) continue;
    const auto named = named_ones(*line.venue, *line.catalogue, line.selections);
    for (const auto* instrument : line.instruments) {
      const bool was_named = named && std::ranges::find(*named, instrument) != named->end();
      if (!was_named) add(instrument);
    }
  }
  for (const auto* instrument : *wanted) {
    if (std::ranges::find(line.instruments, instrument) == line.instruments.end())
      change.joining.push_back({&line, instrument, {}});
  }
  for (const auto* instrument : line.instruments) {
    if (std::ranges::find(*wanted, instrument) == wanted->end())
      change.leaving.emplace_back(&line, instrument);
  }
  return {};
}

void Ingest::apply(Change change) {
  for (auto& [line, selections] : change.selections) {
    if (line->selections == selections) continue;
    line->selections = std::move(selections);
    if (!line->knows_volumes) ask_for_volumes(*line);
    line->is_rule_due = line->has_rules();
  }
  // In one go for each line: messages have a pace.
  std::map<VenueLine*, std::vector<exchange::Channel>> left;
  for (const auto& [line, instrument] : change.leaving) {
    auto its = channels_of(*line, *instrument);
    auto& of_line = left[line];
    of_line.insert(of_line.end(), its.begin(), its.end());
  }
  for (const auto& [line, its] : left) line->feed->unsubscribe(its, line->driver->now());
  for (const auto& [line, instrument] : change.leaving) leave(*line, *instrument);
  std::map<VenueLine*, std::vector<exchange::Channel>> channels;
  for (auto& [line, instrument, memories] : change.joining) {
    if (std::ranges::find(line->instruments, instrument) != line->instruments.end()) continue;
    // A checkpoint that cannot be read is worth nothing; that is no reason to refuse the rest.
    static_cast<void>(line->pipeline->follow(*instrument, std::move(memories)));
    line->instruments.push_back(instrument);
    line->listings_checked = false;  // it may be on no list
    auto its = channels_of(*line, *instrument);
    auto& of_line = channels[line];
    of_line.insert(of_line.end(), its.begin(), its.end());
    parts_.observer.observe(instrument_joined,
                            {{"venue", line->name()}, {"instrument", instrument->symbol}});
  }
  for (auto& [line, added] : channels) line->feed->subscribe(std::move(added), line->driver->now());
  for (auto* line : change.ending) retire(*line);
  for (auto& line : change.beginning) {
    parts_.observer.observe(venue_joined, {{"venue", line->name()}});
    lines_.push_back(std::move(line));
    start_line(*lines_.back());
  }
  for (auto& line : lines_) line->driver->rearm();
  // In the order that is wanted.
  std::ranges::stable_sort(lines_, {}, [&](const auto& line) {
    return std::ranges::find(change.wanted.exchanges, line->name()) -
           change.wanted.exchanges.begin();
  });
  wanted_ = std::move(change.wanted);
  publish_followed();
}

// Its channels are for the caller to take off.
void Ingest::leave(VenueLine& line, const Instrument& instrument) {
  line.pipeline->unfollow(instrument);
  std::erase(line.instruments, &instrument);
  parts_.observer.observe(instrument_left,
                          {{"venue", line.name()}, {"instrument", instrument.symbol}});
}

// One that was made and never started.
void Ingest::discard(std::unique_ptr<VenueLine> line) {
  if (line->recorder) static_cast<void>(line->recorder->stop());
  for (const auto* instrument : line->instruments) parts_.board.retire(*instrument);
  retired_.push_back(std::move(line));
}

void Ingest::retire(VenueLine& line) {
  line.feed->stop();
  for (const auto* instrument : std::vector(line.instruments)) leave(line, *instrument);
  line.driver.reset();
  if (line.recorder) static_cast<void>(line.recorder->stop());
  parts_.observer.observe(venue_left, {{"venue", line.name()}});
  const auto found = std::ranges::find(lines_, &line, &std::unique_ptr<VenueLine>::get);
  retired_.push_back(std::move(*found));
  lines_.erase(found);
}

// Listings that are new or changed and the volumes of the whole list are what rules go by. The
// volumes come in one answer, the only one that tells of instruments that are not followed.
void Ingest::note_for_rules(const Event& event) {
  const auto line_with = [&](const Instrument* instrument) -> VenueLine* {
    if (instrument == nullptr) return nullptr;
    for (auto& line : lines_) {
      if (line->has_rules() && line->catalogue->find(instrument->exchange_symbol) == instrument)
        return line.get();
    }
    return nullptr;
  };
  if (const auto* listing = std::get_if<Listing>(&event)) {
    if (auto* line = line_with(listing->origin.instrument)) line->is_rule_due = true;
    return;
  }
  const auto* ticker = std::get_if<Ticker>(&event);
  if (ticker == nullptr) return;
  auto* line = line_with(ticker->origin.instrument);
  const auto day = line == nullptr ? std::nullopt : exchange::day_volume_of(*ticker);
  if (!day) return;
  line->volumes.insert_or_assign(ticker->origin.instrument, *day);
  if (!line->awaits_volumes ||
      std::ranges::find(line->instruments, ticker->origin.instrument) != line->instruments.end()) {
    return;
  }
  line->awaits_volumes = false;
  line->knows_volumes = true;
  line->is_rule_due = true;
}

// Once what a rule needs has come. Reading what the warehouse remembers of the new ones must not
// hold the loop up.
void Ingest::look_at_rules() {
  if (parts_.clock.steady() < rules_wait_until_) return;
  bool is_any_due = false;
  for (auto& line : lines_) {
    if (!line->is_rule_due || !line->knows_the_list) continue;
    if (line->ranks() && !line->knows_volumes) continue;
    line->is_rule_due = false;
    is_any_due = true;
  }
  if (!is_any_due) return;
  changes_->post([this] {
    const std::scoped_lock lock(changing_);
    if (is_closed_to_changes_) return;
    auto followed = follow_now(wanted_);
    if (followed) return;
    parts_.observer.observe(rule_failed, {{"error_kind", to_text(followed.error().kind)},
                                          {"error", followed.error().message}});
    parts_.loop.post([this, alive = alive_] {
      if (!*alive) return;
      rules_wait_until_ = parts_.clock.steady() + 10s;
      for (auto& line : lines_) line->is_rule_due = line->has_rules();
    });
  });
}

void Ingest::end_changes() {
  {
    const std::scoped_lock lock(changing_);
    is_closed_to_changes_ = true;
  }
  if (changes_ == nullptr) return;
  changes_->stop();
  changes_->join();
}

void Ingest::publish_followed() {
  std::vector<FollowedVenue> all;
  for (const auto& line : lines_) {
    auto& venue = all.emplace_back();
    venue.exchange = line->name();
    const bool can_tell = line->knows_the_list && (!line->ranks() || line->knows_volumes);
    for (const auto& selection : line->selections) {
      venue.selections.push_back(to_text(selection));
      if (selection.is_rule() && !can_tell) venue.pending.push_back(to_text(selection));
    }
    for (const auto* instrument : line->instruments) {
      venue.symbols.push_back(instrument->symbol);
      if (line->knows_the_list && !instrument->listed)
        venue.not_listed.push_back(instrument->symbol);
    }
  }
  followed_.with([&](auto& followed) { followed = std::move(all); });
}

std::vector<FollowedVenue> Ingest::followed() const {
  return followed_.with([](const auto& followed) { return followed; });
}

}  // namespace candlewick::app
