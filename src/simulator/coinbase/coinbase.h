// The public protocol of Coinbase Exchange: REST under /products (rest.cc), its feed under /.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "simulator/protocol.h"

namespace candlewick::simulator {

std::unique_ptr<Protocol> make_coinbase(Market& market, const Faults& faults);

namespace coinbase {

// Everything that a request needs to know.
struct Context {
  Market& market;
  const Faults& faults;
};

Reply answer(const Context& context, const Request& request, const RestView& view);
Reply error(int status, std::string_view message);

std::string price_text(const Listing& listing, Decimal price);
std::string size_text(Decimal size);
std::string time_text(Time time);
// A match's number among all that happens to its product.
constexpr std::uint64_t sequence_of(std::uint64_t trade_id) {
  return trade_id * 2;
}

}  // namespace coinbase
}  // namespace candlewick::simulator
