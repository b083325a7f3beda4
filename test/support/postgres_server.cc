// initdb takes a second, so one cluster serves a whole test program and each test has a database.
#include "test/support/postgres_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "test/support/eventually.h"

namespace candlewick::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view version = "15";
constexpr const char* superuser = "candlewick";

fs::path timescale_folder() {
  const char* elsewhere = std::getenv("CANDLEWICK_TIMESCALEDB");
  return elsewhere != nullptr ? fs::path(elsewhere)
                              : fs::path(CANDLEWICK_PROJECT_DIR) / "build" / "timescaledb";
}

fs::path programs_of(PostgresKind kind) {
  const fs::path root = kind == PostgresKind::plain ? fs::path("/usr") : timescale_folder() / "usr";
  return root / "lib" / "postgresql" / version / "bin";
}

// Whom the server runs as when the tests are root's.
const passwd* unprivileged_user() {
  if (::geteuid() != 0) return nullptr;
  const passwd* user = ::getpwnam("postgres");
  return user != nullptr ? user : ::getpwnam("nobody");
}

int free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  int port = 0;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
  }
  ::close(listener);
  return port;
}

std::string content_of(const fs::path& path) {
  const std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

std::string_view to_text(PostgresKind kind) {
  return kind == PostgresKind::plain ? "plain" : "timescale";
}

std::string skip_reason(PostgresKind kind) {
  if (std::getenv("CI") != nullptr) return {};
  if (kind == PostgresKind::plain || fs::exists(programs_of(kind) / "postgres")) return {};
  return fmt::format("TimescaleDB is not built ({}): run ./x setup", timescale_folder().string());
}

PostgresServer::PostgresServer(PostgresOptions options)
    : options_(std::move(options)), programs_(programs_of(options_.kind)), port_(free_port()) {
  std::string name = (fs::temp_directory_path() / "candlewick-postgres-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    problem_ = "no temporary folder";
    return;
  }
  folder_ = name;
  if (!fs::exists(programs_ / "initdb")) {
    problem_ = fmt::format("there is no {}: run ./x setup", (programs_ / "initdb").string());
    return;
  }
  if (const auto* user = unprivileged_user()) {
    if (::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) problem_ = "chown failed";
  }
  const std::string data = folder_ / "data";
  std::ofstream(folder_ / "password") << "secret\n";
  fs::permissions(folder_ / "password", fs::perms::all);
  // C.UTF-8, so that nothing depends on the machine's language.
  if (!run({programs_ / "initdb", "-D", data, "-U", superuser, "-A",
            options_.passwords ? "scram-sha-256" : "trust", "--pwfile", folder_ / "password", "-N",
            "-E", "UTF8", "--locale=C.UTF-8"})) {
    problem_ = "initdb failed: " + output_;
    return;
  }
  std::ofstream settings(fs::path(data) / "postgresql.conf", std::ios::app);
  settings << fmt::format(
      "\nlisten_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\n"
      "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nshared_buffers = 32MB\n"
      "max_connections = 40\nlog_min_messages = warning\n",
      port_, folder_.string());
  if (options_.kind == PostgresKind::timescale) {
    settings << "shared_preload_libraries = 'timescaledb'\ntimescaledb.telemetry_level = off\n";
  }
  if (options_.tls) {
    const auto key = fs::path(data) / "server.key";
    if (!run({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
              "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
              "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out",
              fs::path(data) / "server.crt"})) {
      problem_ = "openssl failed: " + output_;
      return;
    }
    fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write);
    settings << "ssl = on\n";
  }
  for (const auto& line : options_.settings) settings << line << '\n';
  settings.close();
  problem_ = launch();
}

