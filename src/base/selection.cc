// Words into what they ask for.
#include "base/selection.h"

#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "base/config.h"

namespace candlewick {
namespace {

constexpr std::size_t most = 10'000;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// "=" is a word of its own, also without spaces around it.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  for (const char c : text) {
    if (c == ' ' || c == '\t') {
      end_word();
    } else if (c == '=') {
      end_word();
      words.emplace_back("=");
    } else {
      word += c;
    }
  }
  end_word();
  return words;
}

bool is_rule(const std::vector<std::string>& words) {
  return (words.size() > 1 && lower(words[0]) == "top") ||
         (words.size() > 1 && lower(words[0]) == "quote" && words[1] == "=");
}

// "kraken:…" and "ccxt:mexc:…", but not the colon of "BTC/USDT:USDT".
std::size_t venue_length(std::string_view text) {
  const bool is_bridged = text.starts_with("ccxt:");
  const auto colon = text.find(':', is_bridged ? 5 : 0);
  if (colon == std::string_view::npos) return 0;
  for (const char c : text.substr(0, colon)) {
    const bool is_of_a_name = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                              (is_bridged && (c == ':' || c == '_'));
    if (!is_of_a_name) return 0;
  }
  return colon;
}

Result<std::string> asset(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!is_letter && (c < '0' || c > '9'))
      return fail(ErrorKind::malformed, "\"{}\" is not an asset such as USDT", text);
    name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  if (name.empty() || name.size() > 20)
    return fail(ErrorKind::malformed, "\"{}\" is not an asset such as USDT", text);
  return name;
}

class RuleReader {
 public:
  explicit RuleReader(std::vector<std::string> words) : words_(std::move(words)) {}

  Result<Selection> read() {
    Selection selection;
    do {
      auto part = next_is("top") ? top(selection) : quote(selection);
      if (!part) return fail(part.error());
    } while (next_is("and"));
    if (at_ < words_.size()) return not_understood();
    return selection;
  }

 private:
  // Passes over the word if it is there.
  bool next_is(std::string_view word) {
    if (at_ >= words_.size() || lower(words_[at_]) != word) return false;
    ++at_;
    return true;
  }
  std::unexpected<Error> not_understood() const {
    return fail(ErrorKind::malformed,
                "{} is not understood in a rule: \"top 50 by quote volume\", \"quote = USDT\", or "
                "both with \"and\" between them",
                at_ < words_.size() ? fmt::format("\"{}\"", words_[at_]) : "its end");
  }
  Result<void> top(Selection& selection) {
    if (at_ == words_.size()) return not_understood();
    const std::string& digits = words_[at_];
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), selection.top);
    if (error != std::errc{} || end != digits.data() + digits.size() || selection.top == 0 ||
        selection.top > most) {
      return fail(ErrorKind::malformed, "\"top {}\": a number from 1 to {} is needed", digits,
                  most);
    }
    ++at_;
    if (!next_is("by") || !next_is("quote") || !next_is("volume")) return not_understood();
    return {};
  }
  Result<void> quote(Selection& selection) {
    if (!next_is("quote") || !next_is("=") || at_ == words_.size()) return not_understood();
    auto name = asset(words_[at_++]);
    if (!name) return fail(name.error());
    selection.quote = std::move(*name);
    return {};
  }

  std::vector<std::string> words_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Selection> parse_selection(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  text.remove_prefix(std::min(first, text.size()));
  const auto length = venue_length(text);
  const std::string_view rest = length == 0 ? text : text.substr(length + 1);
  auto words = words_of(rest);
  Selection selection;
  if (is_rule(words)) {
    auto rule = RuleReader(std::move(words)).read();
    if (!rule) return rule;
    selection = std::move(*rule);
  } else {
    auto symbol = unified_symbol(rest);
    if (!symbol) return fail(symbol.error());
    selection.symbol = std::move(*symbol);
  }
  selection.venue = text.substr(0, length);
  return selection;
}

std::string to_text(const Selection& selection) {
  std::string text = selection.venue;
  if (!text.empty()) text += ':';
  if (!selection.is_rule()) return text + selection.symbol;
  if (selection.top > 0) text += fmt::format("top {} by quote volume", selection.top);
  if (selection.top > 0 && !selection.quote.empty()) text += " and ";
  if (!selection.quote.empty()) text += "quote = " + selection.quote;
  return text;
}

}  // namespace candlewick
