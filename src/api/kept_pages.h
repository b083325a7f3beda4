// Pages of history as they were answered, for whoever asks the same before anything has changed
// that they were made of: the warehouse, and what memory adds to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/call.h"
#include "base/guarded.h"
#include "warehouse/database.h"

namespace candlewick::api {

class KeptPages {
 public:
  struct Page {
    SharedContent content;
    CachePolicy policy{};
    std::string memory;  // what memory added, in words of the asker's
  };

  // Which state of the warehouse this connection sees: another number after each commit of
  // anybody's. Null: it is not told (only SQLite knows without asking a server).
  std::optional<std::uint64_t> state_of(warehouse::Database& database);
  // A connection that is new, though another one may have been in its place.
  void forget(const warehouse::Database& database);

  // Null: there is none, or it is of another state.
  std::shared_ptr<const Page> find(std::string_view question, std::uint64_t state,
                                   std::string_view memory) const;
  // `state` and the page's memory are from before it was read.
  void keep(std::string question, std::uint64_t state, std::shared_ptr<const Page> page);

 private:
  struct Kept {
    std::map<const warehouse::Database*, std::int64_t> versions;  // as each connection counts them
    std::uint64_t state = 0;
    std::map<std::string, std::shared_ptr<const Page>, std::less<>> pages;  // all of `state`
    std::size_t bytes = 0;

    void drop_pages();
  };

  Guarded<Kept> kept_;
};

}  // namespace candlewick::api
