// The checks of the tree: what reviewers would otherwise have to remember. Each failure names the
// place and what to do about it. Sources are read as text; no compiler is needed.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tools/tree.h"

namespace candlewick::tools {
namespace {

constexpr std::array<std::string_view, 9> banned_in_paths{
    "util", "utils", "common", "helper", "helpers", "types", "manager", "misc", "stuff"};
constexpr std::array<std::string_view, 9> clock_readings{
    "system_clock::now(", "steady_clock::now(", "high_resolution_clock::now(",
    "utc_clock::now(",    "file_clock::now(",   "std::time(",
    "time(nullptr)",      "gettimeofday(",      "clock_gettime("};
// Where only one machine would find them.
constexpr std::array<std::string_view, 4> machine_paths{
    "/work"
    "/",
    "/tmp/bash_"
    "jobs",
    "/home"
    "/",
    "/root"
    "/"};
// Each costs seconds to include.
constexpr std::array<std::string_view, 8> heavy_headers{
    "simdjson", "boost/", "curl/", "sqlite3.h", "prometheus/", "toml++/", "openssl/", "CLI/"};
// Venues that describe themselves when the service runs: no row could.
constexpr std::string_view bridge = "ccxt";
constexpr std::string_view npm_registry = "https://registry.npmjs.org/";
constexpr std::size_t long_file = 400;
constexpr std::size_t long_function = 60;

const Tree& tree() {
  static const Tree whole(CANDLEWICK_PROJECT_DIR);
  return whole;
}

void complain(std::string_view path, std::size_t line, std::string_view what) {
  ADD_FAILURE_AT(std::string(path).c_str(), static_cast<int>(line)) << what;
}

template <class Visit>
void each_cpp(Visit visit) {
  for (const auto& file : tree().files()) {
    if (file.is_cpp()) visit(file);
  }
}

std::string_view first_part(std::string_view path) {
  return path.substr(0, path.find('/'));
}

// "binance" of "exchange/binance/binance.h"; empty for what is of no venue.
std::string_view venue_of(std::string_view below_src) {
  constexpr std::string_view top = "exchange/";
  if (!below_src.starts_with(top)) return {};
  const auto rest = below_src.substr(top.size());
  return rest.find('/') == std::string_view::npos ? std::string_view{} : first_part(rest);
}

TEST(Layers, AreTheFoldersOfSrc) {
  auto layers = tree().layers();
  ASSERT_FALSE(layers.empty());
  std::ranges::sort(layers);
  EXPECT_EQ(layers, tree().folders_in("src"))
      << "src/CMakeLists.txt: every folder of src/ is a layer with a candlewick_layer() line";
}

TEST(Layers, IncludeOnlyWhatComesBeforeThem) {
  const auto layers = tree().layers();
  const auto rank = [&](std::string_view layer) {
    return std::ranges::find(layers, layer) - layers.begin();
  };
  each_cpp([&](const File& file) {
    if (file.layer().empty()) return;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const auto included = own_include(file.lines[i]);
      if (included.empty() || included.starts_with("test/")) continue;
      const auto other = first_part(included);
      if (rank(other) == std::ssize(layers) || included.find("..") != std::string_view::npos) {
        complain(file.path, i + 1,
                 fmt::format("\"{}\" is no layer: write the path from src/", included));
      } else if (rank(other) > rank(file.layer())) {
        complain(file.path, i + 1,
                 fmt::format("{} comes before {} in src/CMakeLists.txt: move what both need up, or "
                             "let {} be told through an interface of its own",
                             file.layer(), other, file.layer()));
      }
    }
  });
}

TEST(Layers, ShipNoTestCode) {
  each_cpp([](const File& file) {
    if (file.is_test()) return;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const auto included = own_include(file.lines[i]);
      if (included.starts_with("test/") || included.find("/testing") != std::string_view::npos) {
        complain(file.path, i + 1,
                 "test code in the program: only _test.cc and testing.h include it");
      }
    }
  });
}

