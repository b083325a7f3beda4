// Numbers inside documents: exact where Decimal holds them, as doubles else.
#include "app/canonical.h"

#include <charconv>
#include <map>

#include "base/json.h"
#include "base/json_text.h"

namespace candlewick::app {
namespace {

void append_number(std::string& out, std::string_view digits) {
  bool is_inexact = false;
  const auto exact = Decimal::parse(digits, &is_inexact);
  if (exact && !is_inexact) return json::append(out, *exact);
  double number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  json::append(out, number);
}

void append_value(std::string& out, json::Value value) {
  switch (value.type()) {
    case json::Type::object: {
      // Of a key that comes twice the last one counts, as in jsonb.
      std::map<std::string, std::string> members;
      value.members([&](std::string_view key, json::Value member) {
        std::string text;
        const std::string name(key);
        append_value(text, member);
        members.insert_or_assign(name, std::move(text));
      });
      out += '{';
      for (const auto& [name, text] : members) {
        if (out.back() != '{') out += ',';
        json::append_string(out, name);
        out += ':';
        out += text;
      }
      out += '}';
      return;
    }
    case json::Type::array: {
      bool is_first = true;
      out += '[';
      value.elements([&](json::Value element) {
        if (!is_first) out += ',';
        is_first = false;
        append_value(out, element);
      });
      out += ']';
      return;
    }
    case json::Type::string:
      return json::append_string(out, value.string());
    case json::Type::number:
      return append_number(out, value.raw());
    case json::Type::boolean:
      out += value.boolean() ? "true" : "false";
      return;
    case json::Type::null:
      out += "null";
      return;
  }
}

}  // namespace

Result<std::string> canonical_json(std::string_view text) {
  json::Reader reader;
  std::string out;
  const auto read = reader.read(text, [&](json::Value root) { append_value(out, root); });
  if (!read) return fail(read.error());
  return out;
}

Result<std::string> canonical_line(const schema::Row& row) {
  schema::Row plain = row;
  for (auto& value : plain.values) {
    auto* document = std::get_if<schema::Json>(&value);
    if (document == nullptr) continue;
    auto text = canonical_json(document->text);
    if (!text) return within(row.table->name, std::move(text.error()));
    document->text = std::move(*text);
  }
  return schema::to_json(plain) + '\n';
}

int compare_keys(const schema::Row& a, const schema::Row& b) {
  for (const auto column : a.table->key) {
    const auto& left = a.at(column);
    const auto& right = b.at(column);
    int order = 0;
    if (const auto* words = std::get_if<std::string>(&left)) {
      order = words->compare(std::get<std::string>(right));
    } else if (const auto* moment = std::get_if<Time>(&left)) {
      const Time other = std::get<Time>(right);
      order = *moment < other ? -1 : int{other < *moment};
    } else {
      const auto number = std::get<std::int64_t>(left);
      const auto other = std::get<std::int64_t>(right);
      order = number < other ? -1 : int{other < number};
    }
    if (order != 0) return order;
  }
  return 0;
}

}  // namespace candlewick::app
