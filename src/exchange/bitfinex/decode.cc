// Messages of the stream: objects are about the connection and its channels, arrays are data. An
// array names its channel by the number that the acknowledgement gave it, and ends with its number
// among the connection's and the time that it was sent, as far as `conf` asked for them.
//
// Sources: docs.bitfinex.com (docs/ws-general; reference/ws-config, ws-public-*), read 2026-11-21.
#include "exchange/bitfinex/bitfinex.h"

#include <algorithm>
#include <limits>
#include <ranges>
#include <unordered_map>

#include <fmt/format.h>

#include "exchange/bitfinex/replies.h"
#include "exchange/bitfinex/rows.h"
#include "exchange/reading.h"

namespace candlewick::exchange::bitfinex {
namespace {

using namespace std::chrono_literals;

// Codes of the venue.
constexpr std::int64_t already_subscribed = 10301;
constexpr std::int64_t please_reconnect = 20051;
constexpr std::int64_t maintenance_ended = 20061;

// {"event":"subscribed","channel":"candles","chanId":343351,"key":"trade:1m:tBTCUSD"}
// {"event":"error","msg":"subscribe: dup","code":10301,"channel":"trades","symbol":"tBTCUSD"}
struct Notice {
  std::string event;
  std::string message;
  std::string channel;
  std::string symbol;
  std::string key;
  std::string precision;
  std::string status;
  std::int64_t code = 0;
  std::optional<std::uint64_t> number;
  std::optional<Time> time;
};

// [232954,[60400,1,0.68826974],18,1618677545144] and [232954,"te",[…],19,…]
struct Message {
  std::uint64_t channel = 0;
  std::string_view kind;  // of the text that was read
  Rows rows;
  bool has_rows = false;
  bool takes_rows = true;  // or has them passed over
  std::optional<std::int64_t> checksum;
  std::optional<std::uint64_t> number;
  std::optional<Time> sent;
};

class BitfinexDecoder final : public Decoder {
 public:
  explicit BitfinexDecoder(Catalogue& catalogue) : catalogue_(catalogue), replies_(catalogue) {}

  Result<void> decode(const Frame& frame, Events& out) override {
    const std::size_t before = out.size();
    auto decoded = frame.is_reply ? replies_.decode(frame, out) : decode_stream(frame, out);
    if (!decoded) out.resize(before);
    return decoded;
  }
  std::string take_answer() override { return std::exchange(answer_, {}); }
  std::uint64_t inexact_decimals() const override {
    return reader_.inexact_decimals() + replies_.inexact_decimals();
  }

 private:
  Result<void> decode_stream(const Frame& frame, Events& out);
  static void read_notice(json::Value root, Notice& notice);
  static void read_message(json::Value root, Message& message);
  Result<void> refuse(const Frame& frame, Error error, Events& out);
  Result<void> interpret(const Notice& notice, const Frame& frame, Events& out);
  Result<void> interpret(const Message& message, const Frame& frame, Events& out,
                         std::optional<Error> refused = std::nullopt);
  void note_holes(std::uint64_t channel, Events& found);
  Result<void> data(const Channel& channel, const Message& message, const Frame& frame,
                    Events& out) const;
  std::optional<Channel> channel_of(const Notice& notice);
  bool is_news(const Message& message, const Frame& frame, Events& out);
  void tell_time(Time time, const Frame& frame, Events& out);

