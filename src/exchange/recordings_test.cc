// Every real recording and single message of a native venue, as `candlewick decode` would print it,
// against the committed table test/fixtures/recordings.jsonl: frames, events of each kind, refusals
// and a checksum over all lines. What a person can check against the frames is in
// recordings_samples.jsonl: the first event of each kind in each file. Shapes that documentation
// made up (documented/) are no recordings: the venues' own tests read those.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/json_text.h"
#include "base/line_reader.h"
#include "exchange/testing.h"
#include "market/event_json.h"

namespace candlewick::exchange {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view table_file = "test/fixtures/recordings.jsonl";
constexpr std::string_view samples_file = "test/fixtures/recordings_samples.jsonl";
constexpr std::size_t longest_sample = 1'200;

// A folder beside the project, and whose messages are in it.
struct Folder {
  std::string name;
  std::string venue;
};
std::vector<Folder> all_folders() {
  std::vector<Folder> folders;
  for (const auto* venue : all_venues()) {
    const std::string key(key_of(*venue));
    folders.push_back({key == "binance-usdm" ? "binance-futures" : key, key});
  }
  return folders;
}
// Candles in files of their own, and figures for indicators.
constexpr auto other_folders = std::to_array<std::string_view>({"history", "ta"});

// How labels of single messages begin that are not of spot markets.
constexpr auto contract_labels =
    std::to_array<std::string_view>({"inverse_", "linear_", "option", "swap_", "unknown"});

// What single messages lack: that they are replies, and to which request. Marked by a text in them,
// or at their beginning.
struct ReplyMark {
  std::string_view venue;
  std::string_view text;
  RestKind kind;
  std::string_view symbol;
};
constexpr auto reply_marks = std::to_array<ReplyMark>({
    {"binance", R"({"lastUpdateId")", RestKind::depth, "BTCUSDT"},
    {"binance-usdm", R"({"lastUpdateId")", RestKind::depth, "BTCUSDT"},
    {"binance-usdm", R"("openInterest")", RestKind::derivative, "BTCUSDT"},
    {"bitget", R"("requestTime")", RestKind::depth, "BTCUSDT"},
    {"bitstamp", R"({"timestamp")", RestKind::depth, "btcusd"},
    {"coinbase", R"("auction_mode")", RestKind::depth, "BTC-USD"},
    {"gateio", R"({"current")", RestKind::depth, "BTC_USDT"},
    {"htx", R"("status":"ok")", RestKind::depth, "btcusdt"},
    {"kraken", R"("error":[])", RestKind::depth, "XBT/USD"},
    {"kucoin", R"({"code":"200000")", RestKind::depth, "BTC-USDT"},
    {"okx", R"({"code":"0")", RestKind::depth, "BTC-USDT"},
});

enum class Why : unsigned char {
  other_market,  // not decoded
  retired,       // tells nothing, or is refused
};

// Frames of this file with this text in them; an empty one means all. There is none that a venue
// sent wrong.
struct Exception {
  std::string_view file;
  std::string_view text;
  Why why;
  std::string_view reason;
};
constexpr auto exceptions = std::to_array<Exception>({
    // Dated contracts are known by the venue's list alone, and that of 2021 has none of these.
    {"binance/messages/samples-2021-2022.jsonl.gz", "USDT_21", Why::other_market,
     "a dated contract"},
    {"binance/messages/samples-2021-2022.jsonl.gz", "USDT_22", Why::other_market,
     "a dated contract"},
    {"bitget/messages/samples-2021-2022.jsonl.gz", R"("instType":"sp")", Why::retired,
     "version 1, switched off in November 2025"},
    {"bitget/ws/v1-spot-ticker-trade-books-candle1m-2022-04-03.jsonl.gz", "", Why::retired,
     "version 1, switched off in November 2025"},
    // What their markets are stands in the URL that was not kept.
    {"bybit/messages/v5-public-samples-2023.jsonl.gz", R"(BTCUSD")", Why::other_market, "inverse"},
    {"bybit/messages/v5-public-samples-2023.jsonl.gz", R"(XRPUSD")", Why::other_market, "inverse"},
    {"bybit/messages/v5-public-samples-2023.jsonl.gz", "BTCUSDU23", Why::other_market, "dated"},
    {"bybit/messages/v5-public-samples-2023.jsonl.gz", "BTCPERP", Why::other_market, "in USDC"},
    {"bybit/messages/v5-tickers-samples-2024.jsonl.gz", R"(BTCUSD")", Why::other_market, "inverse"},
    {"bybit/messages/v5-tickers-samples-2024.jsonl.gz", "BTCPERP", Why::other_market, "in USDC"},
    {"bybit/messages/v5-tickers-samples-2024.jsonl.gz", "BTC-28JUN24", Why::other_market, "option"},
    {"bybit/rest/symbols-2021-04-17.jsonl.gz", "", Why::retired, "before version 5"},
    {"bybit/ws/legacy-inverse-trade-orderBookL2_25-2021-04-17.jsonl.gz", "", Why::retired,
     "before version 5, and inverse contracts"},
    {"gateio/messages/samples-2021-2022.jsonl.gz", R"("method": )", Why::retired,
     "before version 4"},
    {"okx/messages/samples-2021-2022.jsonl.gz", R"("table":)", Why::retired, "before version 5"},
});

// A message's labels; recordings have none.
struct Labels {
  std::string kind;
  std::string market;
};

std::string text_after(std::string_view line, std::string_view key) {
  const auto at = line.find(key);
  if (at == std::string_view::npos) return {};
  const auto rest = line.substr(at + key.size());
  return std::string(rest.substr(0, rest.find('"')));
}

std::vector<Labels> labels_in(const fs::path& file) {
  std::vector<Labels> labels;
  auto reader = LineReader::open(file.string());
  std::string line;
  while (reader) {
    const auto more = reader->next(line);
    if (!more || !*more) break;
    const auto head = std::string_view(line).substr(0, line.find("\"msg\":"));
    labels.push_back({text_after(head, "\"kind\":\""), text_after(head, "\"market\":\"")});
  }
  return labels;
}

struct Tally {
  std::size_t frames = 0;
  std::size_t of_other_markets = 0;
  std::size_t silent = 0;
  std::map<std::string, std::size_t> events;
  std::map<std::string, std::size_t> refused;
  unsigned long checksum = ::crc32(0, nullptr, 0);
  std::vector<std::string> samples;
  std::set<std::string> sampled;

