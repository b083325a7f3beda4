// Two passes over every file: the first only reads.
#include "app/import.h"

#include <filesystem>
#include <memory>
#include <optional>

#include "app/candle_file.h"
#include "app/command.h"
#include "app/digest.h"
#include "app/folder_lock.h"
#include "app/progress.h"
#include "app/warehouse_choice.h"
#include "base/clock.h"
#include "base/line_reader.h"
#include "exchange/registry.h"
#include "log/sqlite_log.h"
#include "pipeline/coverage.h"
#include "pipeline/rows.h"
#include "pipeline/span_set.h"
#include "query/candles.h"
#include "sink/delivery.h"

namespace candlewick::app {
namespace {

using pipeline::CoverageState;

// Candles that become one append, and are held at once.
constexpr std::size_t chunk_candles = 5'000;

// "9c5f…  BTCUSDT-1m-2025-01.zip": the line for this file, or the only one.
Result<std::string> expected_sha256(const std::string& path, const std::string& checksum_path) {
  auto reader = LineReader::open(checksum_path);
  if (!reader) return fail(std::move(reader.error()));
  const std::string wanted = std::filesystem::path(path).filename().string();
  std::string line;
  while (true) {
    const auto is_there = reader->next(line);
    if (!is_there) return fail(is_there.error());
    if (!*is_there) break;
    if (line.ends_with('\r')) line.pop_back();
    const auto end = line.find_first_of(" \t");
    std::string digits = line.substr(0, end);
    for (char& c : digits) {
      if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    }
    if (digits.size() != 64 || digits.find_first_not_of("0123456789abcdef") != std::string::npos) {
      return fail(ErrorKind::malformed, "{}: line {}: no SHA-256 stands there", checksum_path,
                  reader->line_number());
    }
    const auto name = end == std::string::npos ? end : line.find_first_not_of(" \t*", end);
    if (name == std::string::npos || line.substr(name) == wanted) return digits;
  }
  return fail(ErrorKind::malformed, "{}: has no line for {}", checksum_path, wanted);
}

struct Checked {
  std::string path;
  std::string sha256;
  bool is_verified = false;
  std::uint64_t candles = 0;
  std::uint64_t skipped = 0;
};

class Importer {
 public:
  Importer(const LoadedConfig& loaded, const Instrument& instrument, Timeframe timeframe)
      : config_(loaded.config), instrument_(instrument), timeframe_(timeframe) {}

  // Reads a file to its end and takes nothing.
  Result<Checked> check(const std::string& path, std::string checksum_path) const {
    Progress progress(clock_, Progress::on_terminal());
    progress.begin("check " + name_of(path), "candles");
    auto sha256 = sha256_of_file(path);
    if (!sha256) return fail(std::move(sha256.error()));
    Checked checked{.path = path, .sha256 = std::move(*sha256)};
    if (checksum_path.empty() && std::filesystem::exists(path + ".CHECKSUM"))
      checksum_path = path + ".CHECKSUM";
    if (!checksum_path.empty()) {
      const auto expected = expected_sha256(path, checksum_path);
      if (!expected) return fail(expected.error());
      if (*expected != checked.sha256) {
        return fail(ErrorKind::malformed, "{}: its SHA-256 is {}, {} says {}", path, checked.sha256,
                    checksum_path, *expected);
      }
      checked.is_verified = true;
    }
    auto file = CandleFile::open(path, series());
    if (!file) return fail(std::move(file.error()));
    while (true) {
      const auto candle = file->next();
      if (!candle) return fail(candle.error());
      if (!*candle) break;
      ++checked.candles;
      if (checked.candles % chunk_candles == 0) progress.update(checked.candles);
    }
    checked.skipped = file->skipped();
    if (checked.candles == 0) return fail(ErrorKind::malformed, "{}: holds no candles", path);
    return checked;
  }

  Result<void> open() {
    auto folder = FolderLock::take(config_.data_dir);
    if (folder) {
      folder_ = std::move(*folder);
    } else if (!FolderLock::is_taken(config_.data_dir)) {
      return fail(folder.error());
    }
    auto log = log::open_sqlite_log({.path = log_path(config_)});
    if (!log) return fail(log.error());
    log_ = std::move(*log);
    // Makes the warehouse too, where there is none.
    if (auto delivered = deliver(); !delivered) return delivered;
    auto warehouse = open_for_reading(config_);
    if (!warehouse) return fail(warehouse.error());
    warehouse_ = std::move(*warehouse);
    return {};
  }

