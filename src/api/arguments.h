// The parameters of one request, read strictly: unknown, repeated, empty, huge and malformed ones
// are refused by name. The first problem sticks, so a resource reads all it needs and asks once.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/problem.h"
#include "base/time.h"
#include "market/timeframe.h"
#include "net/url.h"
#include "query/candles.h"

namespace candlewick::api {

class Arguments {
 public:
  Arguments() = default;
  // `allowed`: every name that the route knows.
  Arguments(net::Query query, std::span<const std::string_view> allowed);

  bool has(std::string_view name) const { return value(name) != nullptr; }
  // Empty when absent.
  std::string text(std::string_view name) const;
  std::string required(std::string_view name);
  // Between 1 and `most`.
  std::size_t count(std::string_view name, std::size_t otherwise, std::size_t most);
  // RFC 3339 or an epoch; 1970 to 2199.
  std::optional<Time> time(std::string_view name);
  bool flag(std::string_view name);  // false when absent
  Timeframe timeframe(std::string_view name, Timeframe otherwise);
  query::Order order(std::string_view name);  // ascending when absent
  // The place of one of these words; the first when absent.
  std::size_t choice(std::string_view name, std::span<const std::string_view> words);
  // Both must have been read as times.
  void check_range(const std::optional<Time>& start, const std::optional<Time>& end);

  void refuse(const ProblemKind& kind, std::string_view name, std::string detail);
  const std::optional<Problem>& problem() const { return problem_; }

  // Adds what is absent; what is there must be the same, but for `free`. Used by cursors.
  void adopt(const net::Query& others, std::string_view free);
  // As sent or adopted, without `left_out`.
  net::Query without(std::string_view left_out) const;
  void set(std::string_view name, std::string text);

  static constexpr std::size_t max_bytes = 256;
  static constexpr std::size_t max_cursor_bytes = 2048;
  static constexpr std::size_t max_list_bytes = 1024;

 private:
  void check_names(std::span<const std::string_view> allowed);
  const std::string* value(std::string_view name) const;

  net::Query query_;
  std::optional<Problem> problem_;
};

}  // namespace candlewick::api