  void add_line(const std::string& line) {
    checksum = ::crc32(checksum, reinterpret_cast<const Bytef*>(line.data()),
                       static_cast<uInt>(line.size()));
    checksum = ::crc32(checksum, reinterpret_cast<const Bytef*>("\n"), 1);
  }
  void add(const Event& event, std::string_view file, std::size_t frame) {
    const auto line = to_json(event);
    add_line(line);
    auto kind = text_after(line, "{\"type\":\"");
    ++events[kind];
    if (const auto* book = std::get_if<BookUpdate>(&event))
      kind += book->kind == BookKind::snapshot ? " snapshot" : " delta";
    if (line.size() > longest_sample || !sampled.insert(kind).second) return;
    samples.push_back(fmt::format(R"({{"file":"{}","frame":{},"event":{}}})", file, frame, line));
  }
};

std::string counts(const std::map<std::string, std::size_t>& entries) {
  std::string text;
  for (const auto& [name, count] : entries) {
    text += text.empty() ? "{" : ",";
    json::append_string(text, name);
    text += fmt::format(":{}", count);
  }
  return text.empty() ? "{}" : text + "}";
}

std::string row_of(const Tally& tally, std::string_view file, std::string_view venue) {
  return fmt::format(
      R"({{"file":"{}","venue":"{}","frames":{},"other_market":{},"silent":{},"events":{},"refused":{},"crc32":"{:08x}"}})",
      file, venue, tally.frames, tally.of_other_markets, tally.silent, counts(tally.events),
      counts(tally.refused), tally.checksum);
}

bool is_of(const Venue& venue, const Labels& labels) {
  if (venue.market == Market::swap) return labels.market.starts_with("linear_");
  return std::ranges::none_of(contract_labels, [&](std::string_view contract) {
    return labels.market.starts_with(contract);
  });
}

const Exception* exception_of(std::string_view file, std::string_view text) {
  for (const auto& exception : exceptions) {
    if (exception.file == file && text.contains(exception.text)) return &exception;
  }
  return nullptr;
}

class Decoding : public VenueDecoding {
 public:
  explicit Decoding(const Venue& venue) : VenueDecoding(venue, {}, {}), venue_(venue) {}