PostgresServer::~PostgresServer() {
  if (is_running_) stop();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

// fork, exec and wait; what it says goes to a file.
bool PostgresServer::run(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const passwd* user = unprivileged_user();
  const std::string said = folder_ / "said";
  const pid_t child = ::fork();
  if (child == 0) {
    if (user != nullptr && (::initgroups(user->pw_name, user->pw_gid) != 0 ||
                            ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) {
      ::_exit(126);
    }
    const int out = ::open(said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int in = ::open("/dev/null", O_RDONLY);
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    // The server must not hold what the test has open.
    for (int file = 3; file < 1024; ++file) ::close(file);
    if (::chdir(folder_.c_str()) != 0) ::_exit(126);
    ::setenv("LC_ALL", "C", 1);
    ::unsetenv("LD_PRELOAD");
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  output_ = content_of(said);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string PostgresServer::launch() {
  if (!run({programs_ / "pg_ctl", "-D", folder_ / "data", "-l", folder_ / "log", "-w", "-t", "60",
            "start"})) {
    return fmt::format("{} does not start: {}\n{}", (programs_ / "postgres").string(), output_,
                       content_of(folder_ / "log"));
  }
  is_running_ = true;
  return {};
}

std::string PostgresServer::url(std::string_view database) const {
  return fmt::format("postgres://{}{}@127.0.0.1:{}/{}", superuser,
                     options_.passwords ? ":secret" : "", port_, database);
}

std::string PostgresServer::make_database(const std::string& name) {
  run_sql("postgres", fmt::format("CREATE DATABASE {}", name));
  if (options_.kind == PostgresKind::timescale) run_sql(name, "CREATE EXTENSION timescaledb");
  return url(name);
}

void PostgresServer::run_sql(const std::string& database, const std::string& sql) {
  const bool done = run(
      {programs_ / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url(database), "-c", sql});
  if (!done) ADD_FAILURE() << sql << ": " << output_;
}

pid_t PostgresServer::postmaster_pid() const {
  pid_t pid = 0;
  std::ifstream(folder_ / "data" / "postmaster.pid") >> pid;
  return pid;
}

// All its processes: each one's parent is the postmaster, and their process groups are their own.
void PostgresServer::kill() {
  const pid_t postmaster = postmaster_pid();
  ASSERT_GT(postmaster, 1) << "the server runs";
  std::vector<pid_t> processes{postmaster};
  const std::string children = content_of(fmt::format("/proc/{0}/task/{0}/children", postmaster));
  std::istringstream words(children);
  for (pid_t child = 0; words >> child;) processes.push_back(child);
  ::kill(postmaster, SIGSTOP);  // no new ones meanwhile
  for (const pid_t process : processes) ::kill(process, SIGKILL);
  wait_until_gone(postmaster);
  is_running_ = false;
}

void PostgresServer::wait_until_gone(pid_t postmaster) const {
  const bool is_gone = eventually([&] {
    // A zombie whose parent is slow counts as gone.
    const std::string state = content_of(fmt::format("/proc/{}/stat", postmaster));
    const auto end = state.rfind(')');
    return state.empty() || end == std::string::npos || state.substr(end + 2, 1) == "Z";
  });
  EXPECT_TRUE(is_gone) << "the server's processes end";
}

void PostgresServer::stop() {
  const bool done = run({programs_ / "pg_ctl", "-D", folder_ / "data", "-m", "fast", "-w", "stop"});
  EXPECT_TRUE(done) << output_;
  is_running_ = false;
}

// A killed server's last children hold its memory for a moment.
void PostgresServer::start() {
  std::string problem;
  const bool started = eventually([&] {
    problem = launch();
    return problem.empty();
  });
  ASSERT_TRUE(started) << problem;
}

PostgresServer& shared_postgres(PostgresKind kind) {
  static PostgresServer plain{{.kind = PostgresKind::plain}};
  if (kind == PostgresKind::plain) return plain;
  static PostgresServer timescale{{.kind = PostgresKind::timescale}};
  return timescale;
}

PostgresDatabase::PostgresDatabase(PostgresKind kind) : server_(shared_postgres(kind)) {
  static std::atomic<int> count{0};
  name_ = fmt::format("test_{}", ++count);
  if (!server_.problem().empty()) {
    ADD_FAILURE() << server_.problem();
    return;
  }
  url_ = server_.make_database(name_);
}

PostgresDatabase::~PostgresDatabase() {
  if (!url_.empty()) {
    server_.run_sql("postgres", fmt::format("DROP DATABASE {} WITH (FORCE)", name_));
  }
}

}  // namespace candlewick::test
