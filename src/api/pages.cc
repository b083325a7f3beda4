// Pages for people, and the description of the API for their tools.
#include "api/openapi.h"
#include "api/resources.h"

namespace candlewick::api {
namespace {

constexpr std::string_view start_page = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Candlewick</title>
<style>body{font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}</style>
<h1>Candlewick</h1>
<p>Market data from exchanges, over HTTP. Everything is described in <a href="/openapi.json">openapi.json</a>.</p>
<ul>
<li><a href="/health">Health</a>, <a href="/readyz">readiness</a>, <a href="/metrics">metrics</a>
<li><a href="/v1/exchanges">Exchanges</a> and <a href="/v1/symbols">symbols</a>
<li><a href="/v1/tickers">Newest tickers</a>
<li><a href="/v1/coverage">Coverage</a>: what is known about every minute
<li><a href="/v1/quality">Quality</a>: what was compared with the exchanges, and how it came out
<li><a href="/v1/sinks">Sinks</a>
</ul>
</html>
)";

void lead_to(Call& call, std::string_view where) {
  call.send({.status = 307, .headers = {{"Location", std::string(where)}}});
}

}  // namespace

void answer_start_page(const Site&, Call call) {
  call.send({.status = 200,
             .headers = {{"Content-Type", "text/html; charset=utf-8"},
                         {"Content-Security-Policy",
                          "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"},
                         {"X-Content-Type-Options", "nosniff"}},
             .body = std::string(start_page)});
}

void answer_openapi(const Site&, Call call) {
  call.send({.status = 200,
             .headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-cache"}},
             .body = std::string(openapi_document())});
}

void answer_docs(const Site&, Call call) {
  lead_to(call, "/openapi.json");
}

void answer_redoc(const Site&, Call call) {
  lead_to(call, "/docs");
}

}  // namespace candlewick::api
