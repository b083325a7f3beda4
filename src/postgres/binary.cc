// Everything is big-endian. NUMERIC is a list of digits in base 10,000 with the weight of the
// first; a Decimal has 18 fractional digits, so its last group holds only two of them.
#include "postgres/binary.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"

namespace candlewick::postgres {
namespace {

using schema::ColumnType;
using schema::Value;

constexpr std::int64_t us_to_2000 = 946'684'800'000'000;
constexpr std::uint16_t negative_sign = 0x4000;
constexpr int whole_groups = 6;  // 21 digits
constexpr int fraction_groups = 5;
constexpr std::uint64_t one = static_cast<std::uint64_t>(Decimal::one);

template <class T>
void append_big_endian(std::string& out, T value) {
  if constexpr (std::endian::native == std::endian::little && sizeof(T) > 1) {
    if constexpr (sizeof(T) == 2) value = static_cast<T>(__builtin_bswap16(value));
    if constexpr (sizeof(T) == 4) value = static_cast<T>(__builtin_bswap32(value));
    if constexpr (sizeof(T) == 8) value = static_cast<T>(__builtin_bswap64(value));
  }
  std::array<char, sizeof(T)> bytes{};
  std::memcpy(bytes.data(), &value, sizeof(T));
  out.append(bytes.data(), bytes.size());
}

template <class T>
T big_endian(std::string_view bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(static_cast<T>(value << 8) | static_cast<unsigned char>(bytes[i]));
  }
  return value;
}
std::uint16_t u16(std::string_view bytes, std::size_t at) {
  return big_endian<std::uint16_t>(bytes.substr(at, 2));
}

std::unexpected<Error> not_a(std::string_view what) {
  return fail(ErrorKind::malformed, "the server's answer is no {}", what);
}

// 10^(4n) as far as 128 bits go.
constexpr std::array<uint128, 10> powers_of_ten_thousand = [] {
  std::array<uint128, 10> powers{};
  uint128 power = 1;
  for (auto& entry : powers) {
    entry = power;
    power *= 10'000;
  }
  return powers;
}();

Result<std::int64_t> read_integer(std::string_view bytes, std::uint32_t oid) {
  switch (oid) {
    case type::boolean:
      if (bytes.size() == 1) return std::int64_t{bytes[0] != 0};
      break;
    case type::int2:
      if (bytes.size() == 2) return std::int64_t{static_cast<std::int16_t>(u16(bytes, 0))};
      break;
    case type::int4:
      if (bytes.size() == 4) {
        return std::int64_t{static_cast<std::int32_t>(big_endian<std::uint32_t>(bytes))};
      }
      break;
    case type::oid:
      if (bytes.size() == 4) return std::int64_t{big_endian<std::uint32_t>(bytes)};
      break;
    case type::int8:
      if (bytes.size() == 8) return static_cast<std::int64_t>(big_endian<std::uint64_t>(bytes));
      break;
    case type::numeric: {
      const auto number = read_numeric(bytes);
      if (!number) return fail(number.error());
      const int128 whole = number->count() / Decimal::one;
      if (whole * Decimal::one == number->count() &&
          whole <= std::numeric_limits<std::int64_t>::max() &&
          whole >= std::numeric_limits<std::int64_t>::min()) {
        return static_cast<std::int64_t>(whole);
      }
      return fail(ErrorKind::rejected, "{} is no 64-bit integer", number->to_string());
    }
    default:
      break;
  }
  return not_a("integer");
}

Result<double> read_real(std::string_view bytes, std::uint32_t oid) {
  if (oid == type::float8 && bytes.size() == 8) {
    return std::bit_cast<double>(big_endian<std::uint64_t>(bytes));
  }
  if (oid == type::float4 && bytes.size() == 4) {
    return double{std::bit_cast<float>(big_endian<std::uint32_t>(bytes))};
  }
  if (oid == type::numeric) {
    const auto number = read_numeric(bytes);
    if (!number) return fail(number.error());
    return number->to_double();
  }
  const auto integer = read_integer(bytes, oid);
  if (!integer) return not_a("number");
  return static_cast<double>(*integer);
}

Result<Time> read_time(std::string_view bytes, std::uint32_t oid) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  std::int64_t us = 0;
  if ((oid == type::timestamptz || oid == type::timestamp) && bytes.size() == 8) {
    us = static_cast<std::int64_t>(big_endian<std::uint64_t>(bytes));
    // The ends of the range stand for infinity.
    if (us == most || us == least || __builtin_add_overflow(us, us_to_2000, &us)) {
      return fail(ErrorKind::rejected, "a time that is out of range");
    }
  } else if (oid == type::date && bytes.size() == 4) {
    us =
        std::int64_t{static_cast<std::int32_t>(big_endian<std::uint32_t>(bytes))} * 86'400'000'000 +
        us_to_2000;
  } else {
    return not_a("time");
  }
  if (us > most / 1000 || us < least / 1000) {
    return fail(ErrorKind::rejected, "a time that is out of range");
  }
  return time_from_us(us);
}

