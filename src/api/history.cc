// Rows are made once, as JSON; CSV is made of that text, so that both forms always say the same.
#include "api/history.h"

#include <array>

#include "api/csv_download.h"
#include "base/csv_text.h"
#include "base/json.h"
#include "net/gzip.h"

namespace candlewick::api {
namespace {

// Of one page of a download: little enough to be compressed between two clients' turns.
constexpr std::size_t download_rows = 2000;
constexpr std::array<std::string_view, 2> formats{"json", "csv"};
enum class Format : unsigned char { json, csv };

CachePolicy policy_of(const RowPage& page) {
  return page.is_settled ? CachePolicy::closed : CachePolicy::forming;
}

std::string json_page(const Call& call, const History& history, const Series& series,
                      const RowPage& page) {
  std::string out;
  out.reserve(512 + page.rows.size());
  json::Members members(out);
  members("exchange", series.exchange)("symbol", series.symbol)("exchange_symbol",
                                                                series.exchange_symbol);
  if (history.timeframe) members("timeframe", to_text(*history.timeframe));
  (members.name("data") += '[') += page.rows;
  out += ']';
  append_next(members, call, history.route, page.next);
  members.close();
  out += '\n';
  return out;
}

KeptPages::Page page_to_keep(std::string body, CachePolicy policy, std::string memory) {
  std::string etag = etag_of(body);
  return {.content = {.plain = std::make_shared<const std::string>(std::move(body)),
                      .gzip = nullptr,
                      .etag = std::move(etag)},
          .policy = policy,
          .memory = std::move(memory)};
}

// With its compressed form, which one that is read for others may lack.
KeptPages::Page compressed(KeptPages::Page page) {
  std::string bytes = net::gzip(*page.content.plain);
  if (!bytes.empty() && bytes.size() < page.content.plain->size())
    page.content.gzip = std::make_shared<const std::string>(std::move(bytes));
  return page;
}

Result<void> answer_json(const Site& site, warehouse::Database& database, Call& call,
                         const Series& series, History& history) {
  KeptPages& pages = site.questions.kept_pages();
  // Both before anything is read: what changes meanwhile makes the page one that is not found.
  const auto state = history.memory ? pages.state_of(database) : std::nullopt;
  std::string memory = state ? history.memory(series) : std::string();
  std::shared_ptr<const KeptPages::Page> page;
  if (state) page = pages.find(call.request().target, *state, memory);
  bool is_new = page == nullptr;
  if (is_new) {
    const auto read = history.read(database, series, history.limit);
    if (!read) return candlewick::fail(read.error());
    if (read->problem) {
      call.fail(*read->problem);
      return {};
    }
    page = std::make_shared<const KeptPages::Page>(
        page_to_keep(json_page(call, history, series, *read), policy_of(*read), std::move(memory)));
  }
  if (call.takes_gzip() && !page->content.gzip &&
      page->content.plain->size() >= least_compressed_bytes) {
    page = std::make_shared<const KeptPages::Page>(compressed(*page));
    is_new = true;
  }
  if (is_new && state) pages.keep(call.request().target, *state, page);
  call.send_shared(page->content, "application/json", page->policy);
  return {};
}

Result<void> answer_csv(Call& call, const History& history, const RowPage& page) {
  auto lines = csv_lines(page.rows);
  if (!lines) return candlewick::fail(std::move(lines.error()));
  if (page.next) {
    // Where the next page is, for a body that has no room for it (RFC 8288).
    call.add_header("Link", fmt::format("<{}>; rel=\"next\"",
                                        next_url(call, history.route,
                                                 next_cursor(call, history.route, *page.next))));
  }
  call.send_cacheable(csv_header(history.columns) + *lines, csv_type, policy_of(page));
  return {};
}

}  // namespace

Result<std::string> csv_lines(std::string_view rows) {
  if (rows.empty()) return std::string();
  std::string document;
  document.reserve(rows.size() + 2);
  ((document += '[') += rows) += ']';
  std::string out;
  out.reserve(rows.size() / 2);
  json::Reader reader;
  const auto read = reader.read(document, [&](json::Value root) {
    root.elements([&](json::Value row) {
      bool is_first = true;
      row.members([&](std::string_view, json::Value cell) {
        if (!is_first) out += ',';
        is_first = false;
        switch (cell.type()) {
          case json::Type::null:
            break;
          case json::Type::string:
            csv::append_cell(out, cell.string());
            break;
          case json::Type::object:
          case json::Type::array:
            csv::append_cell(out, cell.text());
            break;
          default:
            out += cell.raw();
        }
      });
      out += '\n';
    });
  });
  if (!read) return candlewick::fail(read.error());
  return out;
}

std::string csv_header(std::span<const std::string_view> columns) {
  std::string out;
  for (const auto column : columns) {
    if (!out.empty()) out += ',';
    csv::append_cell(out, column);
  }
  out += '\n';
  return out;
}

void answer_history(const Site& site, Call call, History history) {
  const auto format = static_cast<Format>(call.arguments.choice("format", formats));
  const bool is_download = format == Format::csv && !call.arguments.has("limit");
  if (is_download) history.limit = std::min(site.max_rows, download_rows);
  if (const auto& problem = call.arguments.problem()) return call.fail(*problem);
  std::string typed = history.typed;
  std::string exchange = history.exchange;
  ask_about_series(site, std::move(call), std::move(typed), std::move(exchange),
                   [&site, history = std::move(history), format, is_download](
                       warehouse::Database& database, Call& asked,
                       const Series& series) mutable -> Result<void> {
                     // Later pages come from the same venue.
                     asked.arguments.set("exchange", series.exchange);
                     if (format == Format::json)
                       return answer_json(site, database, asked, series, history);
                     auto page = history.read(database, series, history.limit);
                     if (!page) return candlewick::fail(std::move(page.error()));
                     if (page->problem) {
                       asked.fail(*page->problem);
                       return {};
                     }
                     if (!is_download || !page->next) return answer_csv(asked, history, *page);
                     return CsvDownload::start(site, asked, series, std::move(history), *page);
                   });
}

}  // namespace candlewick::api
