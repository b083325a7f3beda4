// One frame of a book's stream does not arrive: whatever can prove it (numbers, links to the update
// before, a checksum, the connection's own numbering) must tell. Every simulated venue with a
// stream of its book says a stretch of it once; it is then read again and again, each time without
// another frame. Recordings are put through the same where they have what proves it
// (book_recordings_test.cc, book_checksums_test.cc and the venues' own tests).
#include <gtest/gtest.h>

#include <algorithm>

#include "base/check.h"
#include "exchange/registry.h"
#include "pipeline/book_sync.h"
#include "simulator/synthetic_market.h"
#include "simulator/venue_core.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;
using exchange::BookRule;

// 2026-01-15T12:00:00Z
constexpr Time start = time_from_ms(1'768'478'400'000);
constexpr SteadyTime steady{1h};
constexpr std::size_t shown = 10;  // levels a side
constexpr std::size_t fewest_tried = 20;
constexpr std::size_t most_tried = 60;

struct Heard {
  std::string text;
  std::string url;
  Time at;
  bool is_reply = false;
  bool is_binary = false;
};

// What a venue says while somebody listens to the book of one instrument.
class Listening {
 public:
  explicit Listening(const exchange::Venue& venue)
      : venue_(venue),
        core_({.venue = std::string(exchange::key_of(venue)),
               .market = make_market(),
               .start = start,
               .speed = "1"}),
        catalogue_(exchange::make_catalogue(venue)),
        decoder_(venue.make_decoder(*catalogue_)) {}

  std::vector<Heard> listen(Duration length) {
    const auto& listed = core_.market().listings().front().instrument;
    const auto* instrument = catalogue_->find_or_infer(listed.exchange_symbol);
    check(instrument != nullptr, "the venue's spelling is read");
    const exchange::Channel book{.kind = exchange::ChannelKind::book, .instrument = instrument};
    url_ = venue_.stream_url("ws://sim", {&book, 1});
    if (venue_.handshake != nullptr) {
      const auto token = ask(venue_.handshake->request());
      url_ = *venue_.handshake->stream_url(token.body, "ws://sim", {&book, 1});
    }
    session_ = std::get<simulator::SessionId>(core_.open(request_of(url_), steady));
    for (const auto& message : venue_.subscribe({&book, 1}, 1)) say(message);
    run_until(start + 1s);
    if (!exchange::has_snapshot_in_stream(venue_.book_rule)) {
      const auto request =
          *venue_.request({.kind = exchange::RestKind::depth, .instrument = instrument});
      heard_.push_back({.text = ask(request).body,
                        .url = "http://sim" + request.target,
                        .at = core_.now(),
                        .is_reply = true});
    }
    run_until(start + length);
    return std::move(heard_);
  }

 private:
  std::unique_ptr<simulator::Market> make_market() const {
    auto market =
        simulator::SyntheticMarket::make({.exchange = std::string(exchange::key_of(venue_)),
                                          .seed = 1,
                                          .start = start,
                                          .symbols = {"BTCUSDT"},
                                          .activity = 1.0});
    check(market.has_value(), "the symbol is good");
    return *std::move(market);
  }
  static simulator::Request request_of(std::string_view url, std::string_view method = "GET",
                                       std::string_view body = {}) {
    return *simulator::make_request(method, url.substr(url.find("sim") + 3), body);
  }
  simulator::Reply ask(const exchange::RestRequest& request) {
    return core_.http(request_of("sim" + request.target, request.method, request.body), steady);
  }
  void say(const std::string& message) { take(core_.receive(session_, message, steady)); }
  void run_until(Time end) {
    while (core_.now() < end)
      take(core_.advance_to(std::min(end, core_.next_event().value_or(end))));
  }
  void take(const std::vector<simulator::Delivery>& deliveries) {
    for (const auto& delivery : deliveries) {
      ASSERT_EQ(delivery.kind, simulator::Delivery::Kind::frame) << delivery.reason;
      heard_.push_back({.text = *delivery.text,
                        .url = url_,
                        .at = core_.now(),
                        .is_binary = delivery.is_binary});
      Events events;
      ASSERT_TRUE(decoder_->decode({.text = *delivery.text,
                                    .url = url_,
                                    .received_time = core_.now(),
                                    .is_binary = delivery.is_binary},
                                   events))
          << *delivery.text;
      // HTX is asked for its snapshot by one.
      if (const auto answer = decoder_->take_answer(); !answer.empty()) say(answer);
    }
  }

  const exchange::Venue& venue_;
  simulator::VenueCore core_;
  std::unique_ptr<Catalogue> catalogue_;
  std::unique_ptr<exchange::Decoder> decoder_;
  std::string url_;
  simulator::SessionId session_ = 0;
  std::vector<Heard> heard_;
};