  Result<void> take(const Checked& checked) {
    auto file = CandleFile::open(checked.path, series());
    if (!file) return fail(std::move(file.error()));
    std::vector<Candle> chunk;
    std::uint64_t taken = 0;
    Progress progress(clock_, Progress::on_terminal());
    progress.begin("import " + name_of(checked.path), "candles", checked.candles);
    while (true) {
      auto candle = file->next();
      if (!candle) return fail(std::move(candle.error()));
      if (*candle) chunk.push_back(**candle);
      if (!chunk.empty() && (!*candle || chunk.size() == chunk_candles)) {
        if (auto stored = store(chunk, checked); !stored) return stored;
        taken += chunk.size();
        progress.update(taken);
        chunk.clear();
      }
      if (!*candle) return deliver();
    }
  }

  // Into the warehouse, unless a service does that.
  Result<void> deliver() const {
    if (!folder_) return {};
    auto target = make_warehouse_sink(config_, clock_);
    if (!target) return fail(std::move(target.error()));
    auto source = log::open_sqlite_log({.path = log_path(config_)});
    if (!source) return fail(std::move(source.error()));
    sink::Delivery delivery(std::move(*target), std::move(*source), clock_);
    return delivery.drain();
  }

  std::uint64_t stored() const { return stored_; }
  std::uint64_t known() const { return known_; }

 private:
  static std::string name_of(const std::string& path) {
    return std::filesystem::path(path).filename().string();
  }
  CandleFileSeries series() const {
    return {.instrument = &instrument_, .timeframe = timeframe_, .now = clock_.now()};
  }

  // Those that are not there yet. Rows and what is asserted about them are one append, so that
  // neither can be there without the other.
  Result<void> store(const std::vector<Candle>& candles, const Checked& checked) {
    const auto times = query::stored_times(*warehouse_, {.exchange = instrument_.exchange,
                                                         .symbol = instrument_.symbol,
                                                         .timeframe = timeframe_,
                                                         .start = candles.front().open_time,
                                                         .end = candles.back().end_time()});
    if (!times) return fail(times.error());
    pipeline::SpanSet there;
    for (const Time open : *times) there.add({open, next_open(timeframe_, open)});
    const Time stamp = clock_.now();
    std::vector<schema::Row> rows;
    pipeline::SpanSet filled;
    for (const auto& candle : candles) {
      if (there.contains(candle.open_time)) {
        ++known_;
        continue;
      }
      rows.push_back(pipeline::candle_row(candle, stamp));
      filled.add({candle.open_time, candle.end_time()});
      ++stored_;
    }
    for (const auto& span : filled.spans()) {
      rows.push_back(pipeline::coverage_row(
          {.instrument = &instrument_,
           .timeframe = timeframe_,
           .span = span,
           .state = CoverageState::backfilled,
           .cause = pipeline::cause::before_start,
           .evidence = fmt::format("file {}, SHA-256 {}{}", name_of(checked.path), checked.sha256,
                                   checked.is_verified ? ", as its checksum file says" : "")},
          stamp, sequence_));
    }
    if (rows.empty()) return {};
    const auto appended = log_->append(rows);
    if (!appended) return fail(appended.error());
    return {};
  }

  const Config& config_;
  const Instrument& instrument_;
  const Timeframe timeframe_;
  RealClock clock_;
  std::unique_ptr<FolderLock> folder_;  // null while a service has it
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<warehouse::Database> warehouse_;
  pipeline::CoverageSequence sequence_;
  std::uint64_t stored_ = 0;
  std::uint64_t known_ = 0;
};

}  // namespace

int import_files(const LoadedConfig& loaded, const ImportOptions& options) {
  if (!options.checksum.empty() && options.files.size() != 1)
    return report({ErrorKind::misconfigured, "--checksum: is for one file"});
  const auto venue = venue_named(options.exchange, options.market);
  if (!venue) return report(venue.error());
  const auto catalogue = exchange::make_catalogue(**venue);
  const auto instrument = instrument_named(**venue, *catalogue, options.symbol);
  if (!instrument) return report(instrument.error());
  const auto timeframe = parse_timeframe(options.timeframe);
  if (!timeframe)
    return report({ErrorKind::misconfigured, "--timeframe: " + timeframe.error().message});
  Importer importer(loaded, **instrument, *timeframe);
  std::vector<Checked> files;
  for (const auto& path : options.files) {
    auto checked = importer.check(path, options.checksum);
    if (!checked) return report(checked.error());
    files.push_back(std::move(*checked));
  }
  if (auto opened = importer.open(); !opened) return report(opened.error());
  std::uint64_t skipped = 0;
  for (const auto& file : files) {
    if (auto taken = importer.take(file); !taken) return report(taken.error());
    skipped += file.skipped;
  }
  fmt::print(stderr, "candlewick: {} candles of {} {} {} from {} file{}, {} were there already{}\n",
             importer.stored(), options.exchange, (*instrument)->symbol, options.timeframe,
             files.size(), files.size() == 1 ? "" : "s", importer.known(),
             skipped == 0 ? "" : fmt::format(", {} were not closed", skipped));
  return done;
}

}  // namespace candlewick::app
