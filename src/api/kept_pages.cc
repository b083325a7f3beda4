// Each connection to SQLite counts the commits of others by itself, so a commit makes one new state
// for each connection that notices it: a page may be dropped too early, never too late.
#include "api/kept_pages.h"

#include <array>
#include <utility>

namespace candlewick::api {
namespace {

constexpr std::size_t most_bytes = std::size_t{16} << 20;  // further pages: all go, and these come
constexpr std::size_t largest_page_bytes = most_bytes / 4;

// What a page costs with the question that it is found by; small ones are mostly what surrounds
// them.
std::size_t bytes_of(std::string_view question, const KeptPages::Page& page) {
  constexpr std::size_t of_any_page = 512;
  return of_any_page + question.size() + page.memory.size() + page.content.plain->size() +
         (page.content.gzip ? page.content.gzip->size() : 0);
}

}  // namespace

void KeptPages::Kept::drop_pages() {
  pages.clear();
  bytes = 0;
}

std::optional<std::uint64_t> KeptPages::state_of(warehouse::Database& database) {
  if (database.dialect() != warehouse::Dialect::sqlite) return std::nullopt;
  static constexpr std::array types{schema::ColumnType::integer};
  const auto rows = database.select("PRAGMA data_version", {}, types);
  if (!rows || rows->empty()) return std::nullopt;
  const auto version = std::get<std::int64_t>(rows->front().front());
  return kept_.with([&](Kept& kept) {
    const auto [seen, is_new] = kept.versions.try_emplace(&database, version);
    if (is_new || std::exchange(seen->second, version) != version) {
      ++kept.state;
      kept.drop_pages();
    }
    return kept.state;
  });
}

void KeptPages::forget(const warehouse::Database& database) {
  kept_.with([&](Kept& kept) { kept.versions.erase(&database); });
}

std::shared_ptr<const KeptPages::Page> KeptPages::find(std::string_view question,
                                                       std::uint64_t state,
                                                       std::string_view memory) const {
  return kept_.with([&](const Kept& kept) -> std::shared_ptr<const Page> {
    if (kept.state != state) return nullptr;
    const auto found = kept.pages.find(question);
    if (found == kept.pages.end() || found->second->memory != memory) return nullptr;
    return found->second;
  });
}

void KeptPages::keep(std::string question, std::uint64_t state, std::shared_ptr<const Page> page) {
  const std::size_t bytes = bytes_of(question, *page);
  if (bytes > largest_page_bytes) return;
  kept_.with([&](Kept& kept) {
    if (kept.state != state) return;
    if (const auto found = kept.pages.find(question); found != kept.pages.end()) {
      kept.bytes -= bytes_of(question, *found->second);
      kept.pages.erase(found);
    }
    if (kept.bytes + bytes > most_bytes) kept.drop_pages();
    kept.pages.emplace(std::move(question), std::move(page));
    kept.bytes += bytes;
  });
}

}  // namespace candlewick::api
