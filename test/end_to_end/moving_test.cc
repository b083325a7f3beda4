// Market data in and out: import, export, migrate and copy as scripts see them, with real files,
// a real PostgreSQL, and another reader of the formats as the judge.
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/line_reader.h"
#include "market/instrument.h"
#include "pipeline/rows.h"
#include "postgres/connection.h"
#include "query/candles.h"
#include "query/coverage.h"
#include "sink/sqlite_warehouse.h"
#include "test/support/eventually.h"
#include "test/support/postgres_server.h"
#include "test/support/program.h"
#include "test/support/shared_data.h"
#include "test/support/temporary_folder.h"

namespace candlewick {
namespace {

using test::Finished;
using test::TemporaryFolder;
using Environment = std::map<std::string, std::string>;

Environment in(const TemporaryFolder& folder) {
  return {{"CANDLEWICK_DATA_DIR", folder.path().string()}};
}

Finished candlewick_(const std::vector<std::string>& arguments, const Environment& environment) {
  return test::run_program("CANDLEWICK", arguments, {}, environment);
}

Finished import_(const std::vector<std::string>& files, const std::string& symbol,
                 const TemporaryFolder& folder, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words{"import"};
  words.insert(words.end(), files.begin(), files.end());
  words.insert(words.end(), {"--exchange", "binance", "--symbol", symbol, "--timeframe", "1m"});
  words.insert(words.end(), more.begin(), more.end());
  return candlewick_(words, in(folder));
}

Finished export_(const std::string& to, const std::string& symbol, const TemporaryFolder& folder,
                 const std::vector<std::string>& more = {}) {
  std::vector<std::string> words{"export",      "--exchange", "binance", "--symbol", symbol,
                                 "--timeframe", "1m",         "--to",    to};
  words.insert(words.end(), more.begin(), more.end());
  return candlewick_(words, in(folder));
}

std::string written(const TemporaryFolder& folder, const std::string& name,
                    const std::string& content) {
  const auto path = folder.path() / name;
  std::ofstream(path, std::ios::binary) << content;
  return path.string();
}

std::string content_of(const std::filesystem::path& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream text(line);
  for (std::string field; std::getline(text, field, ',');) fields.push_back(field);
  return fields;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string shared_file(const std::string& name) {
  return std::filesystem::absolute(test::shared_data() / "history" / name).string();
}

std::filesystem::path warehouse_in(const TemporaryFolder& folder) {
  return folder.path() / "warehouse.db";
}

std::vector<query::Candle> candles_in(const TemporaryFolder& folder, const std::string& symbol) {
  const auto database = warehouse::open_sqlite_for_reading(warehouse_in(folder));
  if (!database) return {};
  const auto found =
      query::candles(**database, {.exchange = "binance", .symbol = symbol, .limit = 1'000'000});
  EXPECT_TRUE(found) << found.error().message;
  return found ? *found : std::vector<query::Candle>{};
}

Decimal digits(const std::string& text) {
  return Decimal::parse(text).value();
}

// The twelve columns of a Binance row as a stored candle has them.
void expect_same(const query::Candle& candle, const std::vector<std::string>& fields) {
  EXPECT_EQ(candle.timestamp, parse_time(fields[0]).value());
  EXPECT_EQ(candle.open, digits(fields[1]));
  EXPECT_EQ(candle.high, digits(fields[2]));
  EXPECT_EQ(candle.low, digits(fields[3]));
  EXPECT_EQ(candle.close, digits(fields[4]));
  EXPECT_EQ(candle.volume, digits(fields[5]));
  EXPECT_EQ(candle.quote_volume, digits(fields[7]));
  EXPECT_EQ(candle.trade_count, std::stoll(fields[8]));
  EXPECT_EQ(candle.taker_buy_volume, digits(fields[9]));
  EXPECT_EQ(candle.taker_buy_quote_volume, digits(fields[10]));
  EXPECT_TRUE(candle.is_closed);
  EXPECT_EQ(candle.revision, 0);
}

struct RealFile {
  std::string name;
  std::string symbol;
  std::size_t rows;
};

TEST(Import, TakesRealFilesRowByRow) {
  REQUIRE_SHARED_DATA();
  const std::vector<RealFile> files{
      {"binance-spot-1m-12col-BTCUSDT-2025-10-29_2025-11-01.csv.zst", "BTC/USDT", 4'320},
      {"binance-usdm-official12col-AVAXUSDT-1m-2026-02.csv.zst", "AVAX/USDT", 40'320}};
  for (const auto& file : files) {
    const TemporaryFolder folder;
    const auto imported = import_({shared_file(file.name)}, file.symbol, folder);
    ASSERT_EQ(imported.status, 0) << imported.err;
    const auto candles = candles_in(folder, file.symbol);
    ASSERT_EQ(candles.size(), file.rows);
    auto reader = LineReader::open(shared_file(file.name));
    ASSERT_TRUE(reader);
    std::string line;
    ASSERT_TRUE(reader->next(line).value());  // the header
    std::size_t next = 0;
    while (reader->next(line).value() && !HasFailure()) {
      ASSERT_LT(next, candles.size());
      expect_same(candles[next++], fields_of(line));
    }
    EXPECT_EQ(next, candles.size());

    const auto again = import_({shared_file(file.name)}, file.symbol, folder);
    EXPECT_EQ(again.status, 0) << again.err;
    EXPECT_NE(again.err.find(fmt::format("0 candles of binance {} 1m from 1 file, {} were there",
                                         file.symbol, file.rows)),
              std::string::npos)
        << again.err;

    const auto database = warehouse::open_sqlite_for_reading(warehouse_in(folder));
    const auto spans = query::coverage(**database, {.exchange = "binance"});
    ASSERT_TRUE(spans);
    ASSERT_EQ(spans->size(), 1U);
    EXPECT_EQ(spans->front().from, candles.front().timestamp);
    EXPECT_EQ(spans->front().to, candles.back().timestamp + std::chrono::minutes{1});
    EXPECT_EQ(spans->front().state, "backfilled");
    EXPECT_EQ(spans->front().cause, "before_start");
    EXPECT_NE(spans->front().evidence.value_or("").find(file.name), std::string::npos);
  }
}

const std::string first_ms =
    "1738368000000,10.1130,10.1300,10.1090,10.1280,38521,1738368059999,389800.3310,1077,28754,"
    "290983.0070,0";
const std::string second_us =
    "1738368060000000,10.128,10.13,10.1,10.11,5.5,1738368119999999,55.1,3,1.5,15.2,0";

// A ZIP archive of one deflated file, as APPNOTE.TXT lays it out.
std::string zip_of(const std::string& name, const std::string& content) {
  std::string packed(content.size() + 1024, '\0');
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string input = content;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  const auto number = [](std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
    return text;
  };
  const auto crc =
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
  const std::string facts = number(20, 2) + number(0, 2) + number(8, 2) + number(0, 4) +
                            number(crc, 4) + number(packed.size(), 4) + number(content.size(), 4) +
                            number(name.size(), 2) + number(0, 2);
  const std::string head = "PK\3\4" + facts + name;
  const std::string entry = "PK\1\2" + number(20, 2) + facts + number(0, 2) + number(0, 2) +
                            number(0, 2) + number(0, 8) + name;
  return head + packed + entry + "PK\5\6" + number(0, 4) + number(1, 2) + number(1, 2) +
         number(entry.size(), 4) + number(head.size() + packed.size(), 4) + number(0, 2);
}

TEST(Import, TellsTimesAndHeadersAndArchivesApart) {
  const std::string header =
      "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
      "taker_buy_quote_volume,ignore\n";
  const std::string rows = first_ms + "\r\n" + second_us + "\n";
  std::string padding;  // more than one buffer of the archive reader
  for (int i = 0; i < 20'000; ++i) padding += '\n';
  struct Layout {
    std::string name;
    std::string content;
  };
  const std::vector<Layout> layouts{
      {"plain.csv", rows},
      {"header.csv", header + rows},
      {"unfinished.csv", first_ms + "\n" + second_us},
      {"archive.zip", zip_of("BTCUSDT-1m.csv", rows)},
      {"long.zip", zip_of("x.csv", header + padding + rows + padding)},
      {"bom.csv", "\xEF\xBB\xBF" + header + rows}};
  for (const auto& layout : layouts) {
    const TemporaryFolder folder;
    const auto imported =
        import_({written(folder, layout.name, layout.content)}, "BTC/USDT", folder);
    EXPECT_EQ(imported.status, 0) << layout.name << ": " << imported.err;
    const auto candles = candles_in(folder, "BTC/USDT");
    ASSERT_EQ(candles.size(), 2U) << layout.name;
    expect_same(candles[0], fields_of(first_ms));
    expect_same(candles[1], fields_of(second_us));
  }
}

TEST(Import, RefusesAFileWholeAndNamesTheLineAndTheColumn) {
  const auto with = [](std::size_t column, const std::string& value) {
    auto fields = fields_of(second_us);
    fields[column] = value;
    return first_ms + "\n" + fmt::format("{}", fmt::join(fields, ",")) + "\n";
  };
  struct Bad {
    std::string content;
    std::vector<std::string> mentions;
  };
  const std::string whole_zip = zip_of("x.csv", first_ms + "\n");
  std::string damaged_zip = whole_zip;
  damaged_zip[whole_zip.find("PK\1\2") + 16] ^= 1;  // the directory's CRC-32
  const std::vector<Bad> bad{
      {with(0, "1738368060001000"), {"line 2", "column 1 (open_time)", "1m"}},
      {with(0, "soon"), {"line 2", "column 1"}},
      {with(0, "1738368000000"), {"line 2", "column 1", "not after"}},
      {with(0, "4102444800000"), {"line 2", "column 1", "not ended"}},
      {with(1, "ten"), {"line 2", "column 2 (open)", "ten"}},
      {with(2, "10.12"), {"line 2", "column 3 (high)"}},
      {with(3, "10.12"), {"line 2", "column 4 (low)"}},
      {with(4, ""), {"line 2", "column 5 (close)", "empty"}},
      {with(5, "-1"), {"line 2", "column 6 (volume)", "negative"}},
      {with(5, "0.1234567890123456789"), {"line 2", "column 6", "18 decimals"}},
      {with(6, "1738368120001000"), {"line 2", "column 7 (close_time)"}},
      {with(8, "3.5"), {"line 2", "column 9 (trade_count)", "3.5"}},
      {first_ms + "\n1,2,3\n", {"line 2", "3 columns", "12"}},
      {"time,open,high,low,close\n", {"line 1", "volume"}},
      {"open_time,open,high,low,close,volume,symbol\n1738368000000,1,1,1,1,1,ETHUSDT\n",
       {"line 2", "column 7 (symbol)", "ETHUSDT"}},
      {"", {"no candles"}},
      {whole_zip.substr(0, whole_zip.size() - 30), {"ZIP"}},
      {damaged_zip, {"CRC-32"}},
  };
  for (const auto& one : bad) {
    const TemporaryFolder folder;
    const auto good = written(folder, "good.csv", first_ms + "\n");
    const auto refused =
        import_({good, written(folder, "bad.csv", one.content)}, "BTC/USDT", folder);
    EXPECT_EQ(refused.status, 1) << one.content;
    EXPECT_EQ(lines_of(refused.err).size(), 1U) << refused.err;
    EXPECT_NE(refused.err.find("bad.csv"), std::string::npos) << refused.err;
    for (const auto& mention : one.mentions)
      EXPECT_NE(refused.err.find(mention), std::string::npos) << mention << "\n" << refused.err;
    EXPECT_TRUE(candles_in(folder, "BTC/USDT").empty()) << "the good file was taken";
  }
}

TEST(Import, VerifiesChecksums) {
  // FIPS 180-2's example.
  const TemporaryFolder folder;
  const std::string abc = written(folder, "abc", "abc");
  const std::string known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  // Right, so the next thing that is wrong is told.
  const auto right = written(folder, "right", known + "  abc\n");
  EXPECT_NE(
      import_({abc}, "BTC/USDT", folder, {"--checksum", right}).err.find("line 1: the header"),
      std::string::npos);
  const std::string row = written(folder, "BTCUSDT-1m-2025-02.csv", first_ms + "\n");
  written(folder, "BTCUSDT-1m-2025-02.csv.CHECKSUM", known + "  BTCUSDT-1m-2025-02.csv\n");
  const auto differs = import_({row}, "BTC/USDT", folder);
  EXPECT_EQ(differs.status, 1);
  EXPECT_NE(differs.err.find("SHA-256"), std::string::npos) << differs.err;
  EXPECT_NE(differs.err.find(known), std::string::npos) << differs.err;
  const auto other = written(folder, "other", known + "  another.zip\n");
  EXPECT_EQ(import_({row}, "BTC/USDT", folder, {"--checksum", other}).status, 1);
  const auto none = written(folder, "none", "not a checksum\n");
  EXPECT_EQ(import_({row}, "BTC/USDT", folder, {"--checksum", none}).status, 1);
  EXPECT_TRUE(candles_in(folder, "BTC/USDT").empty());
  // What the message says it is, is right.
  const auto at = differs.err.find("its SHA-256 is ") + 15;
  const auto mended =
      written(folder, "mended", differs.err.substr(at, 64) + " *" + "BTCUSDT-1m-2025-02.csv\n");
  const auto taken = import_({row}, "BTC/USDT", folder, {"--checksum", mended});
  EXPECT_EQ(taken.status, 0) << taken.err;
  EXPECT_EQ(candles_in(folder, "BTC/USDT").size(), 1U);
}

// Without the moment of storing, which is each warehouse's own.
std::string without_stamp(const std::string& csv) {
  std::string text;
  for (const auto& line : lines_of(csv)) {
    auto fields = fields_of(line);
    fields.at(16) = "";
    text += fmt::format("{}\n", fmt::join(fields, ","));
  }
  return text;
}

TEST(Export, ComesBackByImportAsItWas) {
  REQUIRE_SHARED_DATA();
  const TemporaryFolder folder;
  ASSERT_EQ(import_({shared_file("binance-usdm-official12col-LTCUSDT-1m-2026-02.csv.zst")},
                    "LTC/USDT", folder)
                .status,
            0);
  const auto path = (folder.path() / "export.csv").string();
  const auto exported = export_("csv", "LTC/USDT", folder, {"--output", path});
  ASSERT_EQ(exported.status, 0) << exported.err;
  EXPECT_TRUE(exported.out.empty());
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
  const std::string csv = content_of(path);
  EXPECT_EQ(lines_of(csv).size(), 40'321U);

  const TemporaryFolder other;
  const auto imported = import_({path}, "LTC/USDT", other);
  ASSERT_EQ(imported.status, 0) << imported.err;
  const auto back = export_("csv", "LTC/USDT", other);
  ASSERT_EQ(back.status, 0) << back.err;
  EXPECT_TRUE(without_stamp(back.out) == without_stamp(csv));

  const auto some = export_("jsonl", "LTC/USDT", folder,
                            {"--start", "2026-02-03T00:00:00Z", "--end", "2026-02-03T00:02:00Z"});
  ASSERT_EQ(lines_of(some.out).size(), 2U) << some.out;
  EXPECT_EQ(some.out.find(R"({"exchange":"binance","symbol":"LTC/USDT","timeframe":"1m",)"
                          R"("timestamp":"2026-02-03T00:00:00Z","open":)"),
            0U)
      << some.out;
}

// A value of the column's type, told by a number.
schema::Value some_value(const schema::Column& column, std::int64_t n) {
  const Time moment = time_from_ms(1'738'368'000'000) + n * std::chrono::minutes{1};
  if (column.name == "exchange") return std::string("binance");
  if (column.name == "symbol") return std::string(n % 2 == 0 ? "BTC/USDT" : "ETH/USDT");
  if (column.name == "exchange_symbol") return std::string(n % 2 == 0 ? "BTCUSDT" : "ETHUSDT");
  if (column.name == "timeframe" || column.name == "window_interval") return std::string("1m");
  if (column.name == "to") return moment + std::chrono::minutes{2};
  if (column.name == "stream") return std::string("candles");
  if (column.name == "state" || column.name == "cause")
    return std::string(n % 3 == 0 ? "live" : "backfilled");
  if (column.nullable && n % 4 == 1) return schema::Null{};
  switch (column.type) {
    case schema::ColumnType::text:
      return fmt::format("{} \"é\", {}", column.name, n);
    case schema::ColumnType::integer:
      return n;
    case schema::ColumnType::boolean:
      return true;
    case schema::ColumnType::decimal:
      return n % 5 == 0 ? digits("99999999999999999999.999999999999999999")
                        : digits(fmt::format("{}.000000000000000001", n));
    case schema::ColumnType::real:
      return static_cast<double>(n) / 8 + 0.5;
    case schema::ColumnType::time:
      return moment + std::chrono::microseconds{column.name.ends_with("_at") ? 1 : 0};
    case schema::ColumnType::json:
      return schema::Json{fmt::format(R"({{"b":[["1.50","é\""],2.50],"aa":null,"a":{}}})", n)};
  }
  return schema::Null{};
}

// Rows of every table, corrected candles among them.
void fill(const std::filesystem::path& path) {
  const RealClock clock;
  std::vector<log::Entry> entries;
  const auto add = [&entries](schema::Row row) {
    entries.push_back(
        {.sequence = static_cast<log::Sequence>(entries.size() + 1), .row = std::move(row)});
  };
  Instrument bitcoin{.exchange = "binance",
                     .symbol = "BTC/USDT",
                     .exchange_symbol = "BTCUSDT",
                     .base = "BTC",
                     .quote = "USDT",
                     .status = ListingStatus::trading,
                     .tick_size = digits("0.01"),
                     .listed = true};
  const Time start = time_from_ms(1'738'368'000'000);
  add(pipeline::instrument_row(bitcoin, start));
  bitcoin.status = ListingStatus::delisted;
  add(pipeline::instrument_row(bitcoin, start + std::chrono::hours{1}));
  bitcoin.status = ListingStatus::trading;
  add(pipeline::instrument_row(bitcoin, start + std::chrono::hours{2}));
  for (const auto* table :
       {&schema::fact_ohlcv, &schema::fact_trade, &schema::market_ticks,
        &schema::technical_indicators, &schema::coverage, &schema::indicator_checkpoint,
        &schema::assets, &schema::verification, &schema::verification_mismatch}) {
    for (std::int64_t n = 0; n < 40; ++n) {
      schema::Row row{.table = table, .values = {}};
      for (const auto& column : table->columns) row.values.push_back(some_value(column, n));
      add(row);
      if (table != &schema::fact_ohlcv || n % 7 != 0) continue;
      row.values[table->index_of("revision")] = n + 1;
      row.values[table->index_of("close")] = digits("1.25");
      add(row);
    }
  }
  const auto sink = sink::make_sqlite_warehouse({.path = path}, clock);
  ASSERT_TRUE(sink->open());
  const auto done = sink->write(sink::Batch("a log", entries));
  ASSERT_TRUE(done) << done.error().message;
}

// What Apache Arrow reads, as CSV; the test skips where that cannot be had.
Finished judged(const std::string& path) {
  ::setenv("PARQUET_JUDGE", std::filesystem::absolute("test/end_to_end/parquet_judge").c_str(), 0);
  Environment environment{{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}};
  for (const char* name : {"CANDLEWICK_JUDGE_DIR", "HOME", "HTTPS_PROXY", "https_proxy",
                           "PIP_INDEX_URL", "PIP_CONFIG_FILE", "PIP_CERT", "SSL_CERT_FILE"}) {
    if (const char* value = std::getenv(name)) environment[name] = value;
  }
  return test::run_program("PARQUET_JUDGE", {path}, {}, environment);
}

TEST(Export, WritesParquetThatArrowReadsAlike) {
  const TemporaryFolder folder;
  fill(warehouse_in(folder));
  std::string many = "open_time,open,high,low,close,volume,trade_count\n";
  for (int minute = 0; minute < 70'000; ++minute) {
    many += fmt::format("{},1.5,2,0.000000000000000001,1,{}.5,{}\n",
                        1'600'000'020'000 + minute * 60'000LL, minute,
                        minute % 3 == 0 ? "" : std::to_string(minute));
  }
  ASSERT_EQ(import_({written(folder, "many.csv", many)}, "SOL/USDT", folder).status, 0);
  const std::vector<std::pair<std::string, std::string>> tables{
      {"candles", "BTC/USDT"},  {"market_ticks", "BTC/USDT"}, {"technical_indicators", "ETH/USDT"},
      {"coverage", "BTC/USDT"}, {"candles", "SOL/USDT"},      {"candles", "DOGE/USDT"}};
  for (const auto& [table, symbol] : tables) {
    const auto csv = export_("csv", symbol, folder, {"--table", table});
    ASSERT_EQ(csv.status, 0) << csv.err;
    const auto path = (folder.path() / "rows.parquet").string();
    const auto written_ = export_("parquet", symbol, folder, {"--table", table, "--output", path});
    ASSERT_EQ(written_.status, 0) << written_.err;
    const auto judgement = judged(path);
    if (judgement.status == 77 && std::getenv("CI") == nullptr) GTEST_SKIP() << judgement.err;
    ASSERT_EQ(judgement.status, 0) << table << " " << symbol << "\n" << judgement.err;
    EXPECT_TRUE(judgement.out == csv.out) << table << " " << symbol << "\n"
                                          << judgement.out.substr(0, 2'000) << "\n"
                                          << csv.out.substr(0, 2'000);
    if (symbol == "SOL/USDT") {
      EXPECT_EQ(judgement.err.find("2 row groups, 70000 rows"), 0U) << judgement.err;
      EXPECT_NE(judgement.err.find("open: decimal128(38, 18) not null"), std::string::npos);
      EXPECT_NE(judgement.err.find("timestamp: timestamp[us, tz=UTC] not null"), std::string::npos);
      EXPECT_NE(judgement.err.find("trade_count: int64\n"), std::string::npos) << judgement.err;
    }
  }
}

TEST(Export, LeavesNoHalfAFileBehind) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "rows.csv";
  EXPECT_NE(export_("csv", "BTC/USDT", folder, {"--output", path.string()}).status, 0);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(path.string() + ".part"));
  EXPECT_EQ(export_("xlsx", "BTC/USDT", folder).status, 2);
  EXPECT_EQ(export_("csv", "BTC/USDT", folder, {"--table", "dim_exchange"}).status, 2);
  const auto elsewhere = (folder.path() / "no" / "such" / "folder.csv").string();
  fill(warehouse_in(folder));
  EXPECT_EQ(export_("csv", "BTC/USDT", folder, {"--output", elsewhere}).status, 2);
}

TEST(Migrate, SaysFromWhereToWhere) {
  const TemporaryFolder folder;
  const auto made = candlewick_({"migrate"}, in(folder));
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_NE(made.out.find("from version 0 to version "), std::string::npos) << made.out;
  const auto again = candlewick_({"migrate"}, in(folder));
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_NE(again.out.find(" already"), std::string::npos) << again.out;

  const test::PostgresDatabase database(test::PostgresKind::plain);
  const auto remote = candlewick_({"migrate", "--to", database.url()}, in(folder));
  EXPECT_EQ(remote.status, 0) << remote.err;
  EXPECT_NE(remote.out.find("from version 0 to version "), std::string::npos) << remote.out;
  EXPECT_NE(remote.out.find("PostgreSQL 1"), std::string::npos) << remote.out;
  auto environment = in(folder);
  environment["DATABASE_URL"] = database.url();
  const auto configured = candlewick_({"migrate"}, environment);
  EXPECT_NE(configured.out.find(" already"), std::string::npos) << configured.out << configured.err;
  EXPECT_EQ(candlewick_({"migrate", "--to", "postgresql://127.0.0.1:1/none"}, in(folder)).out, "");
}

std::int64_t number_in(const std::string& url, const std::string& sql) {
  const auto connection = postgres::Connection::open({.url = Secret(url)});
  if (!connection) return -1;
  const auto rows = (*connection)->query(sql);
  return rows && rows->size() == 1 && !rows->is_null(0, 0) ? rows->integer(0, 0) : -1;
}

std::vector<std::string> copy_words(const std::string& url) {
  return {"copy", "--to", url, "--format", "jsonl"};
}

TEST(Copy, CarriesEveryTableAndChangesNothingTheSecondTime) {
  const TemporaryFolder folder;
  fill(warehouse_in(folder));
  const test::PostgresDatabase database(test::PostgresKind::plain);
  const auto copied = candlewick_(copy_words(database.url()), in(folder));
  ASSERT_EQ(copied.status, 0) << copied.out << copied.err;
  for (const std::string table :
       {"dim_exchange", "dim_cryptocurrency", "dim_listing", "coverage_current", "fact_ohlcv",
        "fact_ohlcv_revision", "fact_trade", "market_ticks", "technical_indicators", "coverage",
        "indicator_checkpoint", "assets", "verification", "verification_mismatch"}) {
    EXPECT_NE(copied.out.find(fmt::format(R"({{"table":"{}","rows":)", table)), std::string::npos);
    EXPECT_EQ(copied.out.find(fmt::format(R"({{"table":"{}","rows":0,)", table)), std::string::npos)
        << "nothing of " << table << " was there to be copied";
  }
  EXPECT_EQ(number_in(database.url(), "SELECT count(*) FROM dim_listing"), 2);
  EXPECT_EQ(number_in(database.url(), "SELECT sequence FROM log_position"),
            number_in(database.url(), "SELECT max(sequence) FROM log_position"));
  const auto again = candlewick_(copy_words(database.url()), in(folder));
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.out, copied.out);

  // The commands work on either warehouse, and tell the same.
  auto on_postgres = in(folder);
  on_postgres["DATABASE_URL"] = database.url();
  const std::vector<std::string> words{"export",   "--exchange", "binance",
                                       "--symbol", "BTC/USDT",   "--timeframe",
                                       "1m",       "--to",       "csv"};
  const auto told = candlewick_(words, on_postgres);
  EXPECT_EQ(told.out, candlewick_(words, in(folder)).out) << told.err;
  auto trades = words;
  trades.insert(trades.end(), {"--table", "trades"});
  const auto kept = candlewick_(trades, on_postgres);
  EXPECT_EQ(kept.out, candlewick_(trades, in(folder)).out) << kept.err;
  EXPECT_EQ(std::ranges::count(kept.out, '\n'), 21) << kept.out;
  const auto row = written(folder, "row.csv", first_ms + "\n");
  const auto imported = candlewick_(
      {"import", row, "--exchange", "binance", "--symbol", "DOGE/USDT", "--timeframe", "1m"},
      on_postgres);
  EXPECT_EQ(imported.status, 0) << imported.err;
  EXPECT_EQ(number_in(database.url(), "SELECT count(*) FROM ohlcv WHERE symbol = 'DOGE/USDT'"), 1);

  database.server().run_sql(database.name(),
                            "UPDATE market_ticks SET bid_depth = '[]' WHERE bid_depth IS NOT NULL;"
                            "UPDATE fact_ohlcv SET volume = volume + 1e-18 WHERE volume < 30");
  const auto differs = candlewick_(copy_words(database.url()), in(folder));
  EXPECT_EQ(differs.status, 1);
  EXPECT_NE(differs.err.find("market_ticks: 0 rows are missing"), std::string::npos) << differs.err;
  EXPECT_NE(differs.err.find("fact_ohlcv: 0 rows are missing"), std::string::npos) << differs.err;
  EXPECT_EQ(differs.err.find("coverage: "), std::string::npos) << differs.err;
}

TEST(Copy, GoesOnWhereItWasKilled) {
  const TemporaryFolder folder;
  std::string many = "open_time,open,high,low,close,volume\n";
  for (int minute = 0; minute < 200'000; ++minute) {
    many += fmt::format("{},1.5,2,1,1.25,{}\n", 1'600'000'020'000 + minute * 60'000LL, minute);
  }
  ASSERT_EQ(import_({written(folder, "many.csv", many)}, "SOL/USDT", folder).status, 0);
  const test::PostgresDatabase database(test::PostgresKind::plain);
  ASSERT_EQ(candlewick_({"migrate", "--to", database.url()}, in(folder)).status, 0);
  const std::string positions =
      "SELECT count(*) FROM warehouse_property WHERE name LIKE 'copy from %'";
  test::Program program("CANDLEWICK", copy_words(database.url()), {}, in(folder));
  EXPECT_TRUE(test::eventually([&] { return number_in(database.url(), positions) == 1; }));
  program.kill();
  const auto there = number_in(database.url(), "SELECT count(*) FROM fact_ohlcv");
  EXPECT_EQ(number_in(database.url(), positions), 1) << "it ended before it was killed";
  EXPECT_GT(there, 0);
  EXPECT_LT(there, 200'000);

  const auto resumed = candlewick_(copy_words(database.url()), in(folder));
  EXPECT_EQ(resumed.status, 0) << resumed.out << resumed.err;
  EXPECT_NE(resumed.err.find("going on after an interruption"), std::string::npos) << resumed.err;
  EXPECT_NE(resumed.out.find(R"({"table":"fact_ohlcv","rows":200000,"missing":0,"different":0,)"),
            std::string::npos)
      << resumed.out;
  EXPECT_EQ(number_in(database.url(), "SELECT count(*) FROM fact_ohlcv"), 200'000);
  EXPECT_EQ(number_in(database.url(), positions), 0);
  // It went on, rather than beginning again.
  const auto copied = std::stoll(resumed.err.substr(resumed.err.find(' ') + 1));
  EXPECT_GE(copied, 200'000 - there) << resumed.err;
  EXPECT_LT(copied, 200'000) << resumed.err;
}

TEST(Copy, NeedsASourceAndATarget) {
  const TemporaryFolder folder;
  const auto nowhere = candlewick_({"copy"}, in(folder));
  EXPECT_EQ(nowhere.status, 2);
  EXPECT_NE(nowhere.err.find("DATABASE_URL"), std::string::npos) << nowhere.err;
  const test::PostgresDatabase database(test::PostgresKind::plain);
  const auto nothing = candlewick_(copy_words(database.url()), in(folder));
  EXPECT_EQ(nothing.status, 2) << nothing.err;
  EXPECT_EQ(number_in(database.url(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"),
            0)
      << "a source that cannot be read leaves the target alone";
}

}  // namespace
}  // namespace candlewick
