// The table of configuration keys, for the files of the configuration only (config*.cc).
#pragma once

#include <limits>
#include <span>
#include <string_view>
#include <variant>

#include "base/config.h"

namespace candlewick::config_table {

// Exchanges that begin so are CCXT's, which alone knows which there are.
inline constexpr std::string_view bridged_prefix = "ccxt:";

// Where a key's value lives in the struct; the alternative is the key's type.
using Target =
    std::variant<std::string& (*)(Config&), std::int64_t& (*)(Config&), bool& (*)(Config&),
                 Duration& (*)(Config&), std::vector<std::string>& (*)(Config&),
                 Secret& (*)(Config&), Endpoint& (*)(Config&)>;

// What a text (or each entry of a list) must look like.
enum class Form { any, choice, symbol, venue, http_url, ws_url, nats_url, postgres_url };

struct Row {
  std::string_view key;
  Target target;
  std::string_view help;
  // The name that the original services gave it in the environment.
  std::string_view original = {};
  Form form = Form::any;
  std::span<const std::string_view> choices = {};
  // Of integers, and of durations counted in `unit`.
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int32_t>::max();
  Duration unit = std::chrono::seconds{1};
  // Less than `min` is raised to it with a warning instead of refused.
  bool raise_to_min = false;
};

std::span<const Row> rows();
const Row* find_row(std::string_view key);
bool is_secret(const Row& row);

// "CANDLEWICK_HTTP_LISTEN" of "http.listen".
std::string variable_of(std::string_view key);
// "--http-listen".
std::string flag_of(std::string_view key);

// What a value was before it was text: TOML has types, variables and flags have not.
enum class Shape { untyped, text, integer, boolean, list, other };
struct Given {
  std::string text;  // lists: separated by commas
  std::string origin;
  Shape shape = Shape::untyped;
};

// Puts the value into the struct. Error: misconfigured with the reason alone ("not an integer").
Result<void> assign(const Row& row, const Given& given, std::span<const std::string> venues,
                    Config& config, std::vector<std::string>& warnings);
// As it would be typed; secrets masked.
std::string shown(const Row& row, const Config& config);

// Checks a URL and drops its trailing slash. Plain http and ws only to loopback.
Result<std::string> checked_url(std::string_view text, Form form);

struct Variable {
  std::string name;
  std::string value;
  std::size_t line = 0;
};
// NAME=value lines; comments, "export", quotes. Error: misconfigured, naming file and line.
Result<std::vector<Variable>> parse_dotenv(const SourceFile& file);

}  // namespace candlewick::config_table
