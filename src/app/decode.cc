// Frames to events, one at a time.
#include "app/decode.h"

#include "app/command.h"
#include "base/line_reader.h"
#include "exchange/registry.h"
#include "feed/recording.h"
#include "market/event_json.h"

namespace candlewick::app {

int decode(const DecodeOptions& options) {
  const auto venue = venue_named(options.exchange, options.market);
  if (!venue) return report(venue.error());
  const auto catalogue = exchange::make_catalogue(**venue);
  const auto decoder = (*venue)->make_decoder(*catalogue);
  auto reader = LineReader::from_stdin();
  feed::RecordingParser parser;
  LineOutput output;
  std::string line;
  std::string connection_url;
  Events events;
  for (;;) {
    const auto more = reader.next(line);
    if (!more) return report(more.error());
    if (!*more) return done;
    if (line.empty()) continue;
    events.clear();
    const auto frame = parser.parse(line);
    std::optional<Error> error;
    if (!frame) {
      error = frame.error();
    } else if (frame->direction == feed::Direction::open) {
      connection_url = frame->url;
    } else if (frame->direction != feed::Direction::out) {
      const bool is_reply = frame->direction == feed::Direction::http;
      const auto decoded = decoder->decode({.text = frame->text,
                                            .url = is_reply ? frame->url : connection_url,
                                            .received_time = frame->received_time,
                                            .is_reply = is_reply,
                                            .is_binary = frame->is_binary,
                                            .http_status = frame->http_status},
                                           events);
      if (!decoded) error = decoded.error();
    }
    if (error) {
      Refusal refusal;
      refusal.exchange = (*venue)->name;
      refusal.kind = to_text(error->kind);
      refusal.message = error->message;
      if (frame) refusal.received_time = frame->received_time;
      events.emplace_back(std::move(refusal));
    }
    for (const auto& event : events) {
      append_json(output.text(), event);
      output.end_line();
    }
  }
}

}  // namespace candlewick::app