Result<std::string> read_text(std::string_view bytes, std::uint32_t oid) {
  switch (oid) {
    case type::text:
    case type::varchar:
    case type::character:
    case type::name:
    case type::unknown:
    case type::json:
      return std::string(bytes);
    case type::jsonb:
      if (bytes.empty() || bytes[0] != 1) return not_a("jsonb");
      return compact_json(bytes.substr(1));
    case type::date: {
      const auto moment = read_time(bytes, oid);
      if (!moment) return fail(moment.error());
      return to_rfc3339(*moment).substr(0, 10);
    }
    case type::timestamp:
    case type::timestamptz: {
      const auto moment = read_time(bytes, oid);
      if (!moment) return fail(moment.error());
      return to_rfc3339(*moment);
    }
    case type::numeric: {
      const auto number = read_numeric(bytes);
      if (!number) return fail(number.error());
      return number->to_string();
    }
    case type::float4:
    case type::float8: {
      const auto number = read_real(bytes, oid);
      if (!number) return fail(number.error());
      return fmt::format("{}", *number);
    }
    default: {
      const auto integer = read_integer(bytes, oid);
      if (!integer) return not_a("text");
      return std::to_string(*integer);
    }
  }
}

bool fits(const Value& value, ColumnType column) {
  switch (column) {
    case ColumnType::text:
      return std::holds_alternative<std::string>(value);
    case ColumnType::integer:
      return std::holds_alternative<std::int64_t>(value);
    case ColumnType::boolean:
      return std::holds_alternative<bool>(value);
    case ColumnType::decimal:
      return std::holds_alternative<Decimal>(value);
    case ColumnType::real:
      return std::holds_alternative<double>(value);
    case ColumnType::time:
      return std::holds_alternative<Time>(value);
    case ColumnType::json:
      return std::holds_alternative<schema::Json>(value);
  }
  std::unreachable();
}

}  // namespace

std::string_view type_name(ColumnType column) {
  switch (column) {
    case ColumnType::text:
      return "text";
    case ColumnType::integer:
      return "bigint";
    case ColumnType::boolean:
      return "boolean";
    case ColumnType::decimal:
      return "numeric";
    case ColumnType::real:
      return "double precision";
    case ColumnType::time:
      return "timestamptz";
    case ColumnType::json:
      return "jsonb";
  }
  std::unreachable();
}

void append_int16(std::string& out, std::int16_t value) {
  append_big_endian(out, static_cast<std::uint16_t>(value));
}
void append_int32(std::string& out, std::int32_t value) {
  append_big_endian(out, static_cast<std::uint32_t>(value));
}
void append_int64(std::string& out, std::int64_t value) {
  append_big_endian(out, static_cast<std::uint64_t>(value));
}

