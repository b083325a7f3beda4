// One pass: minutes come in order, so a bucket is finished when the next one begins.
#include "query/rollup.h"

#include <algorithm>
#include <utility>

namespace candlewick::query {
namespace {

using std::chrono::minutes;

bool add(Decimal& sum, Decimal term) {
  const auto result = Decimal::add(sum, term);
  if (!result) return false;
  sum = *result;
  return true;
}

bool add(std::optional<Decimal>& sum, const std::optional<Decimal>& term) {
  if (!sum || !term) {
    sum.reset();
    return true;
  }
  return add(*sum, *term);
}

Candle begin_bucket(const Candle& minute, Time open_time) {
  Candle bucket = minute;
  bucket.timestamp = open_time;
  bucket.source = "rollup";
  bucket.bars = minute.bars.value_or(1);
  return bucket;
}

bool extend(Candle& bucket, const Candle& minute) {
  bucket.high = std::max(bucket.high, minute.high);
  bucket.low = std::min(bucket.low, minute.low);
  bucket.close = minute.close;
  bucket.revision = std::max(bucket.revision, minute.revision);
  bucket.ingested_at = std::max(bucket.ingested_at, minute.ingested_at);
  bucket.bars = *bucket.bars + minute.bars.value_or(1);
  if (bucket.trade_count && minute.trade_count) {
    bucket.trade_count = *bucket.trade_count + *minute.trade_count;
  } else {
    bucket.trade_count.reset();
  }
  return add(bucket.volume, minute.volume) && add(bucket.quote_volume, minute.quote_volume) &&
         add(bucket.taker_buy_volume, minute.taker_buy_volume) &&
         add(bucket.taker_buy_quote_volume, minute.taker_buy_quote_volume);
}

// A bucket that lacks minutes may still get them: it is closed when it has its last one.
void finish(Candle& bucket, Timeframe timeframe, Time last_minute, Time over) {
  const Time end = next_open(timeframe, bucket.timestamp);
  bucket.is_complete = *bucket.bars == (end - bucket.timestamp) / minutes{1};
  bucket.is_closed = last_minute + minutes{1} >= end || end <= over;
}

}  // namespace

Result<std::vector<Candle>> roll_up(std::span<const Candle> input, Timeframe timeframe, Time over) {
  std::vector<Candle> buckets;
  Time last_minute;
  for (const auto& minute : input) {
    const Time open_time = open_of(timeframe, minute.timestamp);
    if (buckets.empty() || buckets.back().timestamp != open_time) {
      if (!buckets.empty()) finish(buckets.back(), timeframe, last_minute, over);
      buckets.push_back(begin_bucket(minute, open_time));
    } else if (!extend(buckets.back(), minute)) {
      return fail(ErrorKind::rejected, "the sum of the candle at {} is out of range",
                  to_rfc3339(open_time));
    }
    last_minute = minute.timestamp;
  }
  if (!buckets.empty()) {
    finish(buckets.back(), timeframe, last_minute, over);
    // Only the last one can still be open: minutes after a bucket mean that its time is over.
    for (std::size_t i = 0; i + 1 < buckets.size(); ++i) buckets[i].is_closed = true;
  }
  return buckets;
}

}  // namespace candlewick::query
