// The files of the dashboard, built into the program (embed.cmake) if they were there when it was
// built: web/run build makes them.
#pragma once

#include <span>
#include <string_view>

namespace candlewick::api {

struct DashboardFile {
  std::string_view path;  // "/index.html", "/assets/index-Q5NhchHB.js"
  std::string_view content;
};

// Sorted by path; empty: built without it.
std::span<const DashboardFile> dashboard_files();

}  // namespace candlewick::api
