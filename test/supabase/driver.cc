// One sink at work on rows of standard input, for judges that are no C++ programs:
//   driver SINK write|examine|setup [KEY=VALUE...]
// Rows are JSON Lines as the log has them; an empty line ends a batch. Answers are JSON Lines: one
// for each batch, one for each finding. `setup` prints SQL.
#include <array>
#include <cstdio>
#include <iostream>
#include <string>

#include "base/json_text.h"
#include "sink/registry.h"

namespace {

using namespace candlewick;

int usage(const char* why) {
  std::fprintf(stderr, "driver: %s\nusage: driver SINK write|examine|setup [KEY=VALUE...]\n", why);
  return 2;
}

void tell(const Result<void>& result) {
  std::string line;
  json::Members members(line);
  members("ok", result.has_value());
  if (!result) members("kind", to_text(result.error().kind))("message", result.error().message);
  members.close();
  std::puts(line.c_str());
}

int write(sink::Sink& sink) {
  schema::RowReader reader;
  std::vector<log::Entry> entries;
  log::Sequence last = 0;
  const auto flush = [&] {
    if (entries.empty()) return;
    tell(sink.write(sink::Batch("driver", std::move(entries))));
    entries.clear();
  };
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) {
      flush();
      continue;
    }
    auto row = reader.read(line);
    if (!row) {
      std::fprintf(stderr, "driver: %s\n", row.error().message.c_str());
      return 1;
    }
    entries.push_back({.sequence = ++last, .row = std::move(*row)});
  }
  flush();
  return 0;
}

int examine(sink::Sink& sink) {
  constexpr std::array<std::string_view, 3> grades{"good", "warning", "bad"};
  for (const auto& finding : sink.examine()) {
    std::string line;
    json::Members members(line);
    members("grade", grades[static_cast<std::size_t>(finding.grade)])("what", finding.what)(
        "advice", finding.advice);
    members.close();
    std::puts(line.c_str());
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return usage("too few words");
  const auto* const kind = sink::find_sink(words[1]);
  if (kind == nullptr) return usage("no such sink");
  const RealClock clock;
  sink::Settings settings{.clock = &clock, .values = {}};
  for (int i = 3; i < count; ++i) {
    const std::string word = words[i];
    const auto equals = word.find('=');
    if (equals == std::string::npos) return usage("a setting is KEY=VALUE");
    settings.values.emplace(word.substr(0, equals), word.substr(equals + 1));
  }
  const std::string command = words[2];
  if (command == "setup") {
    if (kind->setup_sql == nullptr) return usage("this sink needs no SQL");
    std::fputs(kind->setup_sql(settings).c_str(), stdout);
    return 0;
  }
  if (command != "write" && command != "examine") return usage("no such command");
  const auto made = kind->make(settings);
  if (!made) {
    tell(fail(made.error()));
    return 1;
  }
  return command == "write" ? write(**made) : examine(**made);
}
