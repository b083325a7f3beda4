// Rows as signed JSON to an address of the user's. A receiver that remembers the names of batches
// has every row once: a batch that comes again has the same name and the same rows.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "sink/registry.h"
#include "sink/sink.h"

namespace candlewick::sink {

struct WebhookOptions {
  std::string url;
  Secret secret;
  std::vector<std::string> tables;  // whose rows are posted
  bool exchange_symbol_style = false;
  std::string ca_file;
};

std::unique_ptr<Sink> make_webhook(WebhookOptions options, const Clock& clock);

// Settings: "url", "secret", "tables" (by commas), "symbol_style", "ca_file".
Result<std::unique_ptr<Sink>> make_webhook_from(const Settings& settings);

// What X-Candlewick-Signature says of a request: "sha256=" and the HMAC-SHA-256 of the timestamp, a
// dot and the body, in lower-case hexadecimal digits.
std::string webhook_signature(const Secret& secret, std::string_view timestamp,
                              std::string_view body);

}  // namespace candlewick::sink
