// What the log costs over the SQLite under it: rows appended and read back as a sink does, against
// bare prepared inserts of the same payload bytes in the same batches, with the same journal, page
// size and sync at each commit.
//
//   bench_log FOLDER     where the files are made and removed again: on the disk that counts
#include <array>
#include <cstdio>
#include <filesystem>
#include <span>

#include <fmt/format.h>

#include "bench/measure.h"
#include "log/sqlite_log.h"
#include "sqlite/database.h"

namespace candlewick::bench {
namespace {

constexpr std::size_t batch_rows = 1'000;
constexpr std::size_t batches = 50;
constexpr std::int64_t page_size = 16'384;  // the log's
constexpr std::size_t read_rows = 5'000;    // a sink's batch
constexpr std::size_t read_bytes = std::size_t{8} << 20;

Decimal price(std::int64_t hundredths) {
  return Decimal::from_count(int128{hundredths} * (Decimal::one / 100));
}

std::vector<schema::Row> make_rows() {
  std::vector<schema::Row> rows;
  rows.reserve(batch_rows * batches);
  for (std::size_t i = 0; i < batch_rows * batches; ++i) {
    const auto step = static_cast<std::int64_t>(i);
    const Time open{std::chrono::minutes{28'000'000 + step}};
    const std::int64_t level = 6'000'000 + step % 997;
    rows.push_back(
        {.table = &schema::fact_ohlcv,
         .values = {std::string("binance"), std::string("BTC/USDT"), std::string("1m"), open,
                    price(level), price(level + 181), price(level - 93), price(level + 40),
                    price(2'698 + step % 89), price(161'880'000 + step), 1'204 + step % 512,
                    price(1'300 + step % 61), price(78'000'000 + step), true, std::string("ws"),
                    std::int64_t{0}, open + std::chrono::minutes{1}}});
  }
  return rows;
}

Result<std::filesystem::path> fresh(const std::filesystem::path& folder, std::string_view name) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const auto path = folder / fmt::format("bench-{}.db", name);
  for (const auto* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(path.string() + suffix, error);
    if (error) return fail(ErrorKind::transient, "{}: {}", path.string(), error.message());
  }
  return path;
}

struct Took {
  double append = 0;  // seconds
  double read = 0;
};

// `payloads`: what the log wrote, for the floor to write.
Result<Took> ours(const std::filesystem::path& path, std::span<const schema::Row> rows,
                  std::vector<std::string>& payloads) {
  auto log = log::open_sqlite_log({.path = path});
  if (!log) return fail(log.error());
  Took took;
  SteadyTime start = now();
  for (std::size_t at = 0; at < rows.size(); at += batch_rows) {
    const auto appended = (*log)->append(rows.subspan(at, batch_rows));
    if (!appended) return fail(appended.error());
  }
  took.append = seconds_since(start);

  // A sink has a connection of its own.
  auto reader = log::open_sqlite_log({.path = path});
  if (!reader) return fail(reader.error());
  std::size_t read = 0;
  log::Sequence after = 0;
  start = now();
  while (true) {
    const auto page = (*reader)->read(after, read_rows, read_bytes);
    if (!page) return fail(page.error());
    if (page->entries.empty()) break;
    read += page->entries.size();
    after = page->last;
    keep(page->entries);
  }
  took.read = seconds_since(start);
  if (read != rows.size())
    return fail(ErrorKind::transient, "{} of {} rows read", read, rows.size());
  if (payloads.empty()) {
    for (const auto& row : rows) schema::append_json(payloads.emplace_back(), row);
  }
  return took;
}

Result<Took> floor(const std::filesystem::path& path, std::span<const std::string> payloads) {
  auto database = sqlite::Database::open({.path = path, .page_size = page_size});
  if (!database) return fail(database.error());
  auto made = (*database)->execute(
      "CREATE TABLE entry (sequence INTEGER PRIMARY KEY, payload TEXT NOT NULL) STRICT");
  if (!made) return fail(made.error());
  auto insert = (*database)->prepare("INSERT INTO entry (sequence, payload) VALUES (?, ?)");
  if (!insert) return fail(insert.error());
  Took took;
  SteadyTime start = now();
  std::int64_t sequence = 0;
  for (std::size_t at = 0; at < payloads.size(); at += batch_rows) {
    sqlite::Transaction transaction(**database);
    for (const auto& payload : payloads.subspan(at, batch_rows)) {
      insert->bind(1, ++sequence);
      insert->bind(2, payload);
      transaction.run(*insert);
    }
    if (auto done = transaction.commit(); !done) return fail(done.error());
  }
  took.append = seconds_since(start);

  auto reader = sqlite::Database::open({.path = path});
  if (!reader) return fail(reader.error());
  auto select = (*reader)->prepare("SELECT sequence, payload FROM entry ORDER BY sequence");
  if (!select) return fail(select.error());
  std::size_t bytes = 0;
  start = now();
  while (true) {
    const auto row = select->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    bytes += select->text(1).size();
  }
  took.read = seconds_since(start);
  keep(bytes);
  return took;
}

void print(std::string_view who, const Took& took, double rows) {
  print_sample("log/append", who, rows / took.append, "rows/s");
  print_sample("log/read", who, rows / took.read, "rows/s");
  print_sample("log/append+read", who, rows / (took.append + took.read), "rows/s");
}

Result<void> run(const std::filesystem::path& folder) {
  const auto rows = make_rows();
  std::vector<std::string> payloads;
  const auto our_path = fresh(folder, "log");
  if (!our_path) return fail(our_path.error());
  const auto our_time = ours(*our_path, rows, payloads);
  if (!our_time) return fail(our_time.error());
  const auto floor_path = fresh(folder, "sqlite");
  if (!floor_path) return fail(floor_path.error());
  const auto floor_time = floor(*floor_path, payloads);
  if (!floor_time) return fail(floor_time.error());
  const auto count = static_cast<double>(rows.size());
  print("ours", *our_time, count);
  print("sqlite", *floor_time, count);
  static_cast<void>(fresh(folder, "log"));
  static_cast<void>(fresh(folder, "sqlite"));
  return {};
}

}  // namespace
}  // namespace candlewick::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_log FOLDER\n");
    return 2;
  }
  const auto done = candlewick::bench::run(argv[1]);
  return done ? 0 : candlewick::bench::report(done.error());
}
