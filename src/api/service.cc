// Wires the parts together; they end in the reverse order.
#include "api/service.h"

#include "api/handler.h"
#include "api/latest_pages.h"
#include "api/streams.h"
#include "net/loop.h"

namespace candlewick::api {

namespace {

stream::ClientLimits limits_of(const Options& options) {
  stream::ClientLimits limits;
  limits.streams = options.stream_subscriptions;
  limits.outbox.events = options.stream_queue_messages;
  return limits;
}

}  // namespace

struct Service::Parts {
  Parts(Backend given, const Options& options)
      : backend(std::move(given)),
        instruments(backend.board, backend.exchanges),
        questions(backend, options.query_threads, options.max_waiting_questions),
        site{.backend = backend,
             .instruments = instruments,
             .questions = questions,
             .max_rows = options.max_rows,
             .latest_pages = latest_pages,
             .downloads = &downloads},
        own_intake(backend.intake == nullptr ? std::make_unique<stream::Intake>(backend.board)
                                             : nullptr),
        streams(site, own_intake ? *own_intake : *backend.intake, loop, limits_of(options)),
        handler(site, options.gate, backend.metrics, backend.clock) {
    site.streams = &streams;
  }

  Backend backend;
  Instruments instruments;
  // What the loop has not run when it ends may still count itself out.
  std::atomic<int> downloads{0};
  // Answers of questions may use the loop until the last query thread has ended.
  net::Loop loop{"api"};
  Questions questions;
  LatestPages latest_pages;
  Site site;
  std::unique_ptr<stream::Intake> own_intake;
  Streams streams;
  ApiHandler handler;
  std::unique_ptr<net::Server> server;
};

Service::Service(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Service>> Service::start(Backend backend, Options options) {
  auto parts = std::make_unique<Parts>(std::move(backend), options);
  options.server.headers =
      headers_of_every_answer(options.gate, !options.server.certificate_file.empty());
  auto server = net::Server::listen(parts->loop, std::move(options.server), parts->handler);
  if (!server) return fail(std::move(server.error()));
  parts->server = std::move(*server);
  parts->loop.start();
  return std::unique_ptr<Service>(new Service(std::move(parts)));
}

Service::~Service() {
  // Nothing may come in while the parts that would answer it end.
  parts_->server.reset();
  parts_->questions.stop();
  parts_->loop.stop();
  parts_->loop.join();
}

std::uint16_t Service::port() const {
  return parts_->server->port();
}
std::string Service::address() const {
  return parts_->server->address();
}
void Service::drain() {
  parts_->loop.post([this] { parts_->streams.drain(); });
  parts_->server->drain();
}
std::size_t Service::connections() const {
  return parts_->server->connections();
}

}  // namespace candlewick::api
