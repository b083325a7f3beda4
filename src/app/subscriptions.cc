// A small JSON file, written beside its place and renamed.
#include "app/subscriptions.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include "base/json.h"
#include "base/json_text.h"

namespace candlewick::app {
namespace {

std::filesystem::path path_of(const Config& config) {
  return std::filesystem::path(config.data_dir) / "subscriptions.json";
}

std::filesystem::path new_path_of(const Config& config) {
  return path_of(config).string() + ".new";
}

void append_list(std::string& out, const std::vector<std::string>& entries) {
  out += '[';
  for (const auto& entry : entries) {
    if (out.back() != '[') out += ',';
    json::append_string(out, entry);
  }
  out += ']';
}

}  // namespace

Wanted wanted_by(const Config& config) {
  return {config.exchanges, config.symbols};
}

Result<std::optional<Wanted>> stored_order(const Config& config) {
  const auto path = path_of(config);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  Wanted wanted;
  json::Reader reader;
  const auto read = reader.read(text.str(), [&](json::Value root) {
    root.members([&](std::string_view name, json::Value value) {
      auto& list = name == "exchanges" ? wanted.exchanges : wanted.symbols;
      value.elements([&](json::Value entry) { list.emplace_back(entry.string()); });
    });
  });
  if (!read || wanted.exchanges.empty() || wanted.symbols.empty()) {
    return fail(ErrorKind::misconfigured,
                "{} holds an order to follow other instruments, and cannot be read{}; mend or "
                "delete it",
                path.string(), read ? "" : ": " + read.error().message);
  }
  return wanted;
}

Result<void> write_order(const Config& config, const Wanted& wanted) {
  const auto path = new_path_of(config);
  std::string text = R"({"exchanges":)";
  append_list(text, wanted.exchanges);
  text += R"(,"symbols":)";
  append_list(text, wanted.symbols);
  text += "}\n";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const bool is_written = file >= 0 &&
                          ::write(file, text.data(), text.size()) == std::ssize(text) &&
                          ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  if (is_written) return {};
  return fail(ErrorKind::misconfigured,
              "{} cannot be written; the order would not outlive a restart", path.string());
}

Result<void> keep_order(const Config& config) {
  std::error_code error;
  std::filesystem::rename(new_path_of(config), path_of(config), error);
  if (!error) return {};
  return fail(ErrorKind::misconfigured, "{}: {}", path_of(config).string(), error.message());
}

void forget_order(const Config& config) {
  std::error_code ignored;
  std::filesystem::remove(path_of(config), ignored);
  std::filesystem::remove(new_path_of(config), ignored);
}

}  // namespace candlewick::app
