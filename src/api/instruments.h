// Which instrument somebody means: an index of the board by folded symbol, made once at the start.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

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
  const std::vector<std::string>& exchanges() const { return exchanges_; }
  // What looks like it, nearest first.
  std::vector<std::string> near(std::string_view typed, std::size_t limit = 5) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Index = std::unordered_map<std::string, std::vector<std::size_t>, Hash, std::equal_to<>>;

  std::optional<std::size_t> find_in(const Index& index, std::string_view folded,
                                     std::string_view exchange) const;

  const std::vector<const Instrument*>& board_;
  std::vector<std::string> exchanges_;
  Index by_symbol_;
  Index by_exchange_symbol_;
  std::vector<std::string> symbols_;  // each once
};

}  // namespace candlewick::api
