// Sends messages to every receiver, each at its own pace. All on one loop.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alert/mailbox.h"
#include "alert/receiver.h"
#include "base/clock.h"
#include "base/observation.h"
#include "net/http_client.h"
#include "net/loop.h"

namespace candlewick::alert {

class Notifier {
 public:
  Notifier(net::Loop& loop, net::HttpClient& http, const Clock& clock, Observer& observer,
           std::vector<Receiver> receivers, const MailboxOptions& options = {});
  // Messages that wait are given up.
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // On the loop's thread.
  void tell(const Message& message);
  // How many wait, by receiver. On the loop's thread.
  std::map<std::string, std::size_t> waiting() const;

 private:
  struct Line {
    Line(Receiver to, const MailboxOptions& options) : receiver(std::move(to)), mailbox(options) {}
    Receiver receiver;
    Mailbox mailbox;
    net::Timer timer;
  };

  void send(Line& line);
  void answered(Line& line, const Result<net::HttpResponse>& answer);
  void give_up(const Line& line, const std::string& why);

  net::Loop& loop_;
  net::HttpClient& http_;
  const Clock& clock_;
  Observer& observer_;
  std::vector<std::unique_ptr<Line>> lines_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace candlewick::alert
