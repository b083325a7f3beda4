// A whole range as one CSV answer, a page at a time: the next page is read when the client has
// taken the one before, so that a slow client slows only itself. What cannot be read any more cuts
// the connection, so that nobody takes a part for the whole.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "api/history.h"
#include "net/loop.h"

namespace candlewick::api {

inline constexpr std::string_view csv_type = "text/csv; charset=utf-8; header=present";
// "timestamp,open,…\n"
std::string csv_header(std::span<const std::string_view> columns);

class CsvDownload : public std::enable_shared_from_this<CsvDownload> {
 public:
  CsvDownload(const CsvDownload&) = delete;
  CsvDownload& operator=(const CsvDownload&) = delete;
  ~CsvDownload();

  // Begins the answer with that page, on a query thread. Errors: the page's rows are not rows; the
  // call is not answered then.
  static Result<void> start(const Site& site, Call& call, const Series& series, History history,
                            const RowPage& first);

 private:
  CsvDownload(const Site& site, const Series& series, History history)
      : site_(site), series_(series), history_(std::move(history)) {}

  // Null: it cannot be read.
  void take(const RowPage* page);
  // Passes on what is there and asks for more.
  void go_on();
  void ask();

  const Site& site_;
  const Series series_;
  std::mutex mutex_;
  History history_;    // its question begins behind what was read
  std::string lines_;  // the client had no room yet
  bool is_last_ = false;
  net::Timer again_;
  std::shared_ptr<net::Responder> responder_;  // null: done
};

}  // namespace candlewick::api