  Catalogue& catalogue_;
  Replies replies_;
  json::Reader reader_;
  Message message_;  // kept for its rows' room
  std::unordered_map<std::uint64_t, Channel> channels_;
  // Books of which a frame was refused, with its number.
  std::unordered_map<std::uint64_t, std::uint64_t> incomplete_;
  std::vector<std::uint64_t> renewed_;  // to be subscribed to again once they have ended
  std::optional<std::uint64_t> last_number_;
  std::optional<Time> told_;
  std::string answer_;
};

Result<void> BitfinexDecoder::decode_stream(const Frame& frame, Events& out) {
  Notice notice;
  message_.kind = {};
  message_.has_rows = false;
  message_.checksum.reset();
  message_.number.reset();
  message_.sent.reset();
  bool is_notice = false;
  auto read = reader_.read(frame.text, [&](json::Value root) {
    is_notice = root.type() == json::Type::object;
    if (is_notice) {
      read_notice(root, notice);
    } else {
      read_message(root, message_);
    }
  });
  if (!read) return refuse(frame, read.error(), out);
  return is_notice ? interpret(notice, frame, out) : interpret(message_, frame, out);
}

// A whole message with something absurd in its rows has come all the same: its number counts.
Result<void> BitfinexDecoder::refuse(const Frame& frame, Error error, Events& out) {
  Message message;
  message.takes_rows = false;
  const auto read = reader_.read(frame.text, [&](json::Value root) {
    if (root.type() == json::Type::array) read_message(root, message);
  });
  if (!read || !message.has_rows) return fail(std::move(error));
  return interpret(message, frame, out, std::move(error));
}

void BitfinexDecoder::read_notice(json::Value root, Notice& notice) {
  root.members([&](std::string_view key, json::Value value) {
    const auto text = [&](std::string& into) {
      if (value.type() == json::Type::string) into = value.string();
    };
    if (key == "event") {
      text(notice.event);
    } else if (key == "msg") {
      text(notice.message);
    } else if (key == "channel") {
      text(notice.channel);
    } else if (key == "symbol") {
      text(notice.symbol);
    } else if (key == "key") {
      text(notice.key);
    } else if (key == "prec") {
      text(notice.precision);
    } else if (key == "status") {
      text(notice.status);
    } else if (key == "code") {
      notice.code = value.integer();
    } else if (key == "chanId") {
      notice.number = value.unsigned_integer();
    } else if (key == "ts") {
      notice.time = epoch(value);
    }
  });
}

void BitfinexDecoder::read_message(json::Value root, Message& message) {
  std::size_t place = 0;
  root.elements([&](json::Value part) {
    const auto at = place++;
    if (at == 0) {
      message.channel = part.unsigned_integer();
    } else if (part.type() == json::Type::array) {
      if (message.takes_rows) read_rows(part, message.rows);
      message.has_rows = true;
    } else if (part.type() == json::Type::string) {
      message.kind = part.raw();
    } else if (message.kind == "cs" && at == 2) {
      message.checksum = part.integer();
    } else if (part.type() == json::Type::number) {
      // Nothing says which comes first; no connection has as many frames as a time has
      // milliseconds.
      constexpr std::uint64_t least_time = 1'000'000'000'000;
      const auto value = part.unsigned_integer();
      if (value < least_time) {
        message.number = value;
      } else {
        message.sent = time_of_epoch(static_cast<std::int64_t>(
            std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max())));
      }
    }
  });
  if (place < 2) root.reject("a message names its channel and what it has");
}

Result<void> BitfinexDecoder::interpret(const Notice& notice, const Frame& frame, Events& out) {
  if (notice.event == "subscribed" && notice.number) {
    incomplete_.erase(*notice.number);
    if (const auto channel = channel_of(notice))
      channels_.insert_or_assign(*notice.number, *channel);
  } else if (notice.event == "unsubscribed" && notice.number) {
    const auto known = channels_.find(*notice.number);
    if (std::erase(renewed_, *notice.number) > 0 && known != channels_.end())
      answer_ = subscription(known->second);
    if (known != channels_.end()) channels_.erase(known);
  } else if (notice.event == "pong" && notice.time) {
    tell_time(*notice.time, frame, out);
  } else if (notice.event == "conf") {
    if (notice.status != "OK")
      return fail(ErrorKind::rejected, "conf: {}", notice.status.substr(0, 100));
    // It may begin to count anew.
    last_number_.reset();
  } else if (notice.event == "info") {
    // After maintenance all channels want a new subscription.
    if (notice.code == please_reconnect || notice.code == maintenance_ended)
      out.emplace_back(ShutdownNotice{catalogue_.exchange(), std::nullopt});
  } else if (notice.event == "error") {
    const auto channel = channel_of(notice);
    const auto known =
        std::ranges::find_if(channels_, [&](const auto& entry) { return entry.second == channel; });
    if (notice.code == already_subscribed && channel && known != channels_.end()) {
      renewed_.push_back(known->first);
      answer_ = fmt::format(R"({{"event":"unsubscribe","chanId":{}}})", known->first);
      return {};
    }
    const auto& about = notice.key.empty() ? notice.symbol : notice.key;
    return fail(ErrorKind::rejected, "{} {}: {} ({})", notice.channel.substr(0, 40),
                about.substr(0, 60), notice.message.substr(0, 200), notice.code);
  }
  return {};
}

// Nullopt for what is not read here: funding, derivatives, books of single orders or of rounded
// prices.
std::optional<Channel> BitfinexDecoder::channel_of(const Notice& notice) {
  Channel channel;
  std::string_view symbol = notice.symbol;
  if (notice.channel == "candles") {
    // "trade:1m:tBTCUSD"
    std::string_view key = notice.key;
    constexpr std::string_view kind = "trade:";
    if (!key.starts_with(kind)) return std::nullopt;
    key.remove_prefix(kind.size());
    const auto colon = std::min(key.find(':'), key.size());
    const auto timeframe = timeframe_of(key.substr(0, colon));
    if (!timeframe) return std::nullopt;
    channel.kind = ChannelKind::candles;
    channel.timeframe = *timeframe;
    symbol = key.substr(std::min(colon + 1, key.size()));
  } else if (notice.channel == "trades") {
    channel.kind = ChannelKind::trades;
  } else if (notice.channel == "ticker") {
    channel.kind = ChannelKind::ticker;
  } else if (notice.channel == "book" && notice.precision == "P0") {
    channel.kind = ChannelKind::book;
  } else {
    return std::nullopt;
  }
  channel.instrument = catalogue_.find_or_infer(symbol);
  return channel.instrument == nullptr ? std::nullopt : std::optional{channel};
}

// `refused`: what was wrong with its rows already.
Result<void> BitfinexDecoder::interpret(const Message& message, const Frame& frame, Events& out,
                                        std::optional<Error> refused) {
  const std::size_t before = out.size();
  if (!is_news(message, frame, out)) return {};
  const bool ends_connection = out.size() > before;
  Events found;
  const auto channel = channels_.find(message.channel);
  if (channel != channels_.end() && !refused) {
    if (auto read = data(channel->second, message, frame, found); !read) refused = read.error();
  }
  if (refused) {
    if (channel != channels_.end() && channel->second.kind == ChannelKind::book)
      incomplete_.insert_or_assign(message.channel, message.number.value_or(1));
    // The hole must be told; what came with it goes with the connection.
    if (ends_connection) return {};
    return fail(*std::move(refused));
  }
  note_holes(message.channel, found);
  if (message.sent) tell_time(*message.sent, frame, out);
  out.insert(out.end(), std::make_move_iterator(found.begin()),
             std::make_move_iterator(found.end()));
  return {};
}

// A book goes on from a frame that it never had, so that it wants a new snapshot.
void BitfinexDecoder::note_holes(std::uint64_t channel, Events& found) {
  const auto missed = incomplete_.find(channel);
  if (missed == incomplete_.end()) return;
  for (auto& event : found) {
    auto* book = std::get_if<BookUpdate>(&event);
    if (book == nullptr) continue;
    if (book->kind == BookKind::snapshot) return static_cast<void>(incomplete_.erase(missed));
    book->previous_sequence = missed->second;
  }
}

Result<void> BitfinexDecoder::data(const Channel& channel, const Message& message,
                                   const Frame& frame, Events& out) const {
  const Origin origin{channel.instrument, message.sent, frame.received_time};
  if (channel.kind == ChannelKind::book) {
    BookUpdate book;
    book.origin = origin;
    book.sequence = message.number;
    if (message.checksum) {
      // Of the book as it is: it changes nothing.
      book.checksum = static_cast<std::uint32_t>(*message.checksum);
      out.emplace_back(std::move(book));
      return {};
    }
    if (!message.has_rows || !message.kind.empty()) return {};
    for (const auto& row : message.rows.rows) {
      if (auto read = add_level(row, book); !read) return read;
    }
    if (message.rows.is_list) {
      book.kind = BookKind::snapshot;
      sort_sides(book);
    }
    out.emplace_back(std::move(book));
    return {};
  }
  if (!message.has_rows) return {};
  const auto& rows = message.rows.rows;
  if (channel.kind == ChannelKind::ticker) {
    if (rows.size() != 1) return fail(ErrorKind::malformed, "a ticker is one row");
    auto ticker = ticker_of(rows.front(), origin);
    if (!ticker) return fail(ticker.error());
    out.emplace_back(std::move(*ticker));
  } else if (channel.kind == ChannelKind::trades) {
    // "tu" repeats what "te" has told. A snapshot has the newest trade first.
    if (!message.kind.empty() && message.kind != "te") return {};
    for (const auto& row : std::views::reverse(rows)) {
      auto trade = trade_of(row, origin);
      if (!trade) return fail(trade.error());
      out.emplace_back(std::move(*trade));
    }
  } else {
    // A snapshot repeats candles that are over; REST tells which of them are final, so only its
    // newest one counts, wherever it stands.
    std::optional<Candle> newest;
    for (const auto& row : rows) {
      auto candle = candle_of(row, origin, channel.timeframe);
      if (!candle) return fail(candle.error());
      if (!newest || newest->open_time < candle->open_time) newest = std::move(*candle);
    }
    if (newest) out.emplace_back(std::move(*newest));
  }
  return {};
}

// False for one that came before, or too late.
bool BitfinexDecoder::is_news(const Message& message, const Frame& frame, Events& out) {
  if (!message.number) return true;
  if (last_number_ && *message.number <= *last_number_) return false;
  if (last_number_ && *message.number != *last_number_ + 1) {
    out.emplace_back(ConnectionGap{.exchange = catalogue_.exchange(),
                                   .expected = std::to_string(*last_number_ + 1),
                                   .got = std::to_string(*message.number),
                                   .received_time = frame.received_time});
  }
  last_number_ = message.number;
  return true;
}

// Once a second is enough.
void BitfinexDecoder::tell_time(Time time, const Frame& frame, Events& out) {
  if (told_ && time < *told_ + 1s && time >= *told_) return;
  told_ = time;
  out.emplace_back(ClockReading{catalogue_.exchange(), time, frame.received_time});
}

}  // namespace

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue) {
  return std::make_unique<BitfinexDecoder>(catalogue);
}

}  // namespace candlewick::exchange::bitfinex
