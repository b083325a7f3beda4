// Whole classes are mapped first, then what differs from its class.
#include "postgres/error.h"

#include <algorithm>
#include <array>
#include <optional>

namespace candlewick::postgres {
namespace {

struct Rule {
  std::string_view prefix;
  ErrorKind kind;
};
using enum ErrorKind;

// The longest prefix that fits counts. What is not listed (syntax, missing tables, rights, …) does
// not mend itself and is not the row's fault.
constexpr std::array<Rule, 19> rules{{
    {"08", transient},         // connection
    {"21", rejected},          // cardinality
    {"22", rejected},          // data
    {"23", rejected},          // constraints
    {"25006", misconfigured},  // read-only transaction
    {"25", transient},         // transaction state
    {"40", transient},         // rolled back: deadlock, serialization
    {"44", rejected},          // WITH CHECK OPTION
    {"53", transient},         // disk, memory, connections
    {"53400", misconfigured},  // a configured limit, as that on decompressed tuples
    {"54", rejected},          // too long for an index, …
    {"55P03", transient},      // lock not available
    {"55006", transient},      // object in use
    {"57", transient},         // cancelled, shut down, starting
    {"57P04", misconfigured},  // database dropped
    {"58", transient},         // disk
    {"P0001", rejected},       // raised by a trigger
    {"XX000", transient},      // internal
    {"26000", transient},      // a prepared statement that a pooler does not know: reconnect
}};

bool is_code(std::string_view text) {
  return text.size() == 5 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

struct Told {
  std::string_view code;
  std::string_view words;
};

// "FATAL:  28P01: password authentication failed for user "x"", anywhere in the message.
std::optional<Told> find_told(std::string_view message) {
  for (const std::string_view severity : {"FATAL:  ", "ERROR:  ", "PANIC:  "}) {
    const auto at = message.find(severity);
    if (at == std::string_view::npos) continue;
    const auto rest = message.substr(at + severity.size());
    if (rest.size() > 7 && is_code(rest.substr(0, 5)) && rest.substr(5, 2) == ": ") {
      const auto words = rest.substr(7);
      return Told{rest.substr(0, 5), words.substr(0, words.find('\n'))};
    }
  }
  return std::nullopt;
}

}  // namespace

ErrorKind kind_of(std::string_view sqlstate) {
  const Rule* best = nullptr;
  for (const auto& rule : rules) {
    if (sqlstate.starts_with(rule.prefix) &&
        (best == nullptr || rule.prefix.size() > best->prefix.size())) {
      best = &rule;
    }
  }
  return best == nullptr ? misconfigured : best->kind;
}

Error connection_error(std::string_view libpq_message, std::string_view shown) {
  if (const auto told = find_told(libpq_message)) {
    return {kind_of(told->code), fmt::format("{}: {} [{}]", shown, told->words, told->code)};
  }
  // The client's own words. Certificates and missing TLS are settings; the rest is the network.
  constexpr std::array<std::string_view, 6> settings{
      "SSL was required", "certificate", "root.crt", "SSL error", "no password supplied", "GSSAPI"};
  const bool is_setting = std::ranges::any_of(settings, [&](std::string_view words) {
    return libpq_message.find(words) != std::string_view::npos;
  });
  std::string words;
  for (const char c : libpq_message) {
    const bool is_space = c == '\n' || c == '\t' || c == ' ';
    if (!is_space) {
      words += c;
    } else if (!words.empty() && words.back() != ' ') {
      words += ' ';
    }
  }
  while (!words.empty() && words.back() == ' ') words.pop_back();
  return {is_setting ? misconfigured : transient, fmt::format("{}: {}", shown, words)};
}

}  // namespace candlewick::postgres
