// What each built-in venue can do, as the page docs/exchanges.md.
#pragma once

#include <string>

namespace candlewick::app {

// Markdown, made of the venues' facts alone.
std::string exchange_matrix();

}  // namespace candlewick::app
