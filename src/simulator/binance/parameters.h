// The parameters of one request to Binance's REST. The first error sticks, so that an endpoint
// reads what it needs in order and asks once, at the end, whether all was well.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "market/timeframe.h"
#include "simulator/binance/binance.h"

namespace candlewick::simulator::binance {

class Parameters {
 public:
  // Both must outlive the object.
  Parameters(const Context& context, const Request& request);

  bool has(std::string_view name) const { return sent_.contains(std::string(name)); }
  std::optional<std::string_view> text(std::string_view name);
  // `symbol`, which must be there.
  std::size_t listing();
  // What `symbol`, `symbols` or neither of them names, in that order.
  std::vector<std::size_t> listings();
  std::optional<std::uint64_t> number(std::string_view name);
  // More than the most is cut down to it, as the venue does.
  std::size_t limit(std::size_t otherwise, std::size_t most);
  // Milliseconds or microseconds, told apart by size.
  std::optional<Time> time(std::string_view name);
  Timeframe interval();
  // "0", "8", "-3:30", "05:45": how far the borders of days are ahead of UTC's.
  Duration time_zone();

  void fail(int code, std::string_view message);
  // The reply that ends the request, if anything was wrong with it; a parameter that nobody asked
  // for is wrong too.
  std::optional<Reply> refusal();

 private:
  bool is_gone(std::size_t listing) const;
  std::size_t find(std::string_view symbol, std::string_view name);

  const Context& context_;
  const Request& request_;
  std::set<std::string> sent_;
  std::set<std::string> read_;
  std::optional<Reply> error_;
};

}  // namespace candlewick::simulator::binance