// Within a layer a header may be heavy; what others include may not.
TEST(Layers, KeepHeavyHeadersToThemselves) {
  std::map<std::string, bool, std::less<>> known;
  const auto is_heavy = [&](const auto& self, std::string_view header) -> bool {
    if (const auto found = known.find(header); found != known.end()) return found->second;
    bool& heavy = known[std::string(header)];
    const File* file = tree().find("src/" + std::string(header));
    if (file == nullptr) return false;
    bool found = false;
    for (const std::string_view line : file->lines) {
      if (!line.starts_with("#include ")) continue;
      const auto path = line.substr(std::min(line.size(), std::string_view("#include <").size()));
      found =
          found ||
          std::ranges::any_of(heavy_headers, [&](auto word) { return path.starts_with(word); }) ||
          (!own_include(line).empty() && self(self, own_include(line)));
    }
    return heavy = found;
  };
  each_cpp([&](const File& file) {
    if (file.layer().empty() || file.is_test()) return;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const auto included = own_include(file.lines[i]);
      if (included.empty() || first_part(included) == file.layer()) continue;
      if (is_heavy(is_heavy, included)) {
        complain(file.path, i + 1,
                 fmt::format("\"{}\" brings a heavy library along: hide it there behind "
                             "a pointer to an Impl",
                             included));
      }
    }
  });
}

TEST(Exchanges, KnowNothingOfEachOther) {
  each_cpp([](const File& file) {
    if (file.layer() != "exchange") return;
    const auto own = venue_of(std::string_view(file.path).substr(std::string_view("src/").size()));
    if (own.empty()) return;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const auto other = venue_of(own_include(file.lines[i]));
      if (!other.empty() && other != own) {
        complain(file.path, i + 1,
                 fmt::format("{} includes {}: what both need belongs into "
                             "src/exchange/ itself",
                             own, other));
      }
    }
  });
}

TEST(Exchanges, AreRegisteredDescribedAndRecorded) {
  const File* registry = tree().find("src/exchange/registry.cc");
  ASSERT_NE(registry, nullptr);
  std::set<std::string, std::less<>> registered;
  for (const auto& line : registry->lines)
    registered.insert(std::string(venue_of(own_include(line))));
  for (const auto& venue : tree().folders_in("src/exchange")) {
    const auto folder = "src/exchange/" + venue;
    EXPECT_TRUE(venue == bridge || registered.contains(venue))
        << folder << ": add its include and its row to src/exchange/registry.cc";
    EXPECT_TRUE(tree().exists(folder + "/README.md"))
        << folder << ": add README.md: hosts, limits, channels, quirks, and when they were read";
    const auto fixtures = tree().root() / folder / "fixtures";
    EXPECT_TRUE(std::filesystem::is_directory(fixtures) && !std::filesystem::is_empty(fixtures))
        << folder << ": add fixtures/ with recorded frames and the events expected of them";
  }
}

// tools/untested.txt: "src/app/main.cc: the reason". A test named in a reason must exist.
std::map<std::string, std::string> untested_with_reason() {
  std::map<std::string, std::string> reasons;
  const File* list = tree().find("tools/untested.txt");
  if (list == nullptr) return reasons;
  for (std::size_t i = 0; i < list->lines.size(); ++i) {
    const std::string_view line = trim(list->lines[i]);
    if (line.empty() || line.starts_with("#")) continue;
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos || line.size() - colon < 12) {
      complain(list->path, i + 1, "write \"path: reason\"");
      continue;
    }
    const std::string path(line.substr(0, colon));
    const std::string reason(line.substr(colon + 2));
    const auto test_end = reason.find("_test.cc");
    if (test_end != std::string::npos) {
      const auto start = reason.find_last_of(" (", test_end);
      const auto test = reason.substr(start + 1, test_end + 8 - start - 1);
      const auto beside = path.substr(0, path.rfind('/') + 1) + test;
      if (!tree().exists(test) && !tree().exists(beside)) {
        complain(list->path, i + 1, fmt::format("there is no {}", test));
      }
    }
    reasons.emplace(path, reason);
  }
  return reasons;
}

// "src/base/config_*" stands for all that begins so.
bool is_meant(std::string_view listed, std::string_view path) {
  if (!listed.ends_with('*')) return listed == path;
  listed.remove_suffix(1);
  return path.starts_with(listed);
}

TEST(Sources, HaveATestBesideThem) {
  const auto reasons = untested_with_reason();
  std::set<std::string, std::less<>> unused;
  for (const auto& [listed, reason] : reasons) unused.insert(listed);
  each_cpp([&](const File& file) {
    if (file.layer().empty() || file.is_test() || !file.path.ends_with(".cc")) return;
    const auto test = file.path.substr(0, file.path.size() - 3) + "_test.cc";
    if (tree().exists(test)) return;
    const auto excepted = std::ranges::find_if(
        reasons, [&](const auto& entry) { return is_meant(entry.first, file.path); });
    if (excepted == reasons.end()) {
      complain(file.path, 1,
               fmt::format("no {}: write it, or give the reason in tools/untested.txt", test));
    } else {
      unused.erase(excepted->first);
    }
  });
  for (const auto& listed : unused) {
    complain("tools/untested.txt", 1,
             fmt::format("{} is gone or has a test now: take the line out", listed));
  }
}

