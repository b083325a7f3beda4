// Which instrument somebody means: an index of the board by folded symbol, made anew whenever other
// instruments are followed. Any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "pipeline/latest.h"

namespace candlewick::api {

class Instruments {
 public:
  // `exchanges`: those configured; their order decides who answers when no exchange is named.
  Instruments(const pipeline::LatestBoard& board, const std::vector<std::string>& exchanges);

  // The slot of the board. `typed` is any spelling, unified ones first; no exchange: the first that
  // lists it.
  std::optional<std::size_t> find(std::string_view typed, std::string_view exchange = {}) const;
  // Configured, or on the board.
  bool has_exchange(std::string_view exchange) const;
  std::vector<std::string> exchanges() const;
  // What looks like it, nearest first.
  std::vector<std::string> near(std::string_view typed, std::size_t limit = 5) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Entry = pipeline::LatestBoard::Entry;
  using Index = std::unordered_map<std::string, std::vector<Entry>, Hash, std::equal_to<>>;
  struct View {
    std::uint64_t version = 0;
    std::vector<std::string> exchanges;
    Index by_symbol;
    Index by_exchange_symbol;
    std::vector<std::string> symbols;  // each once
  };

  static std::optional<std::size_t> find_in(const Index& index, std::string_view folded,
                                            std::string_view exchange);
  std::shared_ptr<const View> view() const;
  View make_view() const;

  const pipeline::LatestBoard& board_;
  std::vector<std::string> configured_;
  mutable Guarded<std::shared_ptr<const View>> view_;
};

}  // namespace candlewick::api
