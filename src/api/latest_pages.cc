// The pages are a few kilobytes each; those of instruments that nobody asks about any more go when
// there are too many.
#include "api/latest_pages.h"

#include "api/json_form.h"

namespace candlewick::api {
namespace {

constexpr std::size_t most_pages = 500;

}  // namespace

std::string LatestPages::Page::at(Time now) const {
  constexpr std::size_t longest_age = 20;
  std::string page;
  page.reserve(before.size() + longest_age + after.size() + 1);
  page += before;
  append_age(page, received_time, now);
  return page += after;
}

const LatestPages::Page* LatestPages::find(std::size_t slot, std::uint64_t version) const {
  const auto found = pages_.find(slot);
  return found != pages_.end() && found->second.version == version ? &found->second : nullptr;
}

const LatestPages::Page& LatestPages::keep(std::size_t slot, Page page) {
  if (pages_.size() >= most_pages && !pages_.contains(slot)) pages_.clear();
  return pages_[slot] = std::move(page);
}

}  // namespace candlewick::api
