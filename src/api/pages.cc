// Pages for people, and the description of the API for their tools.
#include <algorithm>

#include "api/dashboard.h"
#include "api/openapi.h"
#include "api/resources.h"

namespace candlewick::api {
namespace {

// The dashboard loads nothing from elsewhere, and nothing in it is inline.
constexpr std::string_view dashboard_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// Swagger UI has its pictures inside its style sheet.
constexpr std::string_view docs_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src "
    "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// Of a program that was built without the dashboard.
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

std::string_view media_type_of(std::string_view path) {
  if (path.ends_with(".html")) return "text/html; charset=utf-8";
  if (path.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  if (path.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

const DashboardFile* find_file(std::string_view path) {
  const auto files = dashboard_files();
  const auto found = std::ranges::find(files, path, &DashboardFile::path);
  return found == files.end() ? nullptr : &*found;
}

// Hashed names never change their content; the page that names them may at any time.
void send_file(Call& call, const DashboardFile& file,
               std::string_view policy = dashboard_policy) {
  const bool is_page = file.path.ends_with(".html");
  call.send_file(file.content, media_type_of(file.path),
                 is_page ? CachePolicy::forming : CachePolicy::fixed,
                 {{"Content-Security-Policy", std::string(policy)}});
}

void lead_to(Call& call, std::string_view where) {
  call.send({.status = 307, .headers = {{"Location", std::string(where)}}});
}

}  // namespace

void answer_start_page(const Site&, Call call) {
  if (const auto* page = find_file("/index.html")) return send_file(call, *page);
  call.send_file(start_page, "text/html; charset=utf-8", CachePolicy::forming,
                 {{"Content-Security-Policy",
                   "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action "
                   "'none'; frame-ancestors 'none'"}});
}

void answer_asset(const Site&, Call call) {
  if (const auto* file = find_file("/assets/" + call.captured)) return send_file(call, *file);
  call.fail({.kind = &problems::unknown_route, .detail = "the dashboard has no such file"});
}

void answer_openapi(const Site&, Call call) {
  call.send_file(openapi_document(), "application/json", CachePolicy::forming);
}

void answer_docs(const Site&, Call call) {
  if (const auto* page = find_file("/docs.html")) return send_file(call, *page, docs_policy);
  lead_to(call, "/openapi.json");
}

void answer_redoc(const Site&, Call call) {
  lead_to(call, "/docs");
}

}  // namespace candlewick::api
