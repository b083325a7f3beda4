// Reading and taking apart. The lexer knows as much of C++ as telling comments from literals needs.
#include "tools/tree.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <utility>

namespace candlewick::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 9> skipped_folders{
    ".git", "build", "data", "node_modules", "fixtures", "corpus", "dist", "results", ".cache"};
constexpr std::array<std::string_view, 19> text_endings{
    ".cc",  ".h",  ".md", ".txt", ".cmake", ".toml", ".sql",     ".sh",      ".json", ".yaml",
    ".yml", ".ts", ".js", ".mjs", ".html",  ".css",  ".service", ".example", ".csv"};
constexpr std::array<std::string_view, 7> known_scripts{
    "x", "run", "lint", ".clang-format", "setup", "prepare", ".clang-tidy"};
constexpr std::uintmax_t largest_text = std::uintmax_t{2} << 20;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_ours(const fs::path& path) {
  const std::string name = path.filename().string();
  if (std::ranges::find(known_scripts, name) != known_scripts.end()) return true;
  return std::ranges::any_of(text_endings, [&](auto ending) { return name.ends_with(ending); });
}

std::vector<std::string> read_lines(const fs::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  return lines;
}

// Where the lexer is at the end of a line.
class Lexer {
 public:
  Line line(std::string_view text) {
    Line out;
    for (std::size_t at = 0; at < text.size();) at = step(text, at, out);
    if (quote_ != '\0') quote_ = '\0';  // a literal does not go on in the next line
    out.whole_line = trim(out.code).empty() && !out.comment.empty();
    return out;
  }

 private:
  std::size_t step(std::string_view text, std::size_t at, Line& out) {
    const std::string_view rest = text.substr(at);
    if (in_block_) return step_block(rest, at, out);
    if (!raw_end_.empty()) return step_raw(rest, at, out);
    if (quote_ != '\0') return step_literal(rest, at, out);
    if (rest.starts_with("//")) {
      out.comment += rest.substr(2);
      return text.size();
    }
    if (rest.starts_with("/*")) {
      in_block_ = true;
      return at + 2;
    }
    if (rest.starts_with("R\"") && (at == 0 || !is_word(text[at - 1]))) {
      const auto open = rest.find('(');
      raw_end_ = ")" + std::string(rest.substr(2, open - 2)) + "\"";
      out.code += "\"";
      return at + open + 1;
    }
    const bool separates_digits = rest[0] == '\'' && at > 0 && is_word(text[at - 1]);
    if (rest[0] == '"' || (rest[0] == '\'' && !separates_digits)) quote_ = rest[0];
    out.code += rest[0];
    return at + 1;
  }
  std::size_t step_block(std::string_view rest, std::size_t at, Line& out) {
    if (rest.starts_with("*/")) {
      in_block_ = false;
      return at + 2;
    }
    out.comment += rest[0];
    return at + 1;
  }
  std::size_t step_raw(std::string_view rest, std::size_t at, Line& out) {
    if (!rest.starts_with(raw_end_)) return at + 1;
    const auto length = raw_end_.size();
    raw_end_.clear();
    out.code += "\"";
    return at + length;
  }
  std::size_t step_literal(std::string_view rest, std::size_t at, Line& out) {
    if (rest[0] == '\\') return at + 2;
    if (rest[0] == quote_) {
      out.code += quote_;
      quote_ = '\0';
    }
    return at + 1;
  }

  bool in_block_ = false;
  char quote_ = '\0';
  std::string raw_end_;
};

}  // namespace

std::vector<Line> take_apart(std::span<const std::string> lines) {
  Lexer lexer;
  std::vector<Line> parts;
  parts.reserve(lines.size());
  for (const auto& line : lines) parts.push_back(lexer.line(line));
  return parts;
}

std::string_view File::name() const {
  const auto slash = path.rfind('/');
  return std::string_view(path).substr(slash == std::string::npos ? 0 : slash + 1);
}

std::string_view File::folder() const {
  const auto slash = path.rfind('/');
  return std::string_view(path).substr(0, slash == std::string::npos ? 0 : slash);
}

bool File::is_test() const {
  const auto own = name();
  return own.ends_with("_test.cc") || own.starts_with("testing") || own.starts_with("random_") ||
         own.starts_with("reference_data") || !path.starts_with("src/");
}

