// Over two connections to one SQLite warehouse, as two query threads have them.
#include "api/kept_pages.h"

#include "api/testing.h"
#include "pipeline/rows.h"
#include "warehouse/database.h"

namespace candlewick::api {
namespace {

class Kept : public testing::HistoryTest {
 protected:
  std::unique_ptr<warehouse::Database> open() {
    auto opened = warehouse::open_sqlite_for_reading(warehouse.path());
    EXPECT_TRUE(opened) << opened.error().message;
    auto database = std::move(*opened);
    pages.forget(*database);
    return database;
  }
  // A page of so many bytes.
  static std::shared_ptr<const KeptPages::Page> page(std::size_t bytes, std::string memory = "m") {
    return std::make_shared<const KeptPages::Page>(
        KeptPages::Page{.content = {.plain = std::make_shared<const std::string>(bytes, 'x'),
                                    .gzip = nullptr,
                                    .etag = "W/\"x\""},
                        .policy = CachePolicy::forming,
                        .memory = std::move(memory)});
  }

  KeptPages pages;
  std::unique_ptr<warehouse::Database> one = open();
  std::unique_ptr<warehouse::Database> other = open();
};

TEST_F(Kept, AreFoundByEveryConnectionUntilSomethingIsWritten) {
  ASSERT_TRUE(pages.state_of(*one));
  const auto state = pages.state_of(*other);
  ASSERT_TRUE(state);
  EXPECT_EQ(pages.state_of(*one), state);
  pages.keep("question", *state, page(10));
  EXPECT_NE(pages.find("question", *state, "m"), nullptr);
  EXPECT_EQ(pages.find("another", *state, "m"), nullptr);
  EXPECT_EQ(pages.find("question", *state, "memory has changed"), nullptr);

  store(1);
  for (auto* database : {one.get(), other.get()}) {
    const auto after = pages.state_of(*database);
    ASSERT_TRUE(after);
    EXPECT_NE(after, state);
    EXPECT_EQ(pages.find("question", *after, "m"), nullptr);
  }
  EXPECT_EQ(pages.find("question", *state, "m"), nullptr);
}

TEST_F(Kept, AreNotThoseThatWereReadBeforeAChange) {
  const auto before = pages.state_of(*one);
  store(1);
  const auto after = pages.state_of(*one);
  ASSERT_TRUE(before && after);
  pages.keep("question", *before, page(10));
  EXPECT_EQ(pages.find("question", *after, "m"), nullptr);
}

TEST_F(Kept, AreDroppedForAConnectionThatIsNew) {
  ASSERT_TRUE(pages.state_of(*one));
  const auto before = pages.state_of(*one);
  pages.keep("question", *before, page(10));
  pages.forget(*one);
  EXPECT_NE(pages.state_of(*one), before);
}

TEST_F(Kept, HaveALimit) {
  const auto state = pages.state_of(*one);
  ASSERT_TRUE(state);
  constexpr std::size_t large = (std::size_t{4} << 20) - 1024;  // what is around a page counts too
  pages.keep("too large", *state, page(large + 1024));
  EXPECT_EQ(pages.find("too large", *state, "m"), nullptr);
  for (const auto* question : {"1", "2", "3", "4"}) pages.keep(question, *state, page(large));
  EXPECT_NE(pages.find("1", *state, "m"), nullptr);
  pages.keep("4", *state, page(large));  // in its own place
  EXPECT_NE(pages.find("1", *state, "m"), nullptr);
  pages.keep("5", *state, page(large));
  EXPECT_EQ(pages.find("1", *state, "m"), nullptr);
  EXPECT_NE(pages.find("5", *state, "m"), nullptr);
}

TEST_F(Kept, HaveALimitInTheirQuestionsToo) {
  const auto state = pages.state_of(*one);
  ASSERT_TRUE(state);
  for (int i = 0; i < 2000; ++i) {
    pages.keep(fmt::format("{:010}", i) + std::string(std::size_t{15} << 10, '&'), *state, page(1));
  }
  EXPECT_EQ(pages.find("0000000000" + std::string(std::size_t{15} << 10, '&'), *state, "m"),
            nullptr);
}

}  // namespace
}  // namespace candlewick::api
