// The project's own files as text, for tidy: read once, C++ taken apart into code and comments, so
// that a word inside a string or a comment is not mistaken for code.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace candlewick::tools {

// A C++ line: `code` without comments and with the contents of literals blanked out, `comment`
// without its slashes. `whole_line` says that there is nothing but the comment.
struct Line {
  std::string code;
  std::string comment;
  bool whole_line = false;
};
std::vector<Line> take_apart(std::span<const std::string> lines);

struct File {
  std::string path;  // below the project's folder: "src/base/decimal.cc"
  std::vector<std::string> lines;
  std::vector<Line> parts;  // of C++ files

  std::string_view name() const;    // "decimal.cc"
  std::string_view folder() const;  // "src/base"
  bool is_cpp() const { return path.ends_with(".cc") || path.ends_with(".h"); }
  // Tests and what only they include.
  bool is_test() const;
  // "base" of "src/base/decimal.cc"; empty outside src/.
  std::string_view layer() const;
};

class Tree {
 public:
  // Reads every text file that is ours; build folders, data, packages and recordings are not.
  explicit Tree(std::filesystem::path root);

  const std::filesystem::path& root() const { return root_; }
  const std::vector<File>& files() const { return files_; }
  const File* find(std::string_view path) const;
  bool exists(const std::filesystem::path& path) const;
  // Names of the folders in one, sorted.
  std::vector<std::string> folders_in(std::string_view folder) const;
  // The layers in the order of src/CMakeLists.txt.
  std::vector<std::string> layers() const;

 private:
  std::filesystem::path root_;
  std::vector<File> files_;
};

// The quoted text of `#include "…"`; empty for another line.
std::string_view own_include(std::string_view line);

// Does a comment read like code that was switched off?
bool looks_like_code(const Line& line, std::string_view as_written);

struct Function {
  std::string name;
  std::size_t line = 0;  // counts from 1
  std::size_t length = 0;
};
// Those that begin and end in the first column.
std::vector<Function> functions_in(const File& file);

std::string_view trim(std::string_view text);
bool contains_word(std::string_view text, std::string_view word);

}  // namespace candlewick::tools