struct Read {
  std::vector<std::size_t> updates;  // the frames that changed a book in step, by their place
  std::size_t told = 0;  // holes, wrong checksums and breaks in the connection's numbers
  bool is_synced = false;
  std::optional<BookUpdate> ladder;
};

Read read(const exchange::Venue& venue, const std::vector<Heard>& heard,
          std::optional<std::size_t> lost = std::nullopt) {
  const auto catalogue = exchange::make_catalogue(venue);
  const auto decoder = venue.make_decoder(*catalogue);
  pipeline::BookSync sync({.rule = venue.book_rule,
                           .depth = venue.book_depth,
                           .checksum = venue.checksum,
                           .checksum_levels = venue.checksum_levels});
  Read result;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    if (i == lost) continue;
    Events events;
    EXPECT_TRUE(decoder->decode({.text = heard[i].text,
                                 .url = heard[i].url,
                                 .received_time = heard[i].at,
                                 .is_reply = heard[i].is_reply,
                                 .is_binary = heard[i].is_binary},
                                events));
    decoder->take_answer();
    for (const auto& event : events) {
      result.told += std::holds_alternative<ConnectionGap>(event) ? 1 : 0;
      const auto* update = std::get_if<BookUpdate>(&event);
      if (update == nullptr) continue;
      const bool was_synced = sync.state() == pipeline::BookState::synced;
      Events out;
      const auto outcome = sync.apply(*update, out);
      result.told += outcome.resync && *outcome.resync != pipeline::Resync::crossed ? 1 : 0;
      if (was_synced && outcome.is_applied && update->kind == BookKind::delta)
        result.updates.push_back(i);
    }
  }
  // One frame may hold several.
  const auto repeated = std::ranges::unique(result.updates);
  result.updates.erase(repeated.begin(), repeated.end());
  result.is_synced = sync.state() == pipeline::BookState::synced;
  result.ladder = sync.ladder(shown);
  return result;
}

// What of a venue's book stream proves that nothing is missing.
enum class Proof : unsigned char {
  each,      // of every frame the next one
  checksum,  // of those that change the best levels
  none,
};
Proof proof_of(const exchange::Venue& venue) {
  // Sent without numbers: its trades' ids and the check against REST are all there is.
  if (venue.name == "coinbase" || venue.name == "gemini") return Proof::none;
  return venue.name == "kraken" ? Proof::checksum : Proof::each;
}

class LostFrame : public testing::TestWithParam<const exchange::Venue*> {};

TEST_P(LostFrame, OfABookIsTold) {
  const auto& venue = *GetParam();
  const auto heard = Listening(venue).listen(240s);
  const auto whole = read(venue, heard);
  ASSERT_TRUE(whole.is_synced);
  EXPECT_EQ(whole.told, 0U);
  std::size_t told = 0;
  std::size_t tried = 0;
  const std::size_t step = std::max<std::size_t>(whole.updates.size() / most_tried, 1);
  // Of the last one nothing can tell.
  for (std::size_t i = 0; i + 1 < whole.updates.size(); i += step) {
    const auto lost = whole.updates[i];
    ++tried;
    const auto without = read(venue, heard, lost);
    told += without.told > 0 ? 1 : 0;
    switch (proof_of(venue)) {
      case Proof::each:
        EXPECT_GT(without.told, 0U) << heard[lost].text;
        break;
      case Proof::checksum:
        if (without.told > 0) break;
        EXPECT_EQ(without.ladder->bids, whole.ladder->bids) << heard[lost].text;
        EXPECT_EQ(without.ladder->asks, whole.ladder->asks) << heard[lost].text;
        break;
      case Proof::none:
        EXPECT_EQ(without.told, 0U) << "there is a proof after all: " << heard[lost].text;
        break;
    }
  }
  EXPECT_GE(tried, fewest_tried);
  if (proof_of(venue) != Proof::none) {
    EXPECT_GE(told, tried / 4);
  }
}

std::vector<const exchange::Venue*> venues_with_books() {
  std::vector<const exchange::Venue*> found;
  const auto simulated = simulator::simulated_venues();
  for (const auto* venue : exchange::all_venues()) {
    if (venue->book_rule != BookRule::none &&
        std::ranges::find(simulated, exchange::key_of(*venue)) != simulated.end())
      found.push_back(venue);
  }
  return found;
}

std::string name_of(const testing::TestParamInfo<const exchange::Venue*>& test) {
  std::string name(exchange::key_of(*test.param));
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Venues, LostFrame, testing::ValuesIn(venues_with_books()), name_of);

}  // namespace
}  // namespace candlewick
