// Files of candles as import takes them: the first byte picks the timeframe, the rest is the file.
// What is taken must be what a warehouse may hold: closed, in order, with prices in their bounds.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "app/candle_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace candlewick;
  if (size == 0) return 0;
  // A file without a disk.
  static const int file = memfd_create("candles", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (ftruncate(file, 0) != 0 || pwrite(file, data + 1, size - 1, 0) != ssize_t(size - 1)) {
    std::abort();
  }
  Instrument instrument;
  instrument.exchange = "binance";
  instrument.symbol = "BTC/USDT";
  instrument.exchange_symbol = "BTCUSDT";
  constexpr std::array timeframes{Timeframe::m1, Timeframe::m5, Timeframe::h1,
                                  Timeframe::d1, Timeframe::w1, Timeframe::mo1};
  const auto timeframe = timeframes[data[0] % timeframes.size()];
  const Time now = time_from_ms(1'800'000'000'000);
  auto opened =
      app::CandleFile::open(path, {.instrument = &instrument, .timeframe = timeframe, .now = now});
  if (!opened) return 0;
  std::optional<Time> last;
  while (true) {
    const auto candle = opened->next();
    if (!candle || !*candle) return 0;
    const auto& it = **candle;
    if (!it.is_closed || it.timeframe != timeframe || it.end_time() > now) std::abort();
    if (open_of(timeframe, it.open_time) != it.open_time) std::abort();
    if (last && it.open_time <= *last) std::abort();
    if (it.low > std::min(it.open, it.close) || it.high < std::max(it.open, it.close)) std::abort();
    if (it.low.is_negative() || it.volume.is_negative()) std::abort();
    last = it.open_time;
  }
}
