// Ticks go in with "ignore duplicates", so that Realtime tells each of them once; rows that may be
// corrected are merged, a key at most once a request. That a late row does not undo a newer one is
// the business of a trigger in sql/supabase/; where a project lacks it, the newer rows are asked
// for before each write.
#include "sink/supabase.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/fault_point.h"
#include "base/json.h"
#include "sink/supabase_examination.h"
#include "sink/supabase_writer.h"

namespace candlewick::sink {
namespace {

// Ticks older than that are history that is caught up with: no news for those who listen.
constexpr Duration live_for = std::chrono::minutes{2};
constexpr std::size_t broadcast_bytes = std::size_t{200} << 10;
constexpr std::string_view broadcast_topic = "market_ticks";

constexpr Duration ladder_interval = std::chrono::hours{1};
// While more is left to do.
constexpr Duration ladder_pause = std::chrono::minutes{1};
constexpr Duration ladder_span = std::chrono::hours{24};

constexpr std::int64_t most_ladder_days = 36'500;

class Supabase final : public Sink {
 public:
  Supabase(SupabaseSinkOptions options, const Clock& clock)
      : options_(std::move(options)),
        clock_(clock),
        client_(options_.location, clock),
        writer_(client_, {.exchange_symbols = options_.exchange_symbols,
                          .max_rows = options_.max_request_rows,
                          .max_bytes = options_.max_request_bytes}) {}

  std::string_view name() const override { return "supabase"; }
  Result<void> open() override;
  Result<void> write(const Batch& batch) override;
  std::optional<Duration> retry_after() const override { return client_.retry_after(); }
  std::vector<Finding> examine() override {
    return examine_supabase(client_, options_.tables, options_.ladders > Duration::zero());
  }

 private:
  Result<void> read_setup();
  void broadcast(const Batch& batch);
  void retire_ladders();
  bool retire_some_ladders(Time before);

