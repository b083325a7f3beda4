// Scripts of a small command line of our own. test/end_to_end/terminal_test.cc asks real shells.
#include "app/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <CLI/CLI.hpp>

namespace candlewick::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Completion : public testing::Test {
 protected:
  Completion() {
    app.set_version_flag("--version", "1");
    auto* cook = app.add_subcommand("cook", "what's in the pot: [soup]");
    cook->add_option("-d,--dish", dish, "it's a dish")->check(CLI::IsMember({"soup", "stew"}));
    cook->add_option("--exchange", exchange, "venue");
    cook->add_option("--config", config, "settings");
    cook->add_flag("--salt", salt, "with salt");
    cook->add_option("--data-dir", folder, "folder")->group("Settings");
    auto* eat = app.add_subcommand("eat", "all of it");
    eat->add_option("files", files, "what to eat");
    offer_values(app);
  }
  std::string script(std::string_view shell) const { return completion_script(app, shell).value(); }

  CLI::App app{"kitchen"};
  std::string dish;
  std::string exchange;
  std::string config;
  std::string folder;
  std::vector<std::string> files;
  bool salt = false;
};

TEST_F(Completion, KnowsCommandsOptionsAndValuesInBash) {
  const auto bash = script("bash");
  EXPECT_THAT(bash, HasSubstr("'') options='cook eat -h --help --version' ;;"));
  EXPECT_THAT(bash, HasSubstr("options='-h --help -d --dish --exchange --config --salt'\" "
                              "$settings\""));
  EXPECT_THAT(bash, HasSubstr("-d|--dish) files=''; values='soup stew' takes_value=yes"));
  EXPECT_THAT(bash, HasSubstr("--config) files=''; files=yes takes_value=yes"));
  EXPECT_THAT(bash, HasSubstr("local settings='--data-dir'"));
  EXPECT_THAT(bash, Not(HasSubstr("--salt)"))) << "a flag takes no value";
  EXPECT_THAT(bash, HasSubstr("binance")) << "the venues that are built in";
}

TEST_F(Completion, QuotesDescriptionsForZshAndFish) {
  EXPECT_THAT(script("zsh"), HasSubstr(R"('cook:what'\''s in the pot\: \[soup\]')"));
  EXPECT_THAT(script("zsh"), HasSubstr(R"({-d,--dish}'[it'\''s a dish]:value:(soup stew)')"));
  EXPECT_THAT(script("zsh"), HasSubstr("'--config=[settings]:value:_files'"));
  EXPECT_THAT(script("zsh"), HasSubstr("'*:what to eat:_files'"));
  EXPECT_THAT(script("fish"),
              HasSubstr(R"(__fish_use_subcommand -a cook -d 'what\'s in the pot: [soup]')"));
  EXPECT_THAT(script("fish"),
              HasSubstr(R"(from cook' -s d -l dish -x -a 'soup stew' -d 'it\'s a dish')"));
  EXPECT_THAT(script("fish"), HasSubstr("from cook' -l config -r -F -d 'settings'"));
  EXPECT_THAT(script("fish"), HasSubstr("from eat' -F -d 'what to eat'"));
}

TEST_F(Completion, RefusesOtherShells) {
  const auto other = completion_script(app, "tcsh");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::misconfigured);
}

TEST_F(Completion, OffersValuesWithoutJudgingThem) {
  app.parse("cook --exchange ccxt:mexc");
  EXPECT_EQ(exchange, "ccxt:mexc");
  EXPECT_THROW(app.parse("cook --dish shoe"), CLI::ValidationError);
}

}  // namespace
}  // namespace candlewick::app