  // A message that was kept without its connection.
  Result<Events> single(const std::string& text) {
    for (const auto& mark : reply_marks) {
      if (mark.venue != key_of(venue_) || !has(text, mark.text)) continue;
      const auto request =
          venue_.request({.kind = mark.kind, .instrument = catalogue->find_or_infer(mark.symbol)});
      if (!request) return fail(request.error());
      return run({.text = text,
                  .url = std::string(venue_.rest_url) + request->target,
                  .received_time = {},
                  .is_reply = true});
    }
    if (venue_.name == "bitfinex") return of_bitfinex(text);
    return stream(text);
  }

 private:
  static bool has(std::string_view text, std::string_view mark) {
    return mark.starts_with('{') ? text.starts_with(mark) : text.contains(mark);
  }

  // Whoever kept them has put what was subscribed in the place of the channel's number.
  Result<Events> of_bitfinex(const std::string& text) {
    if (!text.starts_with("[{")) {
      return run({.text = text,
                  .url = "https://api-pub.bitfinex.com/v2/book/tBTCUST/P0?len=25",
                  .received_time = {},
                  .is_reply = true});
    }
    const auto end = text.find('}');
    const auto told =
        stream(fmt::format(R"({{"event":"subscribed","chanId":7,{}}})", text.substr(2, end - 2)));
    if (!told) return fail(told.error());
    return stream("[7" + text.substr(end + 1));
  }

  const Venue& venue_;
};

void judge(const Result<Events>& events, const Exception* exception, const std::string& text) {
  const auto start = text.substr(0, 200);
  if (exception != nullptr) {
    EXPECT_TRUE(!events || events->empty()) << exception->reason << "\n" << start;
  } else {
    EXPECT_TRUE(events) << events.error().message << "\n" << start;
  }
}

// The flag in the frame's own words, where there is one.
using Flag = std::pair<std::string_view, std::string_view>;
constexpr auto closing_flags = std::to_array<Flag>({{"binance", R"("x":true)"},
                                                    {"bybit", R"("confirm":true)"},
                                                    {"gateio", R"("w":true)"},
                                                    {"okx", R"("1"]])"}});

void expect_closed_is_told(const Venue& venue, const Event& event, const std::string& text) {
  const auto* candle = std::get_if<Candle>(&event);
  if (candle == nullptr) return;
  EXPECT_EQ(candle->closed_is_known, candle->source == Source::ws) << text.substr(0, 200);
  if (candle->source != Source::ws) return;
  const bool is_said = std::ranges::any_of(closing_flags, [&](const auto& flag) {
    return venue.name.starts_with(flag.first) && text.contains(flag.second);
  });
  EXPECT_EQ(candle->is_closed, is_said) << text.substr(0, 200);
}

Tally decoded(const Venue& venue, const std::string& file) {
  Tally tally;
  std::set<const Exception*> used;
  const auto path = test::shared_data() / file;
  const bool is_single = file.contains("/messages/");
  const auto labels = is_single ? labels_in(path) : std::vector<Labels>{};
  const auto frames = test::read_frames(path);
  EXPECT_EQ(labels.size(), is_single ? frames.size() : 0) << file;
  auto decoding = std::make_unique<Decoding>(venue);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto& frame = frames[i];
    const auto* exception = exception_of(file, frame.text);
    const bool is_other = exception != nullptr && exception->why == Why::other_market;
    ++tally.frames;
    used.insert(exception);
    if (is_other || (is_single && !is_of(venue, labels[i]))) {
      ++tally.of_other_markets;
      continue;
    }
    if (is_single) decoding = std::make_unique<Decoding>(venue);
    const auto events = is_single ? decoding->single(frame.text)
                                  : decoding->run({.text = frame.text,
                                                   .url = frame.url,
                                                   .received_time = frame.received_time,
                                                   .is_reply = frame.is_reply});
    judge(events, exception, frame.text);
    if (!events) {
      ++tally.refused[events.error().message];
      tally.add_line(events.error().message);
      continue;
    }
    tally.silent += events->empty() ? 1 : 0;
    for (const auto& event : *events) {
      expect_closed_is_told(venue, event, frame.text);
      tally.add(event, file, i);
    }
  }
  for (const auto& exception : exceptions) {
    EXPECT_TRUE(exception.file != file || used.contains(&exception))
        << "no frame of " << file << " has " << exception.text;
  }
  return tally;
}

