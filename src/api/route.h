// One row a resource: its path, the parameters that it knows and the function that answers. Adding
// a resource is a file, a declaration in resources.h, a row in routes.cc and its part of
// openapi.json.
#pragma once

#include <atomic>
#include <span>
#include <string_view>
#include <vector>

#include "api/backend.h"
#include "api/call.h"
#include "api/instruments.h"
#include "api/questions.h"

namespace candlewick::api {

struct Route;
class LatestPages;
class Streams;

// What resources answer from.
struct Site {
  const Backend& backend;
  const Instruments& instruments;
  Questions& questions;
  std::size_t max_rows;
  LatestPages& latest_pages;
  std::atomic<int>* downloads;  // whole ranges that are being read
  Streams* streams = nullptr;   // set before the first request
};

struct Route {
  // "/v1/candles", or with one name at its end that takes the rest of the path: "/latest/{symbol}".
  std::string_view path;
  std::span<const std::string_view> parameters;
  void (*answer)(const Site& site, Call call);
  // Of PUT, by callers whose key has the scope admin; null: only GET and HEAD.
  void (*put)(const Site& site, Call call) = nullptr;
};

std::span<const Route> all_routes();

struct Match {
  const Route* route = nullptr;  // null: there is no such page
  std::string_view captured{};
};
Match find_route(std::string_view path);

}  // namespace candlewick::api
