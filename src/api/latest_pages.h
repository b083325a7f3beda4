// What /latest answered, for as long as the instrument's values stay the same: many clients ask
// about few instruments. Only the age in it goes on. On the API's loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/time.h"

namespace candlewick::api {

class LatestPages {
 public:
  // A page around the place where its age stands.
  struct Page {
    std::uint64_t version = 0;  // of the values
    std::string before;
    std::string after;
    std::optional<Time> received_time;

    std::string at(Time now) const;
  };

  // Null: there is none of this version.
  const Page* find(std::size_t slot, std::uint64_t version) const;
  const Page& keep(std::size_t slot, Page page);

 private:
  std::unordered_map<std::size_t, Page> pages_;
};

}  // namespace candlewick::api
