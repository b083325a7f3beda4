// The log's rows as cells for Snowflake's tables: texts that are bound, or lines of JSON that are
// streamed.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "sink/snowflake_tables.h"
#include "warehouse/catalogue.h"

namespace candlewick::sink::snowflake {

// Ids are computed from names instead of being handed out: the same in every database, and nothing
// needs to be asked before writing. 52 bits of SHA-256, so that JavaScript reads them exactly.
std::int64_t id_of(std::string_view name);

// One row of a target, cells in the order of its columns; null is nullopt.
struct TargetRow {
  std::size_t target = 0;  // index into the targets
  log::Sequence sequence = 0;
  std::vector<std::optional<std::string>> cells;
  std::optional<Time> time;  // of the target's time column
};

class RowMapper {
 public:
  RowMapper(std::vector<Target> targets, const warehouse::Catalogue& catalogue,
            bool exchange_symbol_style);

  const std::vector<Target>& targets() const { return targets_; }
  // Appends what the entry means: none, one or (dimensions) several rows. Error: malformed.
  Result<void> append(const log::Entry& entry, std::vector<TargetRow>& rows);
  // After a failed write: dimensions that were named once are named again.
  void forget() { named_.clear(); }

 private:
  std::optional<std::size_t> find(std::string_view name) const;
  Result<void> append_plain(std::size_t target, const log::Entry& entry,
                            std::vector<TargetRow>& rows) const;
  void append_exchange(std::string_view name, Time recorded_at, log::Sequence sequence,
                       std::vector<TargetRow>& rows);
  void append_cryptocurrency(std::string_view symbol, warehouse::PairParts parts, Time recorded_at,
                             log::Sequence sequence, std::vector<TargetRow>& rows);
  void append_instrument(const log::Entry& entry, std::vector<TargetRow>& rows);

  std::vector<Target> targets_;
  const warehouse::Catalogue& catalogue_;
  const bool exchange_symbol_style_;
  std::optional<std::size_t> exchange_, cryptocurrency_, listing_, asset_, candle_;
  std::set<std::string, std::less<>> named_;  // dimensions that candles have named
};

// {"SYMBOL":"BTC/USDT",…} and a line end. Decimals and times as strings, which lose no digit;
// ladders as JSON of their own.
void append_json_line(std::string& out, const Target& target, const TargetRow& row);

}  // namespace candlewick::sink::snowflake
