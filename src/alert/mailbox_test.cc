// One receiver's queue on a clock that is moved by hand.
#include "alert/mailbox.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace candlewick::alert {
namespace {

using namespace std::chrono_literals;

class Waiting : public ::testing::Test {
 protected:
  bool put(const std::string& summary) {
    return mailbox.put({.name = "x", .summary = summary}, clock.steady());
  }
  // What is sent now, or nothing.
  std::string take() {
    const auto* message = mailbox.take(clock.steady());
    return message == nullptr ? "" : message->summary;
  }
  Mailbox::End answered(Verdict::Kind kind, std::optional<Duration> at_least = std::nullopt) {
    return mailbox.answered({kind, at_least, "no"}, clock.steady());
  }
  FakeClock clock{time_from_ms(1'768'478'400'000)};
  Mailbox mailbox{{.messages = 3, .too_old = 10min, .retry = {.first = 1s, .cap = 1min}}};
};

TEST_F(Waiting, SendsOneAfterTheOther) {
  EXPECT_EQ(take(), "");
  EXPECT_EQ(mailbox.next_send(), std::nullopt);
  put("a");
  put("b");
  EXPECT_EQ(take(), "a");
  EXPECT_EQ(take(), "") << "one is under way";
  EXPECT_EQ(mailbox.next_send(), std::nullopt);
  EXPECT_EQ(answered(Verdict::Kind::delivered), Mailbox::End::delivered);
  EXPECT_LE(mailbox.next_send().value(), clock.steady());
  EXPECT_EQ(take(), "b");
  EXPECT_EQ(answered(Verdict::Kind::refused), Mailbox::End::given_up);
  EXPECT_EQ(mailbox.size(), 0U);
}

TEST_F(Waiting, TriesAgainLaterAndLater) {
  put("a");
  Duration before{};
  for (int attempt = 0; attempt < 5; ++attempt) {
    ASSERT_EQ(take(), "a") << attempt;
    ASSERT_EQ(answered(Verdict::Kind::retry), Mailbox::End::waits);
    const Duration wait = mailbox.next_send().value() - clock.steady();
    EXPECT_GT(wait, before);
    before = wait;
    EXPECT_EQ(take(), "");
    clock.advance(wait);
  }
  ASSERT_EQ(take(), "a");
  EXPECT_EQ(answered(Verdict::Kind::delivered), Mailbox::End::delivered);
  put("b");
  ASSERT_EQ(take(), "b");
  ASSERT_EQ(answered(Verdict::Kind::retry), Mailbox::End::waits);
  EXPECT_LE(mailbox.next_send().value(), clock.steady() + 1s) << "after a success from the start";
}

TEST_F(Waiting, WaitsAsLongAsTheReceiverAsks) {
  put("a");
  ASSERT_EQ(take(), "a");
  ASSERT_EQ(answered(Verdict::Kind::retry, 3min), Mailbox::End::waits);
  EXPECT_GE(mailbox.next_send().value(), clock.steady() + 3min);
  clock.advance(3min - 1s);
  EXPECT_EQ(take(), "");
}

TEST_F(Waiting, GivesUpWhatIsTooOld) {
  put("a");
  clock.advance(5min);
  put("b");
  ASSERT_EQ(take(), "a");
  clock.advance(5min);
  EXPECT_EQ(answered(Verdict::Kind::retry), Mailbox::End::given_up);
  EXPECT_EQ(take(), "") << "the receiver is no better for the next";
  clock.advance(1min);
  EXPECT_EQ(take(), "b");
}

TEST_F(Waiting, GivesUpTheOldestWhenThereIsNoRoom) {
  put("a");
  ASSERT_EQ(take(), "a");
  EXPECT_TRUE(put("b"));
  EXPECT_TRUE(put("c"));
  EXPECT_FALSE(put("d"));
  EXPECT_EQ(mailbox.size(), 3U);
  answered(Verdict::Kind::delivered);
  EXPECT_EQ(take(), "c") << "the one under way is not taken back";
  answered(Verdict::Kind::delivered);
  EXPECT_EQ(take(), "d");
}

}  // namespace
}  // namespace candlewick::alert
