// Until when something is good: certificates in a file, and tokens that say it themselves.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace candlewick::alert {

// A certificate, a key or a token that is of no use from some time on.
struct Credential {
  std::string name;  // as settings call it: "http.certificate_file"
  std::optional<Time> expires;
  std::string problem;              // it cannot be read; empty: it can
  bool is_renewed_on_disk = false;  // what is in use ends before what a restart would use
};

// The earliest end of those in a PEM file. Errors: misconfigured (no such file, nothing in it).
Result<Time> certificate_expiry(const std::string& path);

// A file that was loaded when this was made, and is in use until a restart whatever is put in its
// place.
class LoadedCertificate {
 public:
  LoadedCertificate(std::string name, std::string path);

  // The file is read again; whichever ends first counts: what is in use, or what a restart would
  // use.
  Credential look();

 private:
  std::string name_;
  std::string path_;
  std::optional<Time> in_use_;
};

// The `exp` of a JSON Web Token; null for one without, and for what is no such token. Nothing of it
// is verified.
std::optional<Time> token_expiry(std::string_view token);

}  // namespace candlewick::alert
