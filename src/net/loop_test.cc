// Loops, timers and calls between threads.
#include "net/loop.h"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "net/testing.h"

namespace candlewick::net {
namespace {

using testing::patience;
using testing::Told;

TEST(Loop, RunsTasksOfOneThreadInTheOrderPosted) {
  Loop loop("test");
  Told<int> told;
  for (int i = 0; i < 100; ++i) {
    loop.post([&told, i] { told.tell(i); });
  }
  loop.start();
  const std::vector<int> values = told.wait_for(100);
  ASSERT_EQ(values.size(), 100U);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(values[static_cast<std::size_t>(i)], i);
  }
}

TEST(Loop, RunsTasksOfManyThreadsOneAtATime) {
  Loop loop("test");
  loop.start();
  int counter = 0;  // not atomic: the loop's thread alone touches it
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 1000; ++n) {
          loop.post([&] { ++counter; });
        }
      });
    }
  }
  int seen = 0;
  loop.call([&] { seen = counter; });
  EXPECT_EQ(seen, 4000);
}

TEST(Loop, KnowsItsThreadAndItsName) {
  Loop loop("a name longer than fifteen bytes");
  loop.start();
  EXPECT_FALSE(loop.in_loop_thread());
  bool inside = false;
  char name[32] = {};
  loop.call([&] {
    inside = loop.in_loop_thread();
    pthread_getname_np(pthread_self(), name, sizeof name);
  });
  EXPECT_TRUE(inside);
  EXPECT_STREQ(name, "a name longer t");
}

TEST(Loop, CallRunsDirectlyWhereTheLoopDoesNotRun) {
  Loop loop("test");
  std::thread::id ran;
  loop.call([&] { ran = std::this_thread::get_id(); });
  EXPECT_EQ(ran, std::this_thread::get_id());
  loop.start();
  loop.call([&] { ran = std::this_thread::get_id(); });
  EXPECT_NE(ran, std::this_thread::get_id());
  loop.call([&] { loop.call([&] { ran = {}; }); });
  EXPECT_EQ(ran, std::thread::id{});
  loop.stop();
  loop.join();
  loop.call([&] { ran = std::this_thread::get_id(); });
  EXPECT_EQ(ran, std::this_thread::get_id());
}

TEST(Loop, RunReturnsAfterStop) {
  Loop loop("test");
  loop.post([&] { loop.stop(); });
  loop.post([] { FAIL() << "ran after stop"; });
  loop.run();
  EXPECT_FALSE(loop.in_loop_thread());
}

TEST(Loop, DestroysTasksThatDidNotRun) {
  auto held = std::make_shared<int>(1);
  {
    Loop loop("test");
    loop.post([held] {});
    Timer timer = loop.after(std::chrono::hours{1}, [held] {});
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Timer, FiresOnceInTheOrderOfDelays) {
  Loop loop("test");
  Told<int> told;
  const Timer second = loop.after(std::chrono::milliseconds{30}, [&] { told.tell(2); });
  const Timer first = loop.after(std::chrono::milliseconds{1}, [&] { told.tell(1); });
  EXPECT_TRUE(first.armed());
  loop.start();
  EXPECT_EQ(told.wait_for(2), (std::vector<int>{1, 2}));
  EXPECT_FALSE(first.armed());
}

TEST(Timer, DoesNotFireOnceCancelledOnTheLoopsThread) {
  Loop loop("test");
  Told<int> told;
  Timer cancelled;
  Timer destroyed;
  loop.start();
  loop.call([&] {
    cancelled = loop.after(Duration::zero(), [&] { told.tell(1); });
    {
      const Timer gone = loop.after(Duration::zero(), [&] { told.tell(2); });
    }
    destroyed = loop.after(Duration::zero(), [&] { told.tell(3); });
    cancelled.cancel();
    destroyed = Timer{};
  });
  const Timer last = loop.after(std::chrono::milliseconds{5}, [&] { told.tell(4); });
  EXPECT_EQ(told.wait_for(1), (std::vector<int>{4}));
}

TEST(Timer, MayDestroyItselfWhileItFires) {
  Loop loop("test");
  loop.start();
  Told<int> told;
  Timer timer;
  loop.call([&] {
    timer = loop.after(Duration::zero(), [&] {
      timer = Timer{};
      told.tell(1);
    });
  });
  EXPECT_EQ(told.wait_for_one(), 1);
}

TEST(Timer, OutlivesItsLoop) {
  Timer timer;
  {
    Loop loop("test");
    loop.start();
    timer = loop.after(std::chrono::hours{1}, [] {});
    loop.call([] {});
  }
  timer.cancel();
  EXPECT_FALSE(timer.armed());
}

TEST(Timer, IsCancelledFromManyThreadsWhileItFires) {
  Loop loop("test");
  loop.start();
  std::atomic<int> fired{0};
  std::atomic<int> kept{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 300; ++n) {
          Timer timer = loop.after(std::chrono::microseconds{n % 3}, [&] { ++fired; });
          if (n % 2 == 0) {
            timer.cancel();
          } else {
            std::promise<void> done;
            const Timer other = loop.after(Duration::zero(), [&] { done.set_value(); });
            done.get_future().wait();
            ++kept;
          }
        }
      });
    }
  }
  loop.call([] {});
  EXPECT_EQ(kept.load(), 600);
  EXPECT_LE(fired.load(), 1200);
}

TEST(Loop, TellsOfEverySignal) {
  Loop loop("test");
  Told<int> told;
  loop.on_signals({SIGUSR1}, [&](int signal) { told.tell(signal); });
  loop.start();
  std::raise(SIGUSR1);
  EXPECT_EQ(told.wait_for_one(), SIGUSR1);
  std::raise(SIGUSR1);
  EXPECT_EQ(told.wait_for(2).size(), 2U);
}

}  // namespace
}  // namespace candlewick::net
