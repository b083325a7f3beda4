// Look-up in header fields.
#include "net/headers.h"

#include <algorithm>

namespace candlewick::net {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

void Headers::set(std::string_view name, std::string value) {
  std::string owned(name);
  std::erase_if(fields_, [&](const Header& h) { return equal_ignoring_case(h.name, owned); });
  fields_.push_back({std::move(owned), std::move(value)});
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Header& header : fields_) {
    if (equal_ignoring_case(header.name, name)) {
      return header.value;
    }
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [&](const Header& header) { return equal_ignoring_case(header.name, name); }));
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
  for (const Header& header : fields_) {
    if (!equal_ignoring_case(header.name, name)) {
      continue;
    }
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      if (equal_ignoring_case(trim(rest.substr(0, comma)), token)) {
        return true;
      }
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
  }
  return false;
}

}  // namespace candlewick::net
