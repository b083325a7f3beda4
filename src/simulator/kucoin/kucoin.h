// KuCoin's public protocol for spot: REST under /api (rest.cc), streams at / with a token
// (kucoin.cc).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "simulator/feeds.h"
#include "simulator/protocol.h"

namespace candlewick::simulator {

std::unique_ptr<Protocol> make_kucoin(Market& market, const Faults& faults);

namespace kucoin {

struct Context {
  Market& market;
  const Faults& faults;
};

inline constexpr std::string_view token = "2neAiuYvAU61ZDXANAGAsiL4-simulated==";
inline constexpr int ping_interval_ms = 18'000;

Reply answer(const Context& context, const Request& request, const RestView& view);
Reply error(int status, std::string_view code, std::string_view message);

// What a stream and REST write alike.
void append_candle(std::string& out, const Row& row);
// [["41006.8","0.6"],…]; with a number, as changes have it, where one is given.
void append_levels(std::string& out, const std::vector<Level>& levels,
                   std::optional<std::uint64_t> number = std::nullopt);
// The members of the best prices, without brackets.
void append_best(std::string& out, const Subject& subject, const DayFigures& day);

}  // namespace kucoin
}  // namespace candlewick::simulator
