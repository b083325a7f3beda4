// The sidecar's command line, and what is missing in words.
#include "app/bridge.h"

#include <filesystem>

#include "feed/sidecar.h"

namespace candlewick::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view program = "main.mjs";

// Beside the program: in a package, in an unpacked release, in the tree that it was built in.
Result<fs::path> sidecar_folder(const Config& config) {
  std::error_code error;
  if (!config.ccxt.sidecar.empty()) {
    fs::path folder(config.ccxt.sidecar);
    if (fs::exists(folder / program, error)) return folder;
    return fail(ErrorKind::misconfigured, "ccxt.sidecar: there is no {} in {}", program,
                folder.string());
  }
  const fs::path beside = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const auto* place : {"sidecar", "../share/candlewick/sidecar", "../../sidecar"}) {
    auto folder = (beside / place).lexically_normal();
    if (fs::exists(folder / program, error)) return folder;
  }
  return fail(ErrorKind::misconfigured,
              "the sidecar is not beside the program: name its folder with ccxt.sidecar");
}

}  // namespace

Result<net::ChildOptions> sidecar_of(const Config& config, std::string_view name) {
  const auto exchange = exchange::ccxt::exchange_of(name);
  if (!exchange) return fail(exchange.error());
  const auto folder = sidecar_folder(config);
  if (!folder) return within(name, folder.error());
  net::ChildOptions child;
  child.command = {config.ccxt.node, (*folder / program).string(), *exchange};
  if (const auto urls = config.venues.find(name); urls != config.venues.end()) {
    const auto add = [&](const char* flag, const std::string& url) {
      if (url.empty()) return;
      child.command.emplace_back(flag);
      child.command.push_back(url);
    };
    add("--base-url", urls->second.base_url);
    add("--ws-url", urls->second.ws_url);
  }
  if (!config.ca_file.empty())
    child.environment.emplace_back("NODE_EXTRA_CA_CERTS", config.ca_file);
  return child;
}

Result<std::unique_ptr<exchange::ccxt::BridgedVenue>> bridged_venue(const Config& config,
                                                                    std::string_view name) {
  auto child = sidecar_of(config, name);
  if (!child) return fail(child.error());
  const auto ready = feed::describe_sidecar(*child);
  if (!ready && ready.error().message.starts_with("cannot run")) {
    return fail(ErrorKind::misconfigured,
                "{}: {}: install Node.js 18 or newer, or name it with ccxt.node", name,
                ready.error().message);
  }
  if (!ready) return within(name, ready.error());
  return exchange::ccxt::make_venue(name, *ready);
}

}  // namespace candlewick::app