void append_numeric(std::string& out, Decimal value) {
  const bool negative = value.is_negative();
  const uint128 magnitude = negative ? uint128{0} - static_cast<uint128>(value.count())
                                     : static_cast<uint128>(value.count());
  uint128 whole = magnitude / one;
  auto fraction = static_cast<std::uint64_t>(magnitude % one);

  std::array<std::uint16_t, whole_groups + fraction_groups> groups{};
  std::size_t first = whole_groups;  // of the groups that count
  for (; whole > std::numeric_limits<std::uint64_t>::max(); whole /= 10'000) {
    groups[--first] = static_cast<std::uint16_t>(whole % 10'000);
  }
  for (auto rest = static_cast<std::uint64_t>(whole); rest != 0; rest /= 10'000) {
    groups[--first] = static_cast<std::uint16_t>(rest % 10'000);
  }
  std::size_t end = whole_groups;
  int scale = 0;  // fractional digits
  if (fraction != 0) {
    end = groups.size();
    groups[--end] = static_cast<std::uint16_t>(fraction % 100 * 100);
    fraction /= 100;
    for (; end > whole_groups; fraction /= 10'000) {
      groups[--end] = static_cast<std::uint16_t>(fraction % 10'000);
    }
    end = groups.size();
    while (groups[end - 1] == 0) --end;
    scale = static_cast<int>(end - whole_groups) * 4;
    for (unsigned last = groups[end - 1]; last % 10 == 0; last /= 10) --scale;
  }
  while (first < end && groups[first] == 0) ++first;
  while (end > first && groups[end - 1] == 0) --end;
  const bool is_zero = first == end;
  append_int16(out, static_cast<std::int16_t>(end - first));
  append_int16(out,
               static_cast<std::int16_t>(is_zero ? 0 : whole_groups - 1 - static_cast<int>(first)));
  append_big_endian(out, static_cast<std::uint16_t>(negative ? negative_sign : 0));
  append_int16(out, static_cast<std::int16_t>(scale));
  for (std::size_t i = first; i < end; ++i) append_big_endian(out, groups[i]);
}

Result<Decimal> read_numeric(std::string_view bytes) {
  if (bytes.size() < 8) return not_a("numeric");
  const std::size_t count = u16(bytes, 0);
  const int weight = static_cast<std::int16_t>(u16(bytes, 2));
  const std::uint16_t sign = u16(bytes, 4);
  if (bytes.size() != 8 + 2 * count) return not_a("numeric");
  if (sign != 0 && sign != negative_sign) return fail(ErrorKind::rejected, "NaN or infinity");
  const auto out_of_range = [] {
    return fail(ErrorKind::rejected, "a numeric that is out of range");
  };
  uint128 magnitude = 0;
  unsigned beyond = 0;  // of the digits behind the 18th, the first two
  bool more = false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint16_t digits = u16(bytes, 8 + 2 * i);
    if (digits > 9'999) return not_a("numeric");
    if (digits == 0) continue;
    const int power = weight - static_cast<int>(i);
    if (power >= whole_groups) return out_of_range();
    if (power < -fraction_groups) {
      more = true;
      continue;
    }
    uint128 term = 0;
    if (power == -fraction_groups) {
      term = digits / 100;
      beyond = digits % 100;
    } else {
      // 18 fractional digits are four groups and two digits.
      const auto scale = powers_of_ten_thousand[static_cast<std::size_t>(power + 4)] * 100;
      if (__builtin_mul_overflow(uint128{digits}, scale, &term)) return out_of_range();
    }
    if (__builtin_add_overflow(magnitude, term, &magnitude)) return out_of_range();
  }
  if (beyond > 50 || (beyond == 50 && (more || (magnitude & 1) != 0))) ++magnitude;
  if ((magnitude >> 127) != 0) return out_of_range();
  const auto result = static_cast<int128>(magnitude);
  return Decimal::from_count(sign == 0 ? result : -result);
}

void append_value(std::string& out, const Value& value) {
  struct Appender {
    std::string& out;
    void operator()(schema::Null) const { check(false, "null has no bytes"); }
    void operator()(bool flag) const { out += flag ? '\1' : '\0'; }
    void operator()(std::int64_t number) const { append_int64(out, number); }
    void operator()(double number) const {
      append_big_endian(out, std::bit_cast<std::uint64_t>(number));
    }
    void operator()(Decimal number) const { append_numeric(out, number); }
    void operator()(Time moment) const { append_int64(out, to_us(moment) - us_to_2000); }
    void operator()(const std::string& words) const { out += words; }
    void operator()(const schema::Json& document) const {
      out += '\1';
      out += document.text;
    }
  };
  std::visit(Appender{out}, value);
}

Result<void> append_field(std::string& out, const Value& value, const schema::Column& column) {
  if (schema::is_null(value)) {
    if (!column.nullable) return fail(ErrorKind::rejected, "{} is null", column.name);
    append_int32(out, -1);
    return {};
  }
  if (!fits(value, column.type)) {
    return fail(ErrorKind::rejected, "{} is no {}", column.name, type_name(column.type));
  }
  const std::size_t at = out.size();
  append_int32(out, 0);
  append_value(out, value);
  const auto size = static_cast<std::uint32_t>(out.size() - at - 4);
  for (std::size_t i = 0; i < 4; ++i) out[at + i] = static_cast<char>(size >> (24 - 8 * i) & 0xFF);
  return {};
}

Result<Value> read_value(std::string_view bytes, std::uint32_t oid, ColumnType wanted) {
  const auto as_value = [](auto&& result) -> Result<Value> {
    if (!result) return fail(result.error());
    return Value{std::move(*result)};
  };
  switch (wanted) {
    case ColumnType::text:
      return as_value(read_text(bytes, oid));
    case ColumnType::integer:
      return as_value(read_integer(bytes, oid));
    case ColumnType::boolean: {
      const auto integer = read_integer(bytes, oid);
      if (!integer) return fail(integer.error());
      return Value{*integer != 0};
    }
    case ColumnType::real:
      return as_value(read_real(bytes, oid));
    case ColumnType::time:
      return as_value(read_time(bytes, oid));
    case ColumnType::json: {
      auto text = read_text(bytes, oid);
      if (!text) return fail(text.error());
      return Value{schema::Json{std::move(*text)}};
    }
    case ColumnType::decimal:
      break;
  }
  if (oid == type::numeric) return as_value(read_numeric(bytes));
  const auto integer = read_integer(bytes, oid);
  if (!integer) return not_a("decimal");
  return Value{Decimal(*integer)};
}

std::string compact_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') {
      out += c;
      if (++i < text.size()) out += text[i];
      continue;
    }
    if (c == '"') quoted = !quoted;
    if (quoted || (c != ' ' && c != '\n' && c != '\t' && c != '\r')) out += c;
  }
  return out;
}

}  // namespace candlewick::postgres
