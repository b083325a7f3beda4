// The texts of docs/streaming.md.
#include "stream/message.h"

#include "base/json_text.h"
#include "stream/json_form.h"

namespace candlewick::stream {
namespace {

std::string begin(std::string_view head, std::string_view type, std::size_t room) {
  std::string out;
  out.reserve(head.size() + room);
  out += head;
  out += type;
  out += '"';
  return out;
}

Message with_data(MessageKind kind, std::string_view type, std::string_view head,
                  std::uint64_t number, std::string_view data) {
  std::string out = begin(head, type, data.size() + 64);
  out += R"(,"seq":)";
  append_sequence(out, number);
  out += R"(,"data":)";
  const std::size_t data_begin = out.size();
  out += data;
  out += '}';
  return {.kind = kind,
          .first = number,
          .last = number,
          .text = std::make_shared<const std::string>(std::move(out)),
          .data_begin = data_begin};
}

}  // namespace

std::string head_of(std::string_view stream) {
  std::string head = R"({"stream":)";
  json::append_string(head, stream);
  head += R"(,"type":")";
  return head;
}

Message snapshot_message(std::string_view head, std::uint64_t number, std::string_view data) {
  return with_data(MessageKind::snapshot, "snapshot", head, number, data);
}

Message update_message(std::string_view head, std::uint64_t number, std::string_view data) {
  return with_data(MessageKind::update, "update", head, number, data);
}

Message dropped_message(std::string_view head, std::uint64_t first, std::uint64_t last) {
  std::string out = begin(head, "dropped", 96);
  out += R"(,"count":)";
  append_sequence(out, last - first + 1);
  out += R"(,"from_seq":)";
  append_sequence(out, first);
  out += R"(,"to_seq":)";
  append_sequence(out, last);
  out += '}';
  return {.kind = MessageKind::dropped,
          .first = first,
          .last = last,
          .text = std::make_shared<const std::string>(std::move(out))};
}

Message stale_message(std::string_view head, std::uint64_t number, std::optional<Time> since,
                      std::string_view reason) {
  std::string out = begin(head, "stale", 128);
  out += R"(,"seq":)";
  append_sequence(out, number);
  out += R"(,"since":)";
  if (since) {
    json::append(out, *since);
  } else {
    out += "null";
  }
  out += R"(,"reason":)";
  json::append_string(out, reason);
  out += '}';
  return {.kind = MessageKind::stale,
          .first = number,
          .last = number,
          .text = std::make_shared<const std::string>(std::move(out))};
}

}  // namespace candlewick::stream
