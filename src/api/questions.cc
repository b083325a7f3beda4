// A database is opened by the first question that needs it, and dropped after any error: the file
// may have been replaced, the server restarted.
#include "api/questions.h"

#include <pthread.h>

#include <utility>

namespace candlewick::api {
namespace {

inline constexpr ObservationKind query_failed{.name = "query_failed",
                                              .level = Severity::warning,
                                              .metric = "candlewick_api_query_errors_total",
                                              .help = "Questions the warehouse could not answer",
                                              .labels = {"error_kind"}};
inline constexpr ObservationKind query_refused{
    .name = "query_refused",
    .level = Severity::warning,
    .metric = "candlewick_api_refused_queries_total",
    .help = "Questions refused because too many were waiting"};

}  // namespace

Questions::Questions(const Backend& backend, std::size_t threads, std::size_t max_waiting)
    : backend_(backend), queue_({.items = max_waiting, .weight = max_waiting}) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this, name = fmt::format("query-{}", i + 1)] {
      pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
      run();
    });
  }
}

void Questions::stop() {
  queue_.close();
  for (auto& item : queue_.pop_all()) {
    if (!item->call) continue;
    item->call->fail({.kind = &problems::too_busy,
                      .detail = "the service is stopping",
                      .retry_after_seconds = 5});
  }
  threads_.clear();
}

void Questions::ask(Call call, Question question) {
  if (!backend_.open_database) {
    return call.fail({.kind = &problems::warehouse_unavailable,
                      .detail = "this process has no warehouse",
                      .retry_after_seconds = 60});
  }
  auto item = std::make_unique<Item>(std::move(call), std::move(question), Read());
  if (queue_.try_push(std::move(item)) == Push::accepted) return;
  backend_.observer.observe(query_refused);
  item->call->fail({.kind = &problems::too_busy,
                    .detail = "too many questions to the warehouse are waiting",
                    .retry_after_seconds = 1});
}

bool Questions::read(Read read) {
  if (!backend_.open_database) return false;
  auto item = std::make_unique<Item>(std::nullopt, Question(), std::move(read));
  if (queue_.try_push(std::move(item)) == Push::accepted) return true;
  backend_.observer.observe(query_refused);
  return false;
}

Result<void> Questions::answer(Item& item, std::unique_ptr<warehouse::Database>& database) {
  if (database == nullptr) {
    auto opened = backend_.open_database();
    if (!opened) {
      if (!item.call) static_cast<void>(item.read(nullptr));
      return candlewick::fail(std::move(opened.error()));
    }
    database = std::move(*opened);
    kept_pages_.forget(*database);
  }
  return item.call ? item.question(*database, *item.call) : item.read(database.get());
}

void Questions::run() {
  std::unique_ptr<warehouse::Database> database;
  while (queue_.wait()) {
    for (auto& item : queue_.pop_all({.items = 1, .weight = 1})) {
      if (item->call && item->call->is_abandoned()) continue;
      const auto done = answer(*item, database);
      if (done) continue;
      database.reset();
      backend_.observer.observe(query_failed, {{"error_kind", to_text(done.error().kind)},
                                               {"error", done.error().message}});
      if (!item->call) continue;
      // What went wrong is for the log: it may name files and servers.
      item->call->fail({.kind = &problems::warehouse_unavailable,
                        .detail = "the warehouse cannot answer at the moment",
                        .retry_after_seconds = 2});
    }
  }
}

}  // namespace candlewick::api
