// What load_config() is given: files and the environment of the process.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

#include "base/config_table.h"

namespace candlewick {
namespace {

constexpr std::size_t max_file_bytes = std::size_t{16} << 20;
constexpr const char* default_toml = "candlewick.toml";
constexpr const char* default_dotenv = ".env";

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

Result<SourceFile> read_source(const std::string& path) {
  auto text = read_text_file(path);
  if (!text) return fail(std::move(text.error()));
  return SourceFile{.name = path, .text = std::move(*text)};
}

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::misconfigured, "{}: {}", path, std::strerror(errno));
  std::string text;
  std::array<char, 16'384> chunk{};
  while (file.read(chunk.data(), chunk.size()) || file.gcount() > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > max_file_bytes) {
      return fail(ErrorKind::misconfigured, "{}: longer than {} bytes", path, max_file_bytes);
    }
  }
  if (file.bad()) return fail(ErrorKind::misconfigured, "{}: {}", path, std::strerror(errno));
  return text;
}

Result<Sources> gather_sources(const std::optional<std::string>& config_path,
                               std::map<std::string, std::string, std::less<>> environment) {
  Sources sources;
  auto path = config_path;
  if (const auto named = environment.find("CANDLEWICK_CONFIG");
      !path && named != environment.end() && !named->second.empty()) {
    path = named->second;
  }
  if (!path && exists(default_toml)) path = default_toml;
  if (path) {
    auto file = read_source(*path);
    if (!file) return fail(std::move(file.error()));
    sources.toml = std::move(*file);
  }
  if (exists(default_dotenv)) {
    auto file = read_source(default_dotenv);
    if (!file) return fail(std::move(file.error()));
    sources.dotenv = std::move(*file);
  }
  sources.environment = std::move(environment);
  return sources;
}

std::map<std::string, std::string, std::less<>> process_environment() {
  std::map<std::string, std::string, std::less<>> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

namespace config_table {
namespace {

constexpr std::string_view blank = " \t";

std::string_view without_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

bool is_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!letter && !(c >= '0' && c <= '9') && c != '_') return false;
  }
  return true;
}

// What stands behind the "=": 'as it is', "with \n and \"", or plain up to a " #". False when a
// quote is not closed or more follows it.
bool read_value(std::string_view text, std::string& value) {
  if (text.empty() || (text[0] != '\'' && text[0] != '"')) {
    const auto comment = text.starts_with('#') ? 0 : text.find(" #");
    value = without_blanks(text.substr(0, comment));
    return true;
  }
  const char quote = text[0];
  std::size_t at = 1;
  for (; at < text.size() && text[at] != quote; ++at) {
    if (quote == '"' && text[at] == '\\' && at + 1 < text.size()) {
      const char escaped = text[++at];
      value += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped == 'r' ? '\r' : escaped;
    } else {
      value += text[at];
    }
  }
  if (at == text.size()) return false;
  const auto rest = without_blanks(text.substr(at + 1));
  return rest.empty() || rest.starts_with('#');
}

}  // namespace

Result<std::vector<Variable>> parse_dotenv(const SourceFile& file) {
  std::vector<Variable> variables;
  std::string_view rest = file.text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  for (std::size_t line = 1; !rest.empty(); ++line) {
    const auto end = rest.find('\n');
    auto text = rest.substr(0, end);
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    text = without_blanks(text);
    if (text.empty() || text.starts_with('#')) continue;
    if (text.starts_with("export ")) text = without_blanks(text.substr(7));
    const auto equals = text.find('=');
    const auto name = without_blanks(text.substr(0, equals));
    Variable variable{.name = std::string(name), .value = {}, .line = line};
    // The line itself is not told: it may hold a secret.
    if (equals == std::string_view::npos || !is_name(name)) {
      return fail(ErrorKind::misconfigured, "{}:{}: not of the form NAME=value", file.name, line);
    }
    if (!read_value(without_blanks(text.substr(equals + 1)), variable.value)) {
      return fail(ErrorKind::misconfigured, "{}:{}: {}: a quote is not closed, or more follows it",
                  file.name, line, name);
    }
    variables.push_back(std::move(variable));
  }
  return variables;
}

}  // namespace config_table
}  // namespace candlewick
