// Values, transactions, functions, and what each kind of failure is called.
#include "sqlite/database.h"

#include <gtest/gtest.h>

#include <fstream>

#include "sqlite/decimal_functions.h"
#include "sqlite/testing.h"

namespace candlewick::sqlite {
namespace {

class SqliteDatabase : public testing::Test {
 protected:
  std::unique_ptr<Database> open(Options options = {}) {
    options.path = folder / "test.db";
    auto opened = Database::open(options);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  TemporaryFolder folder;
};

TEST_F(SqliteDatabase, GivesBackEveryKindOfValue) {
  auto database = open();
  ASSERT_TRUE(database->execute("CREATE TABLE t (a, b, c, d, e)"));
  auto insert = database->prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?)");
  ASSERT_TRUE(insert);
  insert->bind(1, std::int64_t{-9223372036854775807 - 1});
  insert->bind(2, 0.1);
  insert->bind(3, std::string_view("naïve\0text", 11));
  insert->bind_null(4);
  insert->bind(5, std::string_view{});
  ASSERT_TRUE(insert->run());
  auto select = database->prepare("SELECT a, b, c, d, e FROM t");
  ASSERT_TRUE(select);
  auto row = select->step();
  ASSERT_TRUE(row && *row);
  EXPECT_EQ(select->integer(0), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(select->real(1), 0.1);
  EXPECT_EQ(select->text(2), std::string_view("naïve\0text", 11));
  EXPECT_TRUE(select->is_null(3));
  EXPECT_FALSE(select->optional_text(3));
  EXPECT_FALSE(select->is_null(4));
  EXPECT_EQ(select->text(4), "");
  row = select->step();
  EXPECT_TRUE(row && !*row);
}

TEST_F(SqliteDatabase, RunsAStatementAgainWithOtherValues) {
  auto database = open();
  ASSERT_TRUE(database->execute("CREATE TABLE t (a INTEGER)"));
  auto insert = database->prepare("INSERT INTO t VALUES (?)");
  ASSERT_TRUE(insert);
  for (std::int64_t i = 1; i <= 3; ++i) {
    insert->bind(1, i);
    ASSERT_TRUE(insert->run());
  }
  EXPECT_EQ(database->integer("SELECT sum(a) FROM t").value(), 6);
}

TEST_F(SqliteDatabase, KeepsATransactionsFirstErrorAndStoresNothing) {
  auto database = open();
  ASSERT_TRUE(database->execute("CREATE TABLE t (a INTEGER UNIQUE)"));
  {
    Transaction transaction(*database);
    transaction.execute("INSERT INTO t VALUES (1)");
    transaction.execute("INSERT INTO t VALUES (1)");
    transaction.execute("INSERT INTO nowhere VALUES (2)");
    const auto outcome = transaction.commit();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::rejected);
  }
  EXPECT_FALSE(database->in_transaction());
  EXPECT_EQ(database->integer("SELECT count(*) FROM t").value(), 0);
}

TEST_F(SqliteDatabase, RollsBackWhatWasNotCommitted) {
  auto database = open();
  ASSERT_TRUE(database->execute("CREATE TABLE t (a INTEGER)"));
  {
    Transaction transaction(*database);
    transaction.execute("INSERT INTO t VALUES (1)");
  }
  EXPECT_EQ(database->integer("SELECT count(*) FROM t").value(), 0);
}

TEST_F(SqliteDatabase, CallsAFullDiskTransientAndFull) {
  auto database = open({.max_pages = 8});
  ASSERT_TRUE(database->execute("CREATE TABLE t (a TEXT)"));
  Result<void> outcome;
  for (int i = 0; i < 100 && outcome; ++i) {
    outcome = database->execute("INSERT INTO t VALUES (hex(zeroblob(1000)))");
  }
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::transient);
  EXPECT_NE(outcome.error().message.find("the disk is full"), std::string::npos);
}

TEST_F(SqliteDatabase, CallsAnotherWritersLockTransient) {
  auto first = open();
  ASSERT_TRUE(first->execute("CREATE TABLE t (a INTEGER)"));
  auto second = open({.busy_timeout = Duration::zero()});
  Transaction holds(*first);
  ASSERT_TRUE(holds.ok());
  Transaction waits(*second);
  ASSERT_FALSE(waits.ok());
  EXPECT_EQ(waits.error()->kind, ErrorKind::transient);
}

TEST_F(SqliteDatabase, NamesAFileThatIsNoDatabase) {
  std::ofstream(folder / "test.db") << std::string(5000, 'x');
  const auto opened = Database::open({.path = folder / "test.db"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::misconfigured);
  EXPECT_NE(opened.error().message.find("test.db"), std::string::npos);
}

TEST_F(SqliteDatabase, RefusesToOpenWhatIsNotThere) {
  const auto opened = Database::open({.path = folder / "none.db", .read_only = true});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::misconfigured);
}

TEST_F(SqliteDatabase, DoesNotWriteWhenOpenedForReading) {
  ASSERT_TRUE(open()->execute("CREATE TABLE t (a INTEGER)"));
  auto reader = open({.read_only = true});
  const auto outcome = reader->execute("INSERT INTO t VALUES (1)");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::misconfigured);
}

TEST_F(SqliteDatabase, CallsFunctionsWrittenInCpp) {
  auto database = open();
  ASSERT_TRUE(
      database->add_function("twice", 1, [](std::span<const Scalar> arguments) -> Result<Scalar> {
        const auto* number = std::get_if<std::int64_t>(arguments.data());
        if (number == nullptr) return fail(ErrorKind::rejected, "not a number");
        return Scalar{*number * 2};
      }));
  EXPECT_EQ(database->integer("SELECT twice(21)").value(), 42);
  const auto refused = database->integer("SELECT twice('x')");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("not a number"), std::string::npos);
}

TEST_F(SqliteDatabase, SumsDecimalsExactlyWhereSqliteDoesNot) {
  auto database = open();
  ASSERT_TRUE(add_decimal_functions(*database));
  ASSERT_TRUE(database->execute("CREATE TABLE t (g INTEGER, a TEXT)"));
  ASSERT_TRUE(
      database->execute("INSERT INTO t VALUES (1, '0.1'), (1, '0.2'), (1, NULL), (2, "
                        "'12345678901234567890.000000000000000001'),"
                        "(2, '-12345678901234567890'), (3, NULL)"));
  auto sums = database->prepare("SELECT decimal_sum(a) FROM t GROUP BY g ORDER BY g");
  ASSERT_TRUE(sums);
  ASSERT_TRUE(sums->step().value());
  EXPECT_EQ(sums->text(0), "0.3");
  ASSERT_TRUE(sums->step().value());
  EXPECT_EQ(sums->text(0), "0.000000000000000001");
  ASSERT_TRUE(sums->step().value());
  EXPECT_TRUE(sums->is_null(0));
  EXPECT_FALSE(database->integer("SELECT decimal_sum(a) FROM (SELECT 'x' AS a)"));
  EXPECT_FALSE(database->integer("SELECT decimal_sum(a) FROM (SELECT 0.1 AS a)"));
}

}  // namespace
}  // namespace candlewick::sqlite