  const SupabaseSinkOptions options_;
  const Clock& clock_;
  SupabaseClient client_;
  SupabaseWriter writer_;
  const SupabaseTable ticks_ = supabase_ticks();
  const SupabaseTable indicators_ = supabase_indicators();
  const SupabaseTable candles_ = supabase_candles();
  const SupabaseTable latest_tick_ = supabase_latest_tick();
  const SupabaseTable latest_indicators_ = supabase_latest_indicators();
  bool is_open_ = false;
  std::set<std::string> guarded_;  // tables with the trigger
  SteadyTime next_ladders_{};
};

Result<void> Supabase::open() {
  is_open_ = false;
  if (auto key = client_.check_key(); !key) return key;
  if (auto read = read_setup(); !read) return read;
  for (const auto* table : {&ticks_, &indicators_, &candles_}) {
    if (table == &candles_ && !options_.tables.candles) continue;
    const auto reply = client_.get(supabase_probe(*table));
    if (!reply) return fail(reply.error());
    if (!reply->is_ok()) return fail(client_.refusal(*reply, table));
  }
  is_open_ = true;
  return {};
}

// Which tables have the trigger. A project that was set up by other hands has not got the function:
// then none has.
Result<void> Supabase::read_setup() {
  guarded_.clear();
  const auto reply = client_.get(supabase_setup_call);
  if (!reply) return fail(reply.error());
  if (reply->is_missing()) return {};
  if (!reply->is_ok()) return fail(client_.refusal(*reply, nullptr));
  const auto setup = read_supabase_setup(reply->body);
  if (!setup) return fail(setup.error());
  for (const auto& table : *setup) {
    if (table.has_guard) guarded_.insert(table.name);
  }
  return {};
}

Result<void> Supabase::write(const Batch& batch) {
  if (!is_open_) {
    if (auto opened = open(); !opened) return opened;
  }
  const auto guarded = [this](const SupabaseTable& table) {
    return guarded_.contains(std::string(table.name));
  };
  if (options_.tables.candles) {
    if (auto done = writer_.store(candles_, batch.entries(), guarded(candles_)); !done) return done;
  }
  if (auto done = writer_.store(ticks_, batch.entries(), true); !done) return done;
  fault_point("supabase.ticks_written");
  if (auto done = writer_.store(indicators_, batch.entries(), guarded(indicators_)); !done) {
    return done;
  }
  // Without its trigger (or not there at all) it would go back in time; doctor says so.
  if (options_.tables.latest && guarded(latest_tick_)) {
    for (const auto* part : {&latest_tick_, &latest_indicators_}) {
      if (auto done = writer_.store(*part, batch.entries(), true); !done) return done;
    }
  }
  fault_point("supabase.written");
  if (options_.tables.broadcast) broadcast(batch);
  if (options_.ladders > Duration::zero()) retire_ladders();
  return {};
}

// At most once, and only while it is news: who listens reads the tables for what was missed, so a
// refusal here holds no rows back.
void Supabase::broadcast(const Batch& batch) {
  const Time oldest = clock_.now() - live_for;
  std::string messages;
  const auto send = [&] {
    if (messages.empty()) return;
    static_cast<void>(client_.broadcast(fmt::format(R"({{"messages":[{}]}})", messages)));
    messages.clear();
  };
  for (const auto& row : supabase_rows(ticks_, batch.entries(), options_.exchange_symbols)) {
    if (row.time < oldest) continue;
    if (messages.size() + row.json.size() > broadcast_bytes) send();
    if (!messages.empty()) messages += ',';
    messages += fmt::format(R"({{"topic":"{}","event":"tick","private":true,"payload":{}}})",
                            broadcast_topic, row.json);
  }
  send();
}

// Housekeeping: what fails here is tried again later and holds no rows back.
void Supabase::retire_ladders() {
  if (clock_.steady() < next_ladders_) return;
  const bool is_more = retire_some_ladders(clock_.now() - options_.ladders);
  next_ladders_ = clock_.steady() + (is_more ? ladder_pause : ladder_interval);
}

// A day of the oldest ladders: a request must end within the gateway's minute however many there
// are. True when there were any.
bool Supabase::retire_some_ladders(Time before) {
  constexpr std::string_view has_ladder = "or=(bid_depth.not.is.null,ask_depth.not.is.null)";
  const auto oldest =
      client_.get(fmt::format("market_ticks?select=exchange_ts&exchange_ts=lt.{}&{}"
                              "&order=exchange_ts.asc&limit=1",
                              filter_time(before), has_ladder));
  if (!oldest || !oldest->is_ok()) return false;
  std::optional<Time> from;
  json::Reader reader;
  const auto read = reader.read(oldest->body, [&](json::Value root) {
    root.elements([&](json::Value row) {
      row.members([&](std::string_view, json::Value value) { from = value.time_text(); });
    });
  });
  if (!read || !from) return false;
  const auto done = client_.patch(
      fmt::format("market_ticks?exchange_ts=gte.{}&exchange_ts=lt.{}&{}", filter_time(*from),
                  filter_time(std::min(*from + ladder_span, before)), has_ladder),
      R"({"bid_depth":null,"ask_depth":null})");
  return done && done->is_ok();
}

Result<bool> read_flag(const Settings& settings, std::string_view key, std::string_view otherwise) {
  const std::string_view text = settings.get(key, otherwise);
  if (text != "true" && text != "false") {
    return fail(ErrorKind::misconfigured, "sink supabase: {} is \"{}\", not true or false", key,
                text);
  }
  return text == "true";
}

}  // namespace

std::unique_ptr<Sink> make_supabase(SupabaseSinkOptions options, const Clock& clock) {
  return std::make_unique<Supabase>(std::move(options), clock);
}

Result<std::unique_ptr<Sink>> make_supabase_from(const Settings& settings) {
  const std::string_view given = settings.get("url");
  if (given.empty()) {
    return fail(ErrorKind::misconfigured, "sink supabase: url is missing (SUPABASE_URL)");
  }
  auto url = supabase_base_url(given);
  if (!url) return within("sink supabase", std::move(url.error()));
  SupabaseSinkOptions options;
  options.location = {.url = std::move(*url),
                      .key = Secret(std::string(settings.get("service_role_key"))),
                      .schema = std::string(settings.get("schema", "public")),
                      .ca_file = std::string(settings.get("ca_file"))};
  if (options.location.key.empty()) {
    return fail(ErrorKind::misconfigured,
                "sink supabase: service_role_key is missing (SUPABASE_SERVICE_ROLE_KEY)");
  }
  if (!is_plain_name(options.location.schema)) {
    return fail(ErrorKind::misconfigured,
                "sink supabase: schema is \"{}\"; it must be lower-case letters, digits and "
                "underscores",
                options.location.schema);
  }
  options.tables.schema = options.location.schema;
  struct Flag {
    std::string_view key;
    std::string_view otherwise;
    bool& target;
  };
  const auto flags = std::to_array<Flag>({{"candles", "false", options.tables.candles},
                                          {"latest", "true", options.tables.latest},
                                          {"broadcast", "false", options.tables.broadcast}});
  for (const auto& flag : flags) {
    const auto value = read_flag(settings, flag.key, flag.otherwise);
    if (!value) return fail(value.error());
    flag.target = *value;
  }
  const std::string_view ladders = settings.get("ladder_days", "0");
  std::int64_t days = 0;
  const auto [end, error] = std::from_chars(ladders.data(), ladders.data() + ladders.size(), days);
  if (error != std::errc{} || end != ladders.data() + ladders.size() || days < 0 ||
      days > most_ladder_days) {
    return fail(ErrorKind::misconfigured, "sink supabase: ladder_days is \"{}\", not 0 to {}",
                ladders, most_ladder_days);
  }
  options.ladders = std::chrono::days{days};
  const std::string_view style = settings.get("symbol_style", "unified");
  if (style != "unified" && style != "exchange") {
    return fail(ErrorKind::misconfigured,
                "sink supabase: symbol_style is \"{}\", not \"unified\" or \"exchange\"", style);
  }
  options.exchange_symbols = style == "exchange";
  return make_supabase(std::move(options), *settings.clock);
}

}  // namespace candlewick::sink
