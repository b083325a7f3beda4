// A series' older rows are skipped by going on behind a made-up row of it, so that the index is
// used and years of history cost nothing.
#include "app/past_rows.h"

#include <array>
#include <map>
#include <string>
#include <utility>

#include "app/whole_table.h"
#include "log/log.h"

namespace candlewick::app {
namespace {

using schema::Row;
using schema::Table;

constexpr std::array<const Table*, 3> tables{&schema::fact_ohlcv, &schema::market_ticks,
                                             &schema::technical_indicators};

class WarehousePast final : public sink::PastRows {
 public:
  WarehousePast(OpenDatabase open, Time since) : open_(std::move(open)), since_(since) {}

  Result<std::vector<Row>> next(std::size_t max_rows) override {
    if (database_ == nullptr) {
      auto opened = open_();
      if (!opened) return fail(std::move(opened.error()));
      database_ = std::move(*opened);
    }
    std::vector<Row> rows;
    if (!std::exchange(has_instruments_, true)) {
      if (auto read = append_instruments(rows); !read) return fail(std::move(read.error()));
    }
    while (rows.size() < max_rows && table_ < tables.size()) {
      if (stream_ == nullptr) stream_ = whole_table(*database_, *tables.at(table_));
      const auto row = stream_->next();
      if (!row) return fail(row.error());
      if (*row == nullptr) {
        stream_.reset();
        ++table_;
      } else if (log::happened_at(**row).value_or(since_) >= since_) {
        rows.push_back(**row);
      } else {
        skip(**row);
      }
    }
    return rows;
  }

 private:
  // The listings of now, as rows of the log. There are few of them.
  Result<void> append_instruments(std::vector<Row>& rows) {
    std::map<std::string, std::pair<schema::Value, schema::Value>> assets;  // base and quote
    const auto pairs = whole_table(*database_, dim_cryptocurrency);
    while (true) {
      const auto row = pairs->next();
      if (!row) return fail(row.error());
      if (*row == nullptr) break;
      assets.emplace(std::get<std::string>((*row)->at("symbol")),
                     std::pair((*row)->at("base"), (*row)->at("quote")));
    }
    const auto listings = whole_table(*database_, dim_listing);
    while (true) {
      const auto row = listings->next();
      if (!row) return fail(row.error());
      if (*row == nullptr) return {};
      const auto found = assets.find(std::get<std::string>((*row)->at("symbol")));
      if (found == assets.end()) continue;
      Row instrument{.table = &schema::instruments, .values = {}};
      for (const auto& column : schema::instruments.columns) {
        instrument.values.push_back(column.name == "base"    ? found->second.first
                                    : column.name == "quote" ? found->second.second
                                                             : (*row)->at(column.name));
      }
      rows.push_back(std::move(instrument));
    }
  }

  // To the last instant of the same series that is too early.
  void skip(Row row) {
    const Table& table = *row.table;
    for (const auto column : {std::string_view("timestamp"), std::string_view("exchange_ts")}) {
      const auto index = table.index_of(column);
      if (index != Table::npos) row.values[index] = since_ - std::chrono::microseconds{1};
    }
    stream_ = whole_table(*database_, table, &row);
  }

  const OpenDatabase open_;
  const Time since_;
  std::unique_ptr<warehouse::Database> database_;
  bool has_instruments_ = false;
  std::size_t table_ = 0;
  std::unique_ptr<RowStream> stream_;
};

}  // namespace

std::unique_ptr<sink::PastRows> past_rows(OpenDatabase open, Time since) {
  return std::make_unique<WarehousePast>(std::move(open), since);
}

}  // namespace candlewick::app