TEST(Sources, BeginWithWhatTheyAreFor) {
  for (const auto& file : tree().files()) {
    const bool is_sql = file.path.ends_with(".sql");
    const bool is_build = file.path.ends_with("CMakeLists.txt") || file.path.ends_with(".cmake");
    if (!file.is_cpp() && !is_sql && !is_build) continue;
    const std::string_view sign = file.is_cpp() ? "// " : is_sql ? "-- " : "# ";
    if (file.lines.empty() || !file.lines.front().starts_with(sign)) {
      complain(file.path, 1,
               fmt::format("begin with one to four lines of \"{}\": what the file is for, "
                           "and what would surprise",
                           sign));
    }
  }
}

TEST(Sources, ReadClocksOnlyInBaseClock) {
  each_cpp([](const File& file) {
    if (file.layer().empty() || file.is_test() || file.path == "src/base/clock.cc") return;
    for (std::size_t i = 0; i < file.parts.size(); ++i) {
      for (const auto reading : clock_readings) {
        if (file.parts[i].code.find(reading) != std::string::npos) {
          complain(file.path, i + 1,
                   fmt::format("{}…): take a Clock (base/clock.h), so that tests can "
                               "drive the time",
                               reading));
        }
      }
    }
  });
}

TEST(Comments, SayWhyAndWhereOfEveryTodo) {
  each_cpp([](const File& file) {
    for (std::size_t i = 0; i < file.parts.size(); ++i) {
      const std::string_view comment = file.parts[i].comment;
      for (const std::string_view word : {"TODO", "FIXME", "XXX", "HACK"}) {
        if (!contains_word(comment, word)) continue;
        const auto at = comment.find("TODO(#");
        const auto colon = at == std::string_view::npos ? at : comment.find("): ", at);
        if (colon == std::string_view::npos || comment.size() - colon < 12) {
          complain(file.path, i + 1,
                   "write TODO(#issue): what is missing and why it may wait; or do it");
        }
      }
    }
  });
}

TEST(Comments, HoldNoCodeThatWasSwitchedOff) {
  each_cpp([](const File& file) {
    for (std::size_t i = 0; i < file.parts.size(); ++i) {
      if (looks_like_code(file.parts[i], file.lines[i])) {
        complain(file.path, i + 1,
                 "commented-out code: delete it, the history keeps it (an example is "
                 "indented by three spaces)");
      }
    }
  });
}

TEST(Comments, AreNoBanners) {
  each_cpp([](const File& file) {
    for (std::size_t i = 0; i < file.parts.size(); ++i) {
      const std::string_view comment = trim(file.parts[i].comment);
      if (comment.starts_with("---") || comment.starts_with("===") || comment.starts_with("***")) {
        complain(file.path, i + 1, "a banner: a file that needs headings wants to be two files");
      }
    }
  });
}

TEST(Paths, AreNamedAfterWhatIsInThem) {
  for (const auto& file : tree().files()) {
    std::string word;
    for (const char c : file.path + "/") {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        continue;
      }
      if (std::ranges::find(banned_in_paths, word) != banned_in_paths.end()) {
        complain(file.path, 1,
                 fmt::format("\"{}\" says nothing: name the one idea of the file", word));
      }
      word.clear();
    }
  }
}

TEST(Paths, OfOneMachineAreNowhere) {
  for (const auto& file : tree().files()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string_view line = file.lines[i];
      for (const auto path : machine_paths) {
        if (line.find(path) != std::string_view::npos) {
          complain(file.path, i + 1,
                   fmt::format("{} exists on one machine only: use a relative path, a "
                               "setting or an environment variable",
                               path));
        }
      }
      const auto resolved = line.find("\"resolved\": \"");
      if (resolved != std::string_view::npos && line.find(npm_registry) == std::string_view::npos) {
        complain(file.path, i + 1,
                 fmt::format("packages come from {} (npm install --registry)", npm_registry));
      }
    }
  }
}

