// One function an action.
#include "app/dead_letters.h"

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "app/command.h"
#include "app/table.h"
#include "app/warehouse_choice.h"
#include "base/json_text.h"
#include "log/sqlite_log.h"

namespace candlewick::app {
namespace {

constexpr std::size_t reason_width = 80;

std::string_view table_of(std::string_view text) {
  constexpr std::string_view head = R"({"table":")";
  if (!text.starts_with(head)) return "?";
  text.remove_prefix(head.size());
  return text.substr(0, text.find('"'));
}

int list(log::Log& log, const DeadLettersOptions& options) {
  const auto format = parse_format(options.format);
  if (!format) return report(format.error());
  const auto letters = log.dead_letters(options.sink, static_cast<std::size_t>(options.limit));
  if (!letters) return report(letters.error());
  const auto count = log.count_dead_letters(options.sink);
  Table table({"sink", "sequence", "table", "kind", "recorded at", "reason"});
  std::vector<std::string> lines;
  for (const auto& letter : *letters) {
    table.add({letter.sink, fmt::format("{}", letter.sequence), std::string(table_of(letter.text)),
               std::string(to_text(letter.kind)), to_rfc3339(letter.recorded_at),
               letter.reason.substr(0, reason_width)});
    std::string line;
    json::Members members(line);
    members("sink", letter.sink)("sequence", letter.sequence)("kind", to_text(letter.kind))(
        "reason", letter.reason)("recorded_at", letter.recorded_at)("row", letter.text);
    members.close();
    lines.push_back(std::move(line));
  }
  print(table, *format, lines);
  if (count && std::cmp_greater(*count, letters->size()))
    fmt::print(stderr, "candlewick: {} of {} are shown (see --limit)\n", letters->size(), *count);
  return done;
}

// Those that the flags name. Error: misconfigured.
Result<std::vector<log::DeadLetter>> named(log::Log& log, const DeadLettersOptions& options) {
  if (options.all == options.sequence.has_value()) {
    return fail(ErrorKind::misconfigured,
                "dead-letters {}: name one by --sink and --sequence, or all by --all",
                options.action);
  }
  if (options.sequence && options.sink.empty()) {
    return fail(ErrorKind::misconfigured, "dead-letters {}: --sequence needs --sink",
                options.action);
  }
  auto letters = log.dead_letters(options.sink, std::numeric_limits<std::int32_t>::max());
  if (!letters || options.all) return letters;
  std::erase_if(*letters, [&](const auto& letter) { return letter.sequence != *options.sequence; });
  if (letters->empty()) {
    return fail(ErrorKind::misconfigured, "there is no dead letter {} of sink {}",
                *options.sequence, options.sink);
  }
  return letters;
}

int show(log::Log& log, const DeadLettersOptions& options) {
  const auto letters = named(log, options);
  if (!letters) return report(letters.error());
  LineOutput output;
  for (const auto& letter : *letters) {
    fmt::print(stderr, "sink {}, sequence {}, {}: {}\n", letter.sink, letter.sequence,
               to_text(letter.kind), letter.reason);
    output.text() += letter.text;
    output.end_line();
  }
  return done;
}

// The row within a file or standard input, on one line.
Result<std::string> mended_row(const std::string& name) {
  std::string text;
  if (name == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    auto read = read_text_file(name);
    if (!read) return read;
    text = std::move(*read);
  }
  const auto row = schema::RowReader().read(text);
  if (!row) return fail(ErrorKind::misconfigured, "{}: {}", name, row.error().message);
  return schema::to_json(*row);
}

int resend(log::Log& log, const DeadLettersOptions& options) {
  std::optional<std::string> mended;
  if (!options.row.empty()) {
    if (options.all) {
      return report({ErrorKind::misconfigured, "dead-letters resend: --row mends one, not all"});
    }
    auto row = mended_row(options.row);
    if (!row) return report(row.error());
    mended = std::move(*row);
  }
  const auto letters = named(log, options);
  if (!letters) return report(letters.error());
  for (const auto& letter : *letters) {
    const auto sent = log.resend_dead_letter(letter.sink, letter.sequence, mended);
    if (!sent) return report(sent.error());
    fmt::print("sink {}: {} goes out again as {}\n", letter.sink, letter.sequence, *sent);
  }
  return done;
}

int drop(log::Log& log, const DeadLettersOptions& options) {
  const auto letters = named(log, options);
  if (!letters) return report(letters.error());
  for (const auto& letter : *letters) {
    if (auto removed = log.remove_dead_letter(letter.sink, letter.sequence); !removed)
      return report(removed.error());
  }
  fmt::print("{} dropped\n", letters->size());
  return done;
}

}  // namespace

int dead_letters(const LoadedConfig& loaded, const DeadLettersOptions& options) {
  const auto path = log_path(loaded.config);
  if (!std::filesystem::exists(path)) {
    return report({ErrorKind::misconfigured,
                   fmt::format("{}: there is no log yet (data_dir)", path.string())});
  }
  const auto log = log::open_sqlite_log({.path = path});
  if (!log) return report(log.error());
  if (options.action == "show") return show(**log, options);
  if (options.action == "resend") return resend(**log, options);
  if (options.action == "drop") return drop(**log, options);
  return list(**log, options);
}

}  // namespace candlewick::app
