// Pages come on query threads, room on the loop's; whoever comes second goes on.
#include "api/csv_download.h"

#include "api/streams.h"

namespace candlewick::api {
namespace {

constexpr Duration ask_again_after = std::chrono::seconds{1};

// Each may hold a full queue of bytes for a client that is slow.
constexpr int most_downloads = 16;

}  // namespace

CsvDownload::~CsvDownload() {
  site_.downloads->fetch_sub(1);
}

Result<void> CsvDownload::start(const Site& site, Call& call, const Series& series, History history,
                                const RowPage& first) {
  auto lines = csv_lines(first.rows);
  if (!lines) return candlewick::fail(std::move(lines.error()));
  if (site.downloads->fetch_add(1) >= most_downloads) {
    site.downloads->fetch_sub(1);
    call.fail({.kind = &problems::too_busy,
               .detail = "too many whole ranges are being read; a limit gives one page",
               .retry_after_seconds = 5});
    return {};
  }
  const std::shared_ptr<CsvDownload> self(new CsvDownload(site, series, std::move(history)));
  self->lines_ = csv_header(self->history_.columns) + *lines;
  const bool is_wanted = call.request().method != "HEAD";
  self->responder_ = call.begin_compressed(
      200, {{"Content-Type", std::string(csv_type)}, {"Cache-Control", "no-store"}});
  if (!is_wanted) {
    self->responder_->end();
    return {};
  }
  // The connection drops this with the client.
  self->responder_->on_drain([self] { self->go_on(); });
  self->go_on();
  return {};
}

void CsvDownload::ask() {
  const bool is_asked = site_.questions.read(
      [self = shared_from_this()](warehouse::Database* database) -> Result<void> {
        if (database == nullptr) {
          self->take(nullptr);
          return {};
        }
        auto page = self->history_.read(*database, self->series_, self->history_.limit);
        self->take(page ? &*page : nullptr);
        if (!page) return candlewick::fail(std::move(page.error()));
        return {};
      });
  if (is_asked) return;
  // Too many questions are waiting. The connection holds this meanwhile.
  again_ = site_.streams->loop().after(ask_again_after, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->ask();
  });
}

void CsvDownload::take(const RowPage* page) {
  {
    auto lines = page == nullptr ? Result<std::string>(candlewick::fail(ErrorKind::transient, ""))
                                 : csv_lines(page->rows);
    const std::scoped_lock lock(mutex_);
    if (!lines) {
      responder_.reset();  // unfinished: the client's connection is cut
      return;
    }
    lines_ = std::move(*lines);
    is_last_ = !page->next;
  }
  go_on();
}

void CsvDownload::go_on() {
  {
    const std::scoped_lock lock(mutex_);
    // All is told, or a page is being read meanwhile.
    if (responder_ == nullptr || (lines_.empty() && !is_last_)) return;
    switch (responder_->write(std::move(lines_))) {
      case net::Responder::Room::full:
        return;
      case net::Responder::Room::closed:
        responder_.reset();
        return;
      case net::Responder::Room::more:
        lines_.clear();
    }
    if (is_last_) {
      responder_->end();
      responder_.reset();
      return;
    }
  }
  ask();
}

}  // namespace candlewick::api
