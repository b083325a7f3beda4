// HTTP header fields in the order written; names compare without regard to case.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candlewick::net {

bool equal_ignoring_case(std::string_view left, std::string_view right);

struct Header {
  std::string name{};
  std::string value{};
};

class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Header> fields) : fields_(fields) {}

  void add(std::string name, std::string value) {
    fields_.push_back({std::move(name), std::move(value)});
  }
  // Replaces all of that name.
  void set(std::string_view name, std::string value);
  // The first of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  // The same, empty when absent.
  std::string_view get(std::string_view name) const { return find(name).value_or(""); }
  bool has(std::string_view name) const { return find(name).has_value(); }
  std::size_t count(std::string_view name) const;
  // Whether a comma-separated field ("Connection: keep-alive, Upgrade") holds the token.
  bool has_token(std::string_view name, std::string_view token) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }
  void clear() { fields_.clear(); }
  void reserve(std::size_t count) { fields_.reserve(count); }

 private:
  std::vector<Header> fields_;
};

}  // namespace candlewick::net
