// Against a real server: values there and back, errors by kind, COPY, TLS, restarts.
#include "postgres/connection.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <fstream>

#include "postgres/binary.h"
#include "test/support/postgres_server.h"

namespace candlewick::postgres {
namespace {

using schema::Value;
using test::PostgresKind;

std::unique_ptr<Connection> connect(const std::string& url) {
  auto opened = Connection::open({.url = Secret(url)});
  EXPECT_TRUE(opened) << opened.error().message;
  return opened ? std::move(*opened) : nullptr;
}
Error refused(const Options& options) {
  auto opened = Connection::open(options);
  EXPECT_FALSE(opened) << "a connection that should be refused";
  return opened ? Error{} : opened.error();
}

class Connecting : public testing::Test {
 protected:
  test::PostgresDatabase database{PostgresKind::plain};
  std::unique_ptr<Connection> connection = connect(database.url());
};

TEST_F(Connecting, CarriesEveryKindOfValueThereAndBack) {
  ASSERT_TRUE(rc::check([this] {
    const auto number = Decimal::from_count(
        static_cast<int128>(*rc::gen::arbitrary<std::int64_t>()) * 1'000'000'007);
    const Time moment = time_from_us(*rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000'000));
    const std::array<Value, 7> sent{number,
                                    moment,
                                    *rc::gen::arbitrary<std::int64_t>(),
                                    *rc::gen::arbitrary<bool>(),
                                    0.1,
                                    std::string("é漢🕯' \"\\"),
                                    schema::Json{R"({"a":[1,"x y"]})"}};
    const auto rows = connection->query(
        "SELECT $1, $2, $3, $4, $5, $6, $7, NULL::numeric, $1::text, to_char($2, "
        "'YYYY-MM-DD HH24:MI:SS.US')",
        sent);
    RC_ASSERT(rows.has_value());
    using enum schema::ColumnType;
    const std::array types{decimal, time, integer, boolean, real, text, json};
    for (std::size_t i = 0; i < types.size(); ++i) {
      RC_ASSERT(rows->value(0, i, types[i]).value() == sent[i]);
    }
    RC_ASSERT(rows->is_null(0, 7));
    RC_ASSERT(rows->text(0, 8) == number.to_string());
  }));
}

TEST_F(Connecting, SeesTheServersOwnNumerics) {
  for (const auto* text : {"0", "-12345.678", "0.000000000000000001", "10000000000000000000",
                           "99999999999999999999.999999999999999999"}) {
    const auto rows = connection->query(fmt::format("SELECT '{}'::numeric", text));
    ASSERT_TRUE(rows) << rows.error().message;
    EXPECT_EQ(rows->value(0, 0, schema::ColumnType::decimal).value(),
              Value{Decimal::parse(text).value()});
    const auto bytes =
        connection->query("SELECT numeric_send($1) = numeric_send($2::text::numeric)",
                          {Decimal::parse(text).value(), std::string(text)});
    ASSERT_TRUE(bytes) << bytes.error().message;
    EXPECT_TRUE(bytes->boolean(0, 0)) << text;
  }
}

TEST_F(Connecting, CopiesRowsInBinary) {
  ASSERT_TRUE(connection->run("CREATE TABLE t (n bigint, d numeric, w timestamptz, s text)"));
  CopyRows rows;
  using enum schema::ColumnType;
  const std::array<schema::Column, 4> columns{
      {{"n", integer}, {"d", decimal}, {"w", time}, {"s", text}}};
  for (std::int64_t i = 0; i < 10'000; ++i) {
    rows.begin(columns.size());
    const std::array<Value, 4> values{i, Decimal::from_count(i), time_from_us(i),
                                      i % 3 == 0 ? Value{} : Value{std::string("x")}};
    for (std::size_t c = 0; c < columns.size(); ++c) {
      ASSERT_TRUE(append_field(rows.bytes(), values[c], columns[c]));
    }
  }
  const auto copied =
      connection->copy("COPY t (n, d, w, s) FROM STDIN (FORMAT binary)", rows.finish());
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(*copied, 10'000);
  const auto sums = connection->query("SELECT sum(n), sum(d), max(w), count(s) FROM t");
  ASSERT_TRUE(sums);
  EXPECT_EQ(sums->integer(0, 0), 49'995'000);
  EXPECT_EQ(sums->text(0, 1), "0.000000000049995");
  EXPECT_EQ(sums->text(0, 2), "1970-01-01T00:00:00.009999Z");
  EXPECT_EQ(sums->integer(0, 3), 6'666);
}

TEST_F(Connecting, TellsARefusedCopyAndGoesOn) {
  ASSERT_TRUE(connection->run("CREATE TABLE t (n bigint PRIMARY KEY)"));
  CopyRows rows;
  for (int i = 0; i < 2; ++i) {
    rows.begin(1);
    append_int32(rows.bytes(), 8);
    append_int64(rows.bytes(), 5);
  }
  const auto copied = connection->copy("COPY t FROM STDIN (FORMAT binary)", rows.finish());
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().kind, ErrorKind::rejected);
  const auto garbage = connection->copy("COPY t FROM STDIN (FORMAT binary)", "garbage");
  ASSERT_FALSE(garbage);
  EXPECT_EQ(connection->query("SELECT count(*) FROM t")->integer(0, 0), 0);
}

TEST_F(Connecting, NamesErrorsByTheirKind) {
  ASSERT_TRUE(connection->run(
      "CREATE TABLE t (n bigint PRIMARY KEY, s smallint); INSERT INTO t VALUES (1, 1)"));
  struct Case {
    std::string sql;
    ErrorKind kind;
  };
  for (const auto& [sql, kind] : {Case{"INSERT INTO t VALUES (1, 1)", ErrorKind::rejected},
                                  Case{"INSERT INTO t VALUES (2, 100000)", ErrorKind::rejected},
                                  Case{"SELECT 1 / 0", ErrorKind::rejected},
                                  Case{"SELECT * FROM nowhere", ErrorKind::misconfigured},
                                  Case{"SELEC 1", ErrorKind::misconfigured}}) {
    const auto outcome = connection->query(sql);
    ASSERT_FALSE(outcome) << sql;
    EXPECT_EQ(outcome.error().kind, kind) << sql << ": " << outcome.error().message;
  }
}

TEST_F(Connecting, EndsAStatementThatTakesTooLong) {
  auto hasty = Connection::open(
      {.url = Secret(database.url()), .statement_timeout = std::chrono::milliseconds{50}});
  ASSERT_TRUE(hasty);
  const auto outcome = (*hasty)->query("SELECT pg_sleep(60)");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::transient);
  EXPECT_NE(outcome.error().message.find("statement timeout"), std::string::npos);
  EXPECT_TRUE((*hasty)->query("SELECT 1")) << "the connection lives on";
}

TEST_F(Connecting, DoesNotWriteWhenItIsForReading) {
  auto reader = Connection::open({.url = Secret(database.url()), .read_only = true});
  ASSERT_TRUE(reader);
  const auto outcome = (*reader)->run("CREATE TABLE t (n int)");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::misconfigured);
}

TEST_F(Connecting, ForgetsOldStatementsInsteadOfKeepingAll) {
  for (int i = 0; i < 450; ++i) {
    const auto rows = connection->query(fmt::format("SELECT {}", i));
    ASSERT_TRUE(rows) << rows.error().message;
    EXPECT_EQ(rows->integer(0, 0), i);
  }
  EXPECT_LE(connection->query("SELECT count(*) FROM pg_prepared_statements")->integer(0, 0), 200);
}

TEST_F(Connecting, RollsBackAfterTheFirstError) {
  ASSERT_TRUE(connection->run("CREATE TABLE t (n int PRIMARY KEY)"));
  {
    Transaction transaction(*connection);
    transaction.query("INSERT INTO t VALUES ($1)", {std::int64_t{1}});
    transaction.query("INSERT INTO t VALUES ($1)", {std::int64_t{1}});
    transaction.query("INSERT INTO t VALUES ($1)", {std::int64_t{2}});
    const auto outcome = transaction.commit();
    ASSERT_FALSE(outcome);
    EXPECT_NE(outcome.error().message.find("23505"), std::string::npos);
  }
  {
    const Transaction forgotten(*connection);
  }
  EXPECT_FALSE(connection->in_transaction());
  EXPECT_EQ(connection->query("SELECT count(*) FROM t")->integer(0, 0), 0);
}

TEST_F(Connecting, WorksInTheSchemaThatItIsTold) {
  ASSERT_TRUE(connection->run("CREATE SCHEMA \"odd \"\"name\""));
  auto inside = Connection::open({.url = Secret(database.url()), .schema = "odd \"name"});
  ASSERT_TRUE(inside);
  EXPECT_EQ((*inside)->query("SELECT current_schema()")->text(0, 0), "odd \"name");
}

TEST(RefusedConnections, AreToldApartAndNeverShowThePassword) {
  test::PostgresServer server{{.passwords = true}};
  ASSERT_EQ(server.problem(), "");
  const auto port = server.port();
  struct Case {
    std::string url;
    ErrorKind kind;
    std::string words;
  };
  const Case cases[] = {
      {fmt::format("postgres://candlewick:s3cr3t@127.0.0.1:{}/postgres", port),
       ErrorKind::misconfigured, "password authentication failed"},
      {fmt::format("postgres://candlewick:secret@127.0.0.1:{}/nowhere", port),
       ErrorKind::misconfigured, "database \"nowhere\" does not exist"},
      {"postgres://candlewick:s3cr3t@127.0.0.1:1/postgres", ErrorKind::transient,
       "Connection refused"},
      {fmt::format("postgres://candlewick:secret@127.0.0.1:{}/postgres?sslmode=require", port),
       ErrorKind::misconfigured, "SSL"},
      {"postgres://candlewick:s3cr3t@127.0.0.1/db?s3cr3t=1", ErrorKind::misconfigured,
       "cannot be read"},
      {"postgres://candlewick:s3cr3t@[::1/db", ErrorKind::misconfigured, "cannot be read"},
      {"postgres://candlewick:p@s3cr3t@127.0.0.1/db", ErrorKind::misconfigured, "%40"},
      {"mysql s3cr3t", ErrorKind::misconfigured, "cannot be read"},
  };
  for (const auto& [url, kind, words] : cases) {
    const auto error = refused({.url = Secret(url)});
    EXPECT_EQ(error.kind, kind) << error.message;
    EXPECT_NE(error.message.find(words), std::string::npos) << error.message;
    EXPECT_EQ(error.message.find("s3cr3t"), std::string::npos) << error.message;
    EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
  }
  EXPECT_TRUE(Connection::open({.url = Secret(server.url())}));
}

TEST(EncryptedConnections, AreVerifiedAsTheUrlSays) {
  test::PostgresServer server{{.tls = true}};
  ASSERT_EQ(server.problem(), "");
  const auto url = [&](std::string_view host, std::string_view options) {
    return Options{.url = Secret(fmt::format("postgres://candlewick@{}:{}/postgres?{}", host,
                                             server.port(), options))};
  };
  const std::string root = fmt::format("sslmode=verify-full&sslrootcert={}",
                                       (server.folder() / "data" / "server.crt").string());
  auto verified = Connection::open(url("localhost", root));
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_TRUE((*verified)
                  ->query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                  ->boolean(0, 0));
  EXPECT_TRUE(Connection::open(url("127.0.0.1", "sslmode=require")));
  const auto unknown = refused(url("localhost", "sslmode=verify-full&sslrootcert=/nowhere.crt"));
  EXPECT_EQ(unknown.kind, ErrorKind::misconfigured) << unknown.message;
}

TEST(LostConnections, AreTransientAndNoticed) {
  test::PostgresServer server;
  ASSERT_EQ(server.problem(), "");
  auto connection = connect(server.url());
  ASSERT_NE(connection, nullptr);
  server.restart();
  const auto orderly = connection->query("SELECT 1");
  ASSERT_FALSE(orderly);
  EXPECT_EQ(orderly.error().kind, ErrorKind::transient) << orderly.error().message;
  connection = connect(server.url());
  server.kill();
  const auto killed = connection->query("SELECT 1");
  ASSERT_FALSE(killed);
  EXPECT_EQ(killed.error().kind, ErrorKind::transient) << killed.error().message;
  EXPECT_FALSE(connection->is_usable());
  EXPECT_EQ(refused({.url = Secret(server.url())}).kind, ErrorKind::transient);
  server.start();
  EXPECT_TRUE(connect(server.url())->query("SELECT 1"));
}

TEST(LostConnections, InTheMiddleOfACopyAreTransient) {
  test::PostgresServer server;
  ASSERT_EQ(server.problem(), "");
  auto connection = connect(server.url());
  ASSERT_NE(connection, nullptr);
  ASSERT_TRUE(connection->run("CREATE TABLE t (n bigint)"));
  ASSERT_TRUE(connection->run("BEGIN"));
  auto other = connect(server.url());
  // The server cuts the connection off when it gets to the row that a trigger looks at.
  ASSERT_TRUE(other->run(
      "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
      "pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; "
      "CREATE TRIGGER cut BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.n = 50000) EXECUTE FUNCTION "
      "cut()"));
  CopyRows rows;
  for (std::int64_t i = 0; i < 200'000; ++i) {
    rows.begin(1);
    append_int32(rows.bytes(), 8);
    append_int64(rows.bytes(), i);
  }
  const auto copied = connection->copy("COPY t FROM STDIN (FORMAT binary)", rows.finish());
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().kind, ErrorKind::transient) << copied.error().message;
  EXPECT_EQ(connect(server.url())->query("SELECT count(*) FROM t")->integer(0, 0), 0);
}

}  // namespace
}  // namespace candlewick::postgres
