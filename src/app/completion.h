// Completions for shells, made of the command line's own description: what is added there is
// completed. Values of a closed set are those that --help shows in braces, files are options of the
// type FILE.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace CLI {
class App;
}

namespace candlewick::app {

// Tells the options of every command what they may be given, where that is known: for --help and
// completion. Values are still judged by the command, which takes more (spellings, "ccxt:NAME").
void offer_values(CLI::App& program);

// The script for "bash", "zsh" or "fish". Error: misconfigured.
Result<std::string> completion_script(const CLI::App& program, std::string_view shell);

}  // namespace candlewick::app
