// Amounts, times, levels, URLs.
#include "exchange/reading.h"

#include <algorithm>

#include <fmt/format.h>
#include <zlib.h>

namespace candlewick::exchange {
namespace {

constexpr std::int64_t first_second = 1'000'000'000;  // 2001
constexpr std::int64_t last_second = 9'190'000'000;   // 2261

std::uint8_t fraction_digits(std::string_view number) {
  const auto point = number.find('.');
  if (point == std::string_view::npos) return 0;
  const auto fraction = number.substr(point + 1);
  const auto digits = std::min(fraction.find_first_not_of("0123456789"), fraction.size());
  return static_cast<std::uint8_t>(std::min<std::size_t>(digits, 255));
}

int hex(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

std::string percent_decoded(std::string_view text) {
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

}  // namespace

Decimal amount(json::Value& value) {
  const Decimal number = value.decimal();
  if (number.is_negative()) value.reject("negative");
  return number;
}

std::optional<Decimal> optional_amount(json::Value& value) {
  if (value.is_null() || value.raw().empty()) return std::nullopt;
  return amount(value);
}

std::optional<Time> time_of_epoch(std::int64_t epoch) {
  std::int64_t unit = 1;
  for (const std::int64_t nanoseconds : {1'000'000'000, 1'000'000, 1'000, 1}) {
    if (epoch >= first_second * unit && epoch / unit <= last_second)
      return Time{Duration{epoch * nanoseconds}};
    unit *= 1000;
  }
  return std::nullopt;
}

Time epoch(json::Value& value) {
  const auto time = time_of_epoch(value.integer());
  if (!time) value.reject("not a time");
  return time.value_or(Time{});
}

Time epoch_seconds(json::Value& value) {
  const Decimal seconds = value.decimal();
  const auto nanoseconds =
      static_cast<std::int64_t>(seconds.count() / (Decimal::one / 1'000'000'000));
  const bool is_time =
      !seconds.is_negative() && seconds >= Decimal(first_second) && seconds <= Decimal(last_second);
  if (!is_time) value.reject("not a time");
  return is_time ? Time{Duration{nanoseconds}} : Time{};
}

Time timestamp(json::Value& value) {
  const auto time = parse_time(value.string());
  if (!time) value.reject("not a time");
  return time ? *time : Time{};
}

void read_levels(json::Value& value, std::vector<Level>& levels, LevelDigits* digits) {
  levels.clear();
  value.elements([&](json::Value pair) {
    Level& level = levels.emplace_back();
    int index = 0;
    pair.elements([&](json::Value part) {
      if (index < 2 && digits != nullptr) {
        std::uint8_t& most = index == 0 ? digits->price : digits->size;
        most = std::max(most, fraction_digits(part.raw()));
      }
      if (index == 0) level.price = amount(part);
      if (index == 1) level.size = amount(part);
      ++index;
    });
    if (index < 2) pair.reject("a level is a price and a size");
  });
}

std::string_view name_of(std::span<const TimeframeName> names, Timeframe timeframe) {
  const auto found = std::ranges::find(names, timeframe, &TimeframeName::timeframe);
  return found == names.end() ? std::string_view{} : found->name;
}

std::optional<Timeframe> timeframe_of(std::span<const TimeframeName> names, std::string_view name) {
  const auto found = std::ranges::find(names, name, &TimeframeName::name);
  return found == names.end() ? std::nullopt : std::optional(found->timeframe);
}

std::uint32_t crc32(std::string_view text) {
  const auto start = ::crc32_z(0, nullptr, 0);
  return static_cast<std::uint32_t>(
      ::crc32_z(start, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

std::string_view path_of(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
    const auto slash = url.find('/', scheme + 3);
    url = slash == std::string_view::npos ? std::string_view{} : url.substr(slash);
  }
  return url.substr(0, url.find('?'));
}

std::string parameter(std::string_view url, std::string_view name) {
  const auto question = url.find('?');
  std::string_view query = question == std::string_view::npos ? "" : url.substr(question + 1);
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
      return percent_decoded(pair.substr(name.size() + 1));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return {};
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || c == '.';
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

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

}  // namespace candlewick::exchange