// Rows such as "| `base/` | …" below the heading of the map.
TEST(Readme, MapsTheFoldersOfSrcInTheirOrder) {
  const File* readme = tree().find("README.md");
  ASSERT_NE(readme, nullptr);
  std::vector<std::string> mapped;
  for (const std::string_view line : readme->lines) {
    constexpr std::string_view row = "| `src/";
    if (!line.starts_with(row)) continue;
    const auto name = line.substr(row.size());
    mapped.emplace_back(name.substr(0, name.find('/')));
  }
  EXPECT_EQ(mapped, tree().layers())
      << "README.md: the rows of the folder map follow src/CMakeLists.txt";
}

TEST(Readme, NamesEveryCommandOfTheProgram) {
  const File* main = tree().find("src/app/main.cc");
  const File* readme = tree().find("README.md");
  ASSERT_NE(main, nullptr);
  ASSERT_NE(readme, nullptr);
  std::set<std::string> commands;
  // The formatter may break the line behind the parenthesis.
  bool name_follows = false;
  for (const std::string_view line : main->lines) {
    constexpr std::string_view call = "add_subcommand(";
    const auto at = line.find(call);
    if (at == std::string_view::npos && !name_follows) continue;
    const auto rest = at == std::string_view::npos ? line : line.substr(at + call.size());
    const auto quote = rest.find('"');
    name_follows = quote == std::string_view::npos;
    if (name_follows) continue;
    const auto name = rest.substr(quote + 1);
    commands.emplace(name.substr(0, name.find('"')));
  }
  ASSERT_FALSE(commands.empty());
  std::set<std::string> told;
  for (const std::string_view line : readme->lines) {
    constexpr std::string_view row = "| `candlewick ";
    if (!line.starts_with(row)) continue;
    const auto name = line.substr(row.size());
    told.emplace(name.substr(0, name.find_first_of(" `")));
  }
  EXPECT_EQ(told, commands)
      << "README.md: one row \"| `candlewick <command>` |\" for each of src/app/main.cc";
}

TEST(Docs, LinkToFilesThatExist) {
  for (const auto& file : tree().files()) {
    if (!file.path.ends_with(".md")) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string_view line = file.lines[i];
      for (auto at = line.find("]("); at != std::string_view::npos; at = line.find("](", at + 1)) {
        auto target = line.substr(at + 2, line.find(')', at) - at - 2);
        target = target.substr(0, target.find('#'));
        if (target.empty() || target.find("://") != std::string_view::npos) continue;
        if (!tree().exists(std::filesystem::path(file.folder()) / target)) {
          complain(file.path, i + 1, fmt::format("there is no {}: mend the link", target));
        }
      }
    }
  }
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
  std::string text;
  std::array<char, 4096> buffer{};
  while (pipe != nullptr) {
    const auto count = std::fread(buffer.data(), 1, buffer.size(), pipe.get());
    if (count == 0) break;
    text.append(buffer.data(), count);
  }
  return text;
}

TEST(Lint, RunsTheChecksThatAreCommitted) {
  const std::string printed = output_of("clang-tidy-19 --list-checks 2>/dev/null");
  if (printed.empty()) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread
    ASSERT_EQ(std::getenv("CI"), nullptr) << "clang-tidy-19 is not installed: ./x setup";
    GTEST_SKIP()
        << "clang-tidy-19 is not installed, so its list of checks was not compared (./x setup)";
  }
  const File* committed = tree().find("tools/clang-tidy-checks.txt");
  ASSERT_NE(committed, nullptr);
  std::vector<std::string> active;
  for (std::size_t at = 0; at < printed.size();) {
    const auto end = std::min(printed.find('\n', at), printed.size());
    const auto line = trim(std::string_view(printed).substr(at, end - at));
    if (!line.empty() && !line.ends_with(":")) active.emplace_back(line);
    at = end + 1;
  }
  EXPECT_EQ(active, committed->lines)
      << "the active checks are others than those committed: if that is meant, tools/lint --update";
}

// A look, not a limit: nothing here fails.
TEST(Lengths, AreListed) {
  std::vector<std::pair<std::size_t, std::string>> longest;
  each_cpp([&](const File& file) {
    if (file.lines.size() > long_file) longest.emplace_back(file.lines.size(), file.path);
    for (const auto& function : functions_in(file)) {
      if (function.length <= long_function) continue;
      longest.emplace_back(function.length,
                           fmt::format("{}:{} {}()", file.path, function.line, function.name));
    }
  });
  std::ranges::sort(longest, std::greater{});
  for (const auto& [length, what] : longest) fmt::print("{:5} lines  {}\n", length, what);
}

}  // namespace
}  // namespace candlewick::tools
