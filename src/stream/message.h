// One numbered event of a stream as it goes to clients: written once, shared by all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace candlewick::stream {

using Text = std::shared_ptr<const std::string>;

enum class MessageKind : unsigned char { snapshot, update, dropped, stale };

struct Message {
  MessageKind kind = MessageKind::update;
  // The same number but for `dropped`, which stands for all events from the first to the last.
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  Text text{};
  std::size_t data_begin = 0;  // of updates: where in the text the data stand, up to its last byte
  // A newer one of its stream makes it needless.
  bool is_paced = false;
  // Of updates of candles.
  struct CandleFacts {
    Time open_time;
    std::int64_t revision = 0;
    bool is_closed = false;
  };
  std::optional<CandleFacts> candle{};

  std::string_view data() const {
    return std::string_view(*text).substr(data_begin, text->size() - data_begin - 1);
  }
};

// `head`: {"stream":"…","type":" of the stream.
std::string head_of(std::string_view stream);
Message snapshot_message(std::string_view head, std::uint64_t number, std::string_view data);
Message update_message(std::string_view head, std::uint64_t number, std::string_view data);
Message dropped_message(std::string_view head, std::uint64_t first, std::uint64_t last);
Message stale_message(std::string_view head, std::uint64_t number, std::optional<Time> since,
                      std::string_view reason);

}  // namespace candlewick::stream
