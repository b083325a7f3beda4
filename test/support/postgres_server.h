// A PostgreSQL server of the test's own: a cluster in a temporary folder, on a free loopback port,
// without fsync, gone at the end. As root it runs as an unprivileged user, since PostgreSQL refuses
// to be root.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace candlewick::test {

enum class PostgresKind : unsigned char {
  plain,      // Debian's PostgreSQL
  timescale,  // with TimescaleDB's Apache edition, which `./x setup` builds
};
std::string_view to_text(PostgresKind kind);

struct PostgresOptions {
  PostgresKind kind = PostgresKind::plain;
  // Lines for postgresql.conf: "max_connections = 5".
  std::vector<std::string> settings;
  bool passwords = false;  // asked for over TCP (scram-sha-256); the superuser's is "secret"
  bool tls = false;        // a certificate that signed itself, for localhost
};

class PostgresServer {
 public:
  explicit PostgresServer(PostgresOptions options = {});
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // Why there is none; empty when it runs. A test that needs it fails on this, unless it is a kind
  // that the machine need not have (see skip_reason).
  const std::string& problem() const { return problem_; }

  // postgres://candlewick@127.0.0.1:PORT/DATABASE
  std::string url(std::string_view database = "postgres") const;
  int port() const { return port_; }
  const std::filesystem::path& folder() const { return folder_; }

  // Makes an empty database; with the extension when the server has it. Returns its URL.
  std::string make_database(const std::string& name);
  // Runs SQL by psql as the superuser; fails the test when it is refused.
  void run_sql(const std::string& database, const std::string& sql);

  void stop();   // orderly, clients are cut off
  void kill();   // as if the machine died: SIGKILL to every process of it
  void start();  // again; recovers first after a kill
  void restart() {
    stop();
    start();
  }

 private:
  bool run(const std::vector<std::string>& words);
  std::string launch();
  void wait_until_gone(pid_t postmaster) const;
  pid_t postmaster_pid() const;

  PostgresOptions options_;
  std::filesystem::path programs_;
  std::filesystem::path folder_;
  std::string problem_;
  std::string output_;  // of the last program
  int port_ = 0;
  bool is_running_ = false;
};

// One server of each kind for a whole test program, started when it is first asked for.
PostgresServer& shared_postgres(PostgresKind kind);

// An empty database of its own on the shared server, dropped at the end.
class PostgresDatabase {
 public:
  explicit PostgresDatabase(PostgresKind kind);
  ~PostgresDatabase();
  PostgresDatabase(const PostgresDatabase&) = delete;
  PostgresDatabase& operator=(const PostgresDatabase&) = delete;
  const std::string& url() const { return url_; }
  const std::string& name() const { return name_; }
  PostgresServer& server() const { return server_; }

 private:
  PostgresServer& server_;
  std::string name_;
  std::string url_;
};

// Not empty when tests of that kind are to be skipped on this machine, with the reason. Under CI
// nothing is skipped: a part that is missing fails there.
std::string skip_reason(PostgresKind kind);

}  // namespace candlewick::test
