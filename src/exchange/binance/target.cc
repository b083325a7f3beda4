// Reading URLs of Binance.
#include "exchange/binance/target.h"

#include <algorithm>

#include "exchange/reading.h"

namespace candlewick::exchange::binance {
Target parse_target(std::string_view url) {
  Target target;
  const std::string_view path = url.substr(0, url.find('?'));
  for (const std::string_view root : {"/api/v3/", "/api/v1/", "/fapi/v1/", "/fapi/v2/"}) {
    const auto at = path.find(root);
    if (at == std::string_view::npos) continue;
    target.path = path.substr(at + root.size());
    break;
  }
  // Symbols are ASCII letters and digits but for a few: Unicode ones arrive percent-encoded.
  target.symbol = upper(parameter(url, "symbol"));
  target.interval = parameter(url, "interval");
  return target;
}

std::string_view stream_in(std::string_view url) {
  for (const std::string_view root : {"/ws/", "streams="}) {
    const auto at = url.find(root);
    if (at == std::string_view::npos) continue;
    const auto name = url.substr(at + root.size());
    return name.substr(0, std::min(name.find('@'), name.size()));
  }
  return {};
}

}  // namespace candlewick::exchange::binance
