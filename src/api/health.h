// Whether the service does what it is for: the judgement behind /health, without its text.
#pragma once

#include <string>
#include <vector>

#include "api/backend.h"

namespace candlewick::api {

struct Health {
  std::vector<feed::FeedStatus> feeds;
  std::vector<sink::SinkStatistics> sinks;
  std::optional<log::WriterStatistics> log;
  std::vector<std::string> problems;  // that make the answer a 503
  std::vector<std::string> warnings;  // that do not
  bool is_down = false;               // no feed is alive
};

Health examine(const Backend& backend);

// A feed, a sink and the log as JSON objects; /v1/sinks shows the same.
void append_feed(std::string& out, const feed::FeedStatus& feed, Time now);
void append_sink(std::string& out, const sink::SinkStatistics& sink, Time now);
void append_log(std::string& out, const log::WriterStatistics& log);

}  // namespace candlewick::api
