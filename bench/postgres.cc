// What the sink costs over the fastest way that PostgreSQL has: rows of fact_ohlcv written by the
// sink in its batches, against a bare COPY BINARY of the same rows, encoded before, in transactions
// of the same size into the same table with its key, indexes and foreign keys. And what the same
// rows cost when they come again, which takes the way over the staging table.
//
// Also how long a reader waits for the newest 1,000 candles while the sink writes, against an idle
// server.
//
//   bench_postgres plain|timescale     starts a server of its own, with fsync on
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <span>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "base/clock.h"
#include "bench/measure.h"
#include "postgres/binary.h"
#include "query/candles.h"
#include "sink/postgres_warehouse.h"
#include "test/support/postgres_server.h"

namespace candlewick::bench {
namespace {

constexpr std::size_t batch_rows = 5'000;  // the delivery's
constexpr std::size_t batches = 40;
constexpr std::array<std::string_view, 5> symbols{"BTC/USDT", "ETH/USDT", "SOL/USDT", "BNB/USDT",
                                                  "XRP/USDT"};

Decimal price(std::int64_t hundredths) {
  return Decimal::from_count(int128{hundredths} * (Decimal::one / 100));
}

// A minute of every symbol, then the next minute, as they come live.
std::vector<log::Entry> make_entries() {
  std::vector<log::Entry> entries;
  entries.reserve(batch_rows * batches);
  for (std::size_t i = 0; i < batch_rows * batches; ++i) {
    const auto step = static_cast<std::int64_t>(i);
    const Time open{std::chrono::minutes{28'000'000 + step / std::ssize(symbols)}};
    const std::int64_t level = 6'000'000 + step % 997;
    entries.push_back(
        {step + 1,
         {.table = &schema::fact_ohlcv,
          .values = {std::string("binance"), std::string(symbols[i % symbols.size()]),
                     std::string("1m"), open, price(level), price(level + 181), price(level - 93),
                     price(level + 40), price(2'698 + step % 89), price(161'880'000 + step),
                     1'204 + step % 512, price(1'300 + step % 61), price(78'000'000 + step), true,
                     std::string("ws"), std::int64_t{0}, open + std::chrono::minutes{1}}}});
  }
  return entries;
}

struct Setup {
  test::PostgresServer server;
  warehouse::PostgresLocation location;
  RealClock clock;

