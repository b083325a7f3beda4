// A small JSON file, written beside its place and renamed.
#include "app/subscriptions.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "base/json_text.h"

namespace candlewick::app {
namespace {

std::filesystem::path path_of(const Config& config) {
  return std::filesystem::path(config.data_dir) / "subscriptions.json";
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

Result<void> store_order(const Config& config, const Wanted& wanted) {
  const auto path = path_of(config);
  const auto beside = path.string() + ".new";
  std::string text = R"({"exchanges":)";
  append_list(text, wanted.exchanges);
  text += R"(,"symbols":)";
  append_list(text, wanted.symbols);
  text += "}\n";
  std::ofstream file(beside, std::ios::trunc);
  file << text;
  file.close();
  if (!file || std::rename(beside.c_str(), path.c_str()) != 0) {
    return fail(ErrorKind::misconfigured,
                "{} cannot be written; the order would not outlive a "
                "restart",
                path.string());
  }
  return {};
}

void forget_order(const Config& config) {
  std::error_code ignored;
  std::filesystem::remove(path_of(config), ignored);
}

}  // namespace candlewick::app
