// The text is base64url of a check sum and a query string: "r" is the route, "p" the position,
// "b" what is beside it.
#include "api/cursor.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace candlewick::api {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view version = "1";
constexpr std::size_t sum_digits = 8;

// FNV-1a: tells a damaged cursor from a whole one; nobody is kept from making their own.
std::string check_sum(std::string_view text) {
  std::uint32_t sum = 2'166'136'261U;
  for (const char c : text) {
    sum ^= static_cast<unsigned char>(c);
    sum *= 16'777'619U;
  }
  return fmt::format("{:08x}", sum);
}

}  // namespace

std::string to_base64url(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) out += alphabet[bits >> (held - 6) & 63U];
  }
  if (held > 0) out += alphabet[bits << (6 - held) & 63U];
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>(bits >> held & 255U);
    }
  }
  // One text for one value: bits that no byte uses are zero.
  if ((bits & ((1U << held) - 1U)) != 0) return std::nullopt;
  return out;
}

std::string to_text(const Cursor& cursor) {
  net::Query query{
      {"v", std::string(version)}, {"r", cursor.route}, {"p", std::to_string(cursor.position)}};
  if (!cursor.beside.empty()) query.emplace_back("b", cursor.beside);
  query.insert(query.end(), cursor.parameters.begin(), cursor.parameters.end());
  const std::string text = net::build_query(query);
  return to_base64url(check_sum(text) + text);
}

Result<Cursor> parse_cursor(std::string_view text) {
  const auto refuse = [] { return fail(ErrorKind::malformed, "not a cursor of this service"); };
  const auto bytes = from_base64url(text);
  if (!bytes || bytes->size() < sum_digits) return refuse();
  const std::string_view content = std::string_view(*bytes).substr(sum_digits);
  if (check_sum(content) != bytes->substr(0, sum_digits)) return refuse();
  auto query = net::parse_query(content);
  if (!query || query->size() < 3) return refuse();
  const auto& v = (*query)[0];
  const auto& r = (*query)[1];
  const auto& p = (*query)[2];
  if (v.first != "v" || v.second != version || r.first != "r" || p.first != "p") return refuse();
  Cursor cursor{.route = r.second, .position = 0, .parameters = {}};
  const char* last = p.second.data() + p.second.size();
  const auto [end, error] = std::from_chars(p.second.data(), last, cursor.position);
  if (end != last || error != std::errc{}) return refuse();
  std::ptrdiff_t read = 3;
  if (query->size() > 3 && (*query)[3].first == "b") {
    cursor.beside = (*query)[3].second;
    if (!std::ranges::all_of(cursor.beside, [](char c) { return c >= '!' && c <= '~'; }))
      return refuse();
    ++read;
  }
  cursor.parameters.assign(query->begin() + read, query->end());
  return cursor;
}

}  // namespace candlewick::api
