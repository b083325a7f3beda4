// Reading URLs of Binance.
#include "exchange/binance/target.h"

#include <algorithm>

namespace candlewick::exchange::binance {
namespace {

// Symbols are ASCII letters and digits but for a few: Unicode ones arrive percent-encoded.
std::string percent_decoded(std::string_view text) {
  const auto hex = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
      decoded += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string_view parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      return pair.substr(name.size() + 1);
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return {};
}

}  // namespace

// Only ASCII letters have case here.
std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return result;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

Target parse_target(std::string_view url) {
  Target target;
  const auto mark = std::min(url.find('?'), url.size());
  std::string_view path = url.substr(0, mark);
  const std::string_view query = mark < url.size() ? url.substr(mark + 1) : std::string_view{};
  for (const std::string_view root : {"/api/v3/", "/api/v1/", "/fapi/v1/", "/fapi/v2/"}) {
    const auto at = path.find(root);
    if (at == std::string_view::npos) continue;
    target.path = path.substr(at + root.size());
    break;
  }
  target.symbol = upper(percent_decoded(parameter(query, "symbol")));
  target.interval = parameter(query, "interval");
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
