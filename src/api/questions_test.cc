// The queue before the warehouse: bounded, and mended after errors.
#include "api/questions.h"

#include <future>
#include <thread>

#include "api/testing.h"

namespace candlewick::api {
namespace {

using testing::Answer;

// Fails every second select, and counts how often it was opened.
class Flaky final : public warehouse::Database {
 public:
  explicit Flaky(int& calls) : calls_(calls) {}
  warehouse::Dialect dialect() const override { return warehouse::Dialect::sqlite; }
  Result<std::vector<warehouse::Values>> select(std::string_view, std::span<const schema::Value>,
                                                std::span<const schema::ColumnType>) override {
    if (++calls_ % 2 == 1) return candlewick::fail(ErrorKind::transient, "locked");
    return std::vector<warehouse::Values>{};
  }
  Result<std::int64_t> execute(std::string_view, std::span<const schema::Value>) override {
    return 0;
  }

 private:
  int& calls_;
};

class Pool : public testing::ApiTest {};

TEST_F(Pool, OpensTheDatabaseAnewAfterAnError) {
  int opened = 0;
  int calls = 0;
  options.query_threads = 1;
  backend.open_database = [&]() -> Result<std::unique_ptr<warehouse::Database>> {
    ++opened;
    return std::unique_ptr<warehouse::Database>(std::make_unique<Flaky>(calls));
  };
  EXPECT_EQ(get("/v1/exchanges").status, 503);
  EXPECT_EQ(get("/v1/exchanges").status, 200);
  EXPECT_EQ(opened, 2);
  EXPECT_EQ(get("/v1/exchanges").status, 503);
  EXPECT_EQ(get("/v1/exchanges").status, 200);
  EXPECT_EQ(opened, 3);
}

TEST_F(Pool, FinishesTheQuestionInHandBeforeAnythingThatItNeedsEnds) {
  std::promise<void> entered;
  std::promise<void> release;
  auto released = release.get_future();
  options.query_threads = 1;
  backend.open_database = [&]() -> Result<std::unique_ptr<warehouse::Database>> {
    entered.set_value();
    released.wait();
    return candlewick::fail(ErrorKind::transient, "too late");
  };
  start();
  net::HttpClient other;
  const std::string url = fmt::format("http://127.0.0.1:{}/v1/exchanges", service->port());
  // Its connection is cut when the service ends, which waits for the question then.
  std::jthread asker([&] {
    EXPECT_FALSE(other.fetch({.url = url}));
    release.set_value();
  });
  entered.get_future().wait();
  service.reset();
  asker.join();
  EXPECT_EQ(observer.count("query_failed"), 1U);
}

TEST_F(Pool, RefusesWhatItCannotQueueAndAnswersTheRest) {
  std::promise<void> entered;
  std::promise<void> release;
  auto released = release.get_future().share();
  options.query_threads = 1;
  options.max_waiting_questions = 1;
  bool is_first = true;
  backend.open_database = [&]() -> Result<std::unique_ptr<warehouse::Database>> {
    if (std::exchange(is_first, false)) entered.set_value();
    released.wait();
    return candlewick::fail(ErrorKind::transient, "not today");
  };
  start();
  net::Loop loop("client");
  loop.start();
  std::promise<int> first;
  std::promise<int> second;
  const auto ask = [&](std::promise<int>& told) {
    client.send({.url = fmt::format("http://127.0.0.1:{}/v1/exchanges", service->port())}, loop,
                [&told](Result<net::HttpResponse> response) {
                  told.set_value(response ? response->status : 0);
                });
  };
  ask(first);
  entered.get_future().wait();
  // The thread is held up by the first; of the others one may wait.
  ask(second);
  Answer refused;
  do {
    refused = get("/metrics");
  } while (refused.body.find("candlewick_api_waiting_queries 1\n") == std::string::npos);
  refused = get("/v1/exchanges");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.member("code"), "too_busy");
  EXPECT_EQ(refused.headers.get("Retry-After"), "1");
  EXPECT_EQ(get("/livez").status, 200) << "memory answers all the same";
  release.set_value();
  EXPECT_EQ(first.get_future().get(), 503);
  EXPECT_EQ(second.get_future().get(), 503);
}

TEST_F(Pool, SaysSoWhenThereIsNoWarehouse) {
  const Answer answer = get("/v1/exchanges");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.member("code"), "warehouse_unavailable");
}

}  // namespace
}  // namespace candlewick::api