std::string_view File::layer() const {
  constexpr std::string_view top = "src/";
  if (!path.starts_with(top)) return {};
  const std::string_view below = std::string_view(path).substr(top.size());
  const auto slash = below.find('/');
  return slash == std::string_view::npos ? std::string_view{} : below.substr(0, slash);
}

Tree::Tree(fs::path root) : root_(std::move(root)) {
  auto walk = fs::recursive_directory_iterator(root_);
  for (auto entry = fs::begin(walk); entry != fs::end(walk); ++entry) {
    const auto name = entry->path().filename().string();
    if (entry->is_directory()) {
      if (std::ranges::find(skipped_folders, name) != skipped_folders.end()) {
        entry.disable_recursion_pending();
      }
      continue;
    }
    if (!entry->is_regular_file() || !is_ours(entry->path())) continue;
    if (entry->file_size() > largest_text) continue;
    File file{.path = fs::relative(entry->path(), root_).generic_string(),
              .lines = read_lines(entry->path()),
              .parts = {}};
    if (file.is_cpp()) file.parts = take_apart(file.lines);
    files_.push_back(std::move(file));
  }
  std::ranges::sort(files_, {}, &File::path);
}

const File* Tree::find(std::string_view path) const {
  const auto found = std::ranges::lower_bound(files_, path, {}, &File::path);
  return found != files_.end() && found->path == path ? &*found : nullptr;
}

bool Tree::exists(const fs::path& path) const {
  return fs::exists(root_ / path);
}

std::vector<std::string> Tree::folders_in(std::string_view folder) const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(root_ / folder)) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> Tree::layers() const {
  constexpr std::string_view call = "candlewick_layer(";
  std::vector<std::string> names;
  const File* list = find("src/CMakeLists.txt");
  if (list == nullptr) return names;
  for (const std::string_view line : list->lines) {
    if (!line.starts_with(call)) continue;
    const auto rest = line.substr(call.size());
    names.emplace_back(rest.substr(0, rest.find_first_of(" )")));
  }
  return names;
}

std::string_view own_include(std::string_view line) {
  constexpr std::string_view word = "#include \"";
  if (!line.starts_with(word)) return {};
  const auto rest = line.substr(word.size());
  return rest.substr(0, rest.find('"'));
}

bool looks_like_code(const Line& line, std::string_view as_written) {
  if (!line.whole_line) return false;
  const std::string_view text = trim(line.comment);
  if (text.starts_with("#include ") || text.starts_with("#if") || text == "#endif") return true;
  // Examples in a header's comment are indented by more than a space, or stand in the first column.
  if (line.comment.starts_with("  ") || as_written.starts_with("// ")) return false;
  if (text == "}" || text == "};") return true;
  const auto open = text.find('(');
  const bool calls = open != std::string_view::npos && open > 0 && is_word(text[open - 1]);
  if (text.ends_with(");")) return calls;
  if (text.ends_with("{")) return open != std::string_view::npos;
  return text.ends_with(";") &&
         (text.find(" = ") != std::string_view::npos || text.starts_with("return "));
}

std::vector<Function> functions_in(const File& file) {
  constexpr std::array<std::string_view, 6> other_things{"namespace", "struct ", "class ",
                                                         "enum ",     "union ",  "template"};
  std::vector<Function> found;
  for (std::size_t start = 0; start < file.parts.size(); ++start) {
    const std::string_view first = file.parts[start].code;
    if (first.empty() || (std::isalpha(static_cast<unsigned char>(first[0])) == 0)) continue;
    const auto open = first.find('(');
    if (open == std::string_view::npos || first.ends_with(";")) continue;
    if (std::ranges::any_of(other_things, [&](auto word) { return first.starts_with(word); })) {
      continue;
    }
    for (std::size_t end = start + 1; end < file.parts.size(); ++end) {
      const std::string_view last = file.parts[end].code;
      if (!last.starts_with("}") && (last.empty() || last[0] == ' ' || last[0] == '#')) continue;
      if (last == "}") {
        const auto name = first.substr(0, open);
        found.push_back({.name = std::string(name.substr(name.rfind(' ') + 1)),
                         .line = start + 1,
                         .length = end - start + 1});
      }
      start = end;
      break;
    }
  }
  return found;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool contains_word(std::string_view text, std::string_view word) {
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool starts = at == 0 || !is_word(text[at - 1]);
    const auto end = at + word.size();
    if (starts && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

}  // namespace candlewick::tools
