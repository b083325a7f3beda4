// The live streams' side of the API: the hub on the API's loop, the WebSocket clients that listen
// to it, and the streams of candles over HTTP. All on the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <unordered_set>

#include "api/route.h"
#include "net/loop.h"
#include "stream/client.h"
#include "stream/hub.h"

namespace candlewick::api {

class CandleStream;

class Streams {
 public:
  // `intake`: of the site's board.
  Streams(const Site& site, stream::Intake& intake, net::Loop& loop, stream::ClientLimits limits);
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;
  // When the loop does not run any more.
  ~Streams();

  stream::Hub& hub() { return hub_; }
  const stream::Intake& intake() const { return intake_; }
  const Site& site() const { return site_; }
  net::Loop& loop() { return loop_; }

  // The answer to a request for /v1/stream that was let in.
  net::Upgrade open(const net::Request& request, std::string_view request_id);
  // Keeps it until it is done().
  void keep(std::shared_ptr<CandleStream> stream);
  void done(const std::shared_ptr<CandleStream>& stream);
  // Ends the streams of candles, which would never end by themselves.
  void drain();

  // Tells what waits.
  void pump();
  // Looks again soon: somebody has begun to listen.
  void look_soon();

 private:
  class Session;

  void ask_coverage(const Instrument& instrument, std::function<void(stream::Hub::Spans)> answer);
  void turn();

  const Site& site_;
  stream::Intake& intake_;
  net::Loop& loop_;
  const stream::ClientLimits limits_;
  stream::Hub hub_;
  std::unordered_set<std::shared_ptr<Session>> sessions_;
  std::unordered_set<std::shared_ptr<CandleStream>> candles_;
  net::Timer timer_;
  SteadyTime ticked_{};
  bool is_pumping_ = false;
  bool is_posted_ = false;
  Gauge clients_;
  Gauge streams_;
  Gauge kept_bytes_;
  Counter dropped_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace candlewick::api
