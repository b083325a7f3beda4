// Requests to a Supabase project: addresses, and each kind of key in its right headers. Blocks.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"
#include "net/http_client.h"
#include "sink/supabase_reply.h"

namespace candlewick::sink {

struct SupabaseLocation {
  std::string url;  // https://PROJECT.supabase.co, or a self-hosted project's
  Secret key;       // sb_secret_..., or the service_role JWT
  std::string schema = "public";
  std::string ca_file;
};

// What a key says about itself. Nothing of it is verified: that is the project's business.
struct SupabaseKey {
  enum class Form : unsigned char { secret, publishable, jwt, unknown };
  Form form = Form::unknown;
  std::string role{};             // of a JWT
  std::optional<Time> expires{};  // of a JWT
};
SupabaseKey inspect_supabase_key(std::string_view key);

class SupabaseClient {
 public:
  SupabaseClient(SupabaseLocation location, const Clock& clock);

  // Refuses what cannot work (misconfigured): no key, a publishable or anonymous one.
  Result<void> check_key() const;
  SupabaseKey key() const { return inspect_supabase_key(location_.key.reveal()); }

  // Below /rest/v1/: "market_ticks?select=symbol".
  Result<SupabaseReply> get(std::string_view path);
  Result<SupabaseReply> post(std::string_view path, std::string_view prefer, std::string body);
  Result<SupabaseReply> patch(std::string_view path, std::string body);
  // Realtime's door for messages to all who listen.
  Result<SupabaseReply> broadcast(std::string body);

  // The reply as an error, with what is known of the key; keeps what retry_after() tells.
  Error refusal(const SupabaseReply& reply, const SupabaseTable* table);
  std::optional<Duration> retry_after() const { return retry_after_; }

  const std::string& schema() const { return location_.schema; }
  // Without query and key, for messages.
  std::string shown_url() const;

 private:
  Result<SupabaseReply> ask(net::HttpRequest request);

  SupabaseLocation location_;
  const Clock& clock_;
  std::unique_ptr<net::HttpClient> http_;
  std::optional<Duration> retry_after_;
};

// A time for a filter of a request: whole seconds towards the past, as 20260301T093000Z. Nothing in
// it means something to a server that splits filters at dots, colons and commas.
std::string filter_time(Time time);

// The project's address without what people paste along ("/rest/v1/", a slash at the end). Error:
// misconfigured.
Result<std::string> supabase_base_url(std::string_view text);

}  // namespace candlewick::sink