std::vector<std::string> files_of(std::string_view folder) {
  std::vector<std::string> files;
  for (const auto* part : {"messages", "rest", "ws"}) {
    const auto path = test::shared_data() / folder / part;
    if (!fs::is_directory(path)) continue;
    for (const auto& entry : fs::directory_iterator(path)) {
      if (entry.is_regular_file())
        files.push_back(fmt::format("{}/{}/{}", folder, part, entry.path().filename().string()));
    }
  }
  std::ranges::sort(files);
  return files;
}

std::vector<std::string> lines_of(std::string_view file) {
  std::vector<std::string> lines;
  std::ifstream stream{std::string(file)};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> of_folder(const std::vector<std::string>& lines, std::string_view folder) {
  std::vector<std::string> found;
  const auto start = fmt::format(R"({{"file":"{}/)", folder);
  std::ranges::copy_if(lines, std::back_inserter(found),
                       [&](const auto& line) { return line.starts_with(start); });
  return found;
}

// Compares, or with CANDLEWICK_TEST_UPDATE=1 puts them in the file in place of the folder's old
// ones.
void expect_committed(std::string_view file, std::string_view folder,
                      const std::vector<std::string>& lines) {
  auto all = lines_of(file);
  if (std::getenv("CANDLEWICK_TEST_UPDATE") != nullptr) {
    const auto old = of_folder(all, folder);
    std::erase_if(all, [&](const auto& line) { return std::ranges::find(old, line) != old.end(); });
    all.insert(all.end(), lines.begin(), lines.end());
    std::ranges::stable_sort(all, {},
                             [](const auto& line) { return text_after(line, "\"file\":\""); });
    std::ofstream out{std::string(file)};
    for (const auto& line : all) out << line << "\n";
  }
  const auto committed = of_folder(all, folder);
  for (const auto& line : committed) {
    EXPECT_TRUE(std::ranges::find(lines, line) != lines.end())
        << file << " has what is not decoded, or the recording is not here:\n"
        << line;
  }
  for (const auto& line : lines) {
    EXPECT_TRUE(std::ranges::find(committed, line) != committed.end())
        << file << " has no such line; if it is right, run with CANDLEWICK_TEST_UPDATE=1:\n"
        << line;
  }
  EXPECT_EQ(committed.size(), lines.size());
}

class AllRecordings : public testing::TestWithParam<Folder> {};

TEST_P(AllRecordings, DecodeToTheCommittedEvents) {
  REQUIRE_SHARED_DATA();
  const auto& [folder, key] = GetParam();
  if (!fs::exists(fs::path(test::shared_data()) / folder)) {
    // What of it is real is among its fixtures.
    EXPECT_TRUE(of_folder(lines_of(table_file), folder).empty());
    GTEST_SKIP() << "there are no recordings of " << folder;
  }
  const auto files = files_of(folder);
  EXPECT_FALSE(files.empty());
  std::vector<std::string> rows;
  std::vector<std::string> samples;
  const auto take = [&](const std::string& file, std::string_view venue) {
    const auto tally = decoded(*find_venue(venue), file);
    rows.push_back(row_of(tally, file, venue));
    samples.insert(samples.end(), tally.samples.begin(), tally.samples.end());
  };
  for (const auto& file : files) {
    take(file, key);
    // Those of the futures are among the messages of the spot market.
    if (folder == "binance" && file.contains("/messages/")) take(file, "binance-usdm");
  }
  expect_committed(table_file, folder, rows);
  expect_committed(samples_file, folder, samples);
}

std::string name_of(const testing::TestParamInfo<Folder>& test) {
  std::string name = test.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Folders, AllRecordings, testing::ValuesIn(all_folders()), name_of);

TEST(Recordings, AreAllOfVenuesInTheTestAbove) {
  REQUIRE_SHARED_DATA();
  std::set<std::string> known;
  for (const auto& row : all_folders()) known.emplace(row.name);
  for (const auto& line : lines_of(table_file)) {
    const auto file = text_after(line, "\"file\":\"");
    EXPECT_TRUE(known.contains(file.substr(0, file.find('/')))) << line;
  }
  known.insert(std::begin(other_folders), std::end(other_folders));
  for (const auto& entry : fs::directory_iterator(test::shared_data())) {
    if (entry.is_directory()) {
      EXPECT_TRUE(known.contains(entry.path().filename().string())) << entry.path();
    }
  }
}

}  // namespace
}  // namespace candlewick::exchange