  explicit Setup(test::PostgresKind kind)
      : server({.kind = kind,
                .settings = {"fsync = on", "synchronous_commit = on", "full_page_writes = on",
                             "shared_buffers = 256MB", "max_wal_size = 4GB"}}) {
    if (server.problem().empty()) location.url = Secret(server.make_database("bench"));
  }
};

// In batches as the delivery makes them, which number their rows from `first` on.
std::vector<sink::Batch> make_batches(std::span<const log::Entry> entries, log::Sequence first) {
  std::vector<sink::Batch> made;
  for (std::size_t at = 0; at < entries.size(); at += batch_rows) {
    const auto part = entries.subspan(at, batch_rows);
    std::vector<log::Entry> batch(part.begin(), part.end());
    for (auto& entry : batch) entry.sequence = first++;
    made.emplace_back("bench", std::move(batch));
  }
  return made;
}

// `is_writing`: true meanwhile.
Result<double> sink_seconds(Setup& setup, const std::vector<sink::Batch>& made,
                            std::atomic<bool>* is_writing = nullptr) {
  auto sink = sink::make_postgres_warehouse({.location = setup.location}, setup.clock);
  if (auto opened = sink->open(); !opened) return fail(opened.error());
  if (is_writing != nullptr) *is_writing = true;
  const SteadyTime start = now();
  for (const auto& batch : made) {
    if (auto written = sink->write(batch); !written) return fail(written.error());
  }
  const double seconds = seconds_since(start);
  if (is_writing != nullptr) *is_writing = false;
  return seconds;
}

Result<double> copy_seconds(Setup& setup, std::span<const log::Entry> entries) {
  auto connection = postgres::Connection::open({.url = setup.location.url});
  if (!connection) return fail(connection.error());
  std::vector<std::string> encoded;
  for (std::size_t at = 0; at < entries.size(); at += batch_rows) {
    postgres::CopyRows rows;
    for (const auto& entry : entries.subspan(at, batch_rows)) {
      const auto& columns = entry.row.table->columns;
      rows.begin(columns.size());
      const auto& symbol = std::get<std::string>(entry.row.values[1]);
      const auto crypto = std::ranges::find(symbols, symbol) - symbols.begin() + 1;
      for (const std::int64_t id : {std::int64_t{1}, static_cast<std::int64_t>(crypto)}) {
        postgres::append_int32(rows.bytes(), 4);
        postgres::append_int32(rows.bytes(), static_cast<std::int32_t>(id));
      }
      for (std::size_t i = 2; i < columns.size(); ++i) {
        auto done = postgres::append_field(rows.bytes(), entry.row.values[i], columns[i]);
        if (!done) return fail(done.error());
      }
    }
    encoded.emplace_back(rows.finish());
  }
  const SteadyTime start = now();
  for (const auto& bytes : encoded) {
    const auto copied = (*connection)->copy("COPY fact_ohlcv FROM STDIN (FORMAT binary)", bytes);
    if (!copied) return fail(copied.error());
  }
  return seconds_since(start);
}

// Empty again, with the dimensions that both sides use.
Result<void> reset(Setup& setup) {
  auto connection = postgres::Connection::open({.url = setup.location.url});
  if (!connection) return fail(connection.error());
  std::string script = "TRUNCATE fact_ohlcv, dim_cryptocurrency, log_position CASCADE;";
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    script += fmt::format(
        "INSERT INTO dim_cryptocurrency (crypto_id, symbol, base, quote) VALUES ({}, '{}', 'x', "
        "'y');",
        i + 1, symbols[i]);
  }
  // Both sides begin with a clean log of the server's.
  return (*connection)->run(script + "CHECKPOINT");
}

Result<void> make_months(Setup& setup, std::span<const log::Entry> entries) {
  auto made = warehouse::open_postgres_for_writing(setup.location, {}, setup.clock.now());
  if (!made) return fail(made.error());
  if (auto seeded = made->connection->run("INSERT INTO dim_exchange (name) VALUES ('binance')");
      !seeded)
    return seeded;
  if (made->layout != warehouse::Layout::native) return {};
  for (std::size_t at = 0; at < entries.size(); at += batch_rows) {
    const Time time = std::get<Time>(entries[at].row.values[3]);
    auto done = warehouse::make_partitions(*made->connection, "fact_ohlcv", time);
    if (!done) return done;
  }
  return warehouse::make_partitions(*made->connection, "fact_ohlcv",
                                    std::get<Time>(entries.back().row.values[3]));
}

// The newest 1,000 candles of one series, by the question that the API asks.
Result<double> read_milliseconds(warehouse::Database& database) {
  const SteadyTime start = now();
  const auto found = query::candles(database, {.exchange = "binance",
                                               .symbol = std::string(symbols[0]),
                                               .limit = 1'000,
                                               .order = query::Order::descending});
  if (!found) return fail(found.error());
  check(found->size() == 1'000, "there are more than a thousand of them");
  return seconds_since(start) * 1'000;
}

Result<void> reads(Setup& setup, std::span<const log::Entry> entries, std::string_view kind) {
  if (auto done = reset(setup); !done) return done;
  const auto half = entries.size() / 2;
  if (auto filled = sink_seconds(setup, make_batches(entries.first(half), 1)); !filled) {
    return fail(filled.error());
  }
  auto reader = warehouse::open_postgres_for_reading(setup.location);
  if (!reader) return fail(reader.error());
  std::vector<double> idle;
  for (int i = 0; i < 1'000; ++i) {
    const auto took = read_milliseconds(**reader);
    if (!took) return fail(took.error());
    idle.push_back(*took);
  }
  const auto rest = make_batches(entries.subspan(half), static_cast<log::Sequence>(half) + 1);
  std::vector<double> busy;
  std::atomic<bool> is_writing{false};
  std::atomic<bool> is_done{false};
  Result<double> written = 0.0;
  std::thread writer([&] {
    written = sink_seconds(setup, rest, &is_writing);
    is_done = true;
  });
  Result<double> took = 0.0;
  while (!is_done && took) {
    const bool began_while_writing = is_writing;
    took = read_milliseconds(**reader);
    if (took && began_while_writing) busy.push_back(*took);
  }
  writer.join();
  if (!took) return fail(took.error());
  if (!written) return fail(written.error());
  for (const auto& [share, title] : {std::pair{0.5, "p50"}, std::pair{0.99, "p99"}}) {
    const auto name = fmt::format("postgres/{} read 1,000 {}", kind, title);
    print_sample(name, "ours", quantile(busy, share), "ms");
    print_sample(name, "idle", quantile(idle, share), "ms");
  }
  return {};
}

Result<void> run(test::PostgresKind kind) {
  Setup setup(kind);
  if (!setup.server.problem().empty()) {
    return fail(ErrorKind::misconfigured, "{}", setup.server.problem());
  }
  const auto entries = make_entries();
  const auto title = test::to_text(kind);
  const auto rows = static_cast<double>(entries.size());
  if (auto made = make_months(setup, entries); !made) return made;
  if (auto done = reset(setup); !done) return done;
  const auto ours = sink_seconds(setup, make_batches(entries, 1));
  if (!ours) return fail(ours.error());
  const auto again =
      sink_seconds(setup, make_batches(entries, static_cast<log::Sequence>(entries.size()) + 1));
  if (!again) return fail(again.error());
  if (auto done = reset(setup); !done) return done;
  const auto copied = copy_seconds(setup, entries);
  if (!copied) return fail(copied.error());
  print_sample(fmt::format("postgres/{} write", title), "ours", rows / *ours, "rows/s");
  print_sample(fmt::format("postgres/{} write", title), "copy", rows / *copied, "rows/s");
  print_sample(fmt::format("postgres/{} write again", title), "ours", rows / *again, "rows/s");
  return reads(setup, entries, title);
}

}  // namespace
}  // namespace candlewick::bench

int main(int argc, char** argv) {
  const std::string_view kind = argc == 2 ? argv[1] : "";
  if (kind != "plain" && kind != "timescale") {
    std::fprintf(stderr, "usage: bench_postgres plain|timescale\n");
    return 2;
  }
  const auto done =
      candlewick::bench::run(kind == "plain" ? candlewick::test::PostgresKind::plain
                                             : candlewick::test::PostgresKind::timescale);
  return done ? 0 : candlewick::bench::report(done.error());
}
