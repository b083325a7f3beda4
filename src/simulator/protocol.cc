// The venues that can be simulated: one row each.
#include "simulator/protocol.h"

#include <array>

#include "simulator/binance.h"
#include "simulator/coingecko.h"

namespace candlewick::simulator {
namespace {

using Make = std::unique_ptr<Protocol> (*)(Market& market, const Faults& faults);

struct Row {
  std::string_view venue;
  Make make;
};

constexpr std::array<Row, 3> rows{
    {{"binance", make_binance}, {"binance-us", make_binance_us}, {"coingecko", make_coingecko}}};

}  // namespace

std::optional<std::string_view> Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

Result<Request> make_request(std::string_view method, std::string_view target,
                             std::string_view body) {
  Request request;
  request.method = method;
  request.target = target;
  request.body = body;
  const auto question = target.find('?');
  auto path = net::percent_decode(target.substr(0, question));
  if (!path) return fail(std::move(path.error()));
  request.path = std::move(*path);
  if (question != std::string_view::npos) {
    auto query = net::parse_query(target.substr(question + 1));
    if (!query) return fail(std::move(query.error()));
    request.query = std::move(*query);
  }
  return request;
}

std::unique_ptr<Protocol> make_protocol(std::string_view venue, Market& market,
                                        const Faults& faults) {
  for (const auto& row : rows) {
    if (row.venue == venue) return row.make(market, faults);
  }
  return nullptr;
}

std::vector<std::string_view> simulated_venues() {
  std::vector<std::string_view> names;
  for (const auto& row : rows) names.push_back(row.venue);
  return names;
}

}  // namespace candlewick::simulator
