// The streaming way: one channel a table, whose offset token is the log's sequence. Tables only
// grow: a correction is a further row, and <TABLE>_CURRENT shows which one counts. A batch is done
// when every channel has committed it; market ticks are written last, so the position of their
// channel stands for all.
#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "base/fault_point.h"
#include "net/http_client.h"
#include "sink/snowflake.h"
#include "sink/snowflake_ingest.h"
#include "sink/snowflake_rows.h"
#include "sink/snowflake_schema.h"
#include "sink/snowflake_session.h"
#include "sink/snowflake_tables.h"

namespace candlewick::sink {
namespace {

using snowflake::ChannelStatus;
using snowflake::Ingest;
using snowflake::RowMapper;
using snowflake::Target;
using snowflake::TargetRow;
using snowflake::Trouble;

// Lines are compressed in pieces of this size, which no compression makes larger than a request may
// be.
constexpr std::size_t max_piece_bytes = 3'500'000;
static_assert(max_piece_bytes + 65'536 < snowflake::max_append_bytes);

// Of a width at which texts compare as their numbers do, as people expect of tokens.
std::string offset_text(log::Sequence sequence) {
  return fmt::format("{:020}", sequence);
}

Result<log::Sequence> read_offset(std::string_view table, const ChannelStatus& status) {
  if (!status.committed) return log::Sequence{0};
  log::Sequence sequence = 0;
  const std::string& text = *status.committed;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), sequence);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(
        ErrorKind::misconfigured,
        "Snowpipe Streaming: the channel of {} has the offset token \"{}\", which is none of "
        "Candlewick's: who else writes to it?",
        table, text);
  }
  return sequence;
}

bool is_well(const ChannelStatus& status) {
  return status.code.empty() || status.code == "SUCCESS" || status.code == "ACTIVE";
}

class SnowflakeStream final : public Sink {
 public:
  SnowflakeStream(SnowflakeOptions options, const Clock& clock)
      : options_(std::move(options)),
        clock_(clock),
        http_({.ca_file = options_.ca_file}),
        ingest_(http_, options_.access, clock, options_.patience) {}

  std::string_view name() const override { return "snowflake"; }
  Result<void> open() override;
  Result<std::optional<log::Sequence>> position(std::string_view log_id) override;
  Result<void> write(const Batch& batch) override;
  std::optional<Duration> retry_after() const override { return ingest_.retry_after(); }
  std::vector<Finding> examine() override;

 private:
  struct Channel {
    std::string continuation_token;
    log::Sequence committed = 0;
    std::int64_t refused_rows = 0;
  };
  // Rows that the server took only in part, which nothing can tell apart any more.
  struct Doubtful {
    log::Sequence from = 0;
    log::Sequence to = 0;
    std::string reason;
  };

  Result<void> read_catalogue();
  Result<void> make_tables();
  Result<void> enter(const std::string& log_id);
  Result<Channel*> channel(std::size_t target);
  Result<Channel> open_channel(const Target& target);
  Result<void> store(const Batch& batch);
  Result<void> append(std::size_t target, std::span<const TargetRow* const> rows,
                      log::Sequence last);
  Result<void> send_piece(std::size_t target, std::span<const TargetRow* const> rows,
                          const std::string& lines, log::Sequence to);
  Result<void> await_commit(std::size_t target, std::span<const TargetRow* const> rows,
                            log::Sequence to);
  Result<void> judge_refusals(std::size_t target, const ChannelStatus& status,
                              std::span<const TargetRow* const> rows, log::Sequence before);

  const SnowflakeOptions options_;
  const Clock& clock_;
  net::HttpClient http_;
  Ingest ingest_;
  std::optional<warehouse::Catalogue> catalogue_;
  std::unique_ptr<RowMapper> mapper_;
  bool is_open_ = false;
  std::string log_id_;
  std::map<std::size_t, Channel> channels_;  // by target
  std::map<std::size_t, std::vector<Doubtful>> doubtful_;
};

Result<void> SnowflakeStream::read_catalogue() {
  if (mapper_) return {};
  auto catalogue = warehouse::Catalogue::built_in();
  if (!catalogue) return fail(std::move(catalogue.error()));
  catalogue_ = std::move(*catalogue);
  mapper_ = std::make_unique<RowMapper>(snowflake::targets(options_.with_candles), *catalogue_,
                                        options_.exchange_symbol_style);
  return {};
}

// By a session that ends again: making tables and views needs no warehouse.
Result<void> SnowflakeStream::make_tables() {
  snowflake::Session session(http_, options_.access, clock_, options_.patience);
  if (auto entered = session.log_in(); !entered) return entered;
  fault_point("snowflake.after_login");
  auto there = snowflake::ensure_tables(session, mapper_->targets(), true);
  session.log_out();
  return there;
}

Result<void> SnowflakeStream::open() {
  is_open_ = false;
  channels_.clear();
  if (auto read = read_catalogue(); !read) return read;
  mapper_->forget();
  if (auto made = make_tables(); !made) return made;
  if (auto connected = ingest_.connect(); !connected) return connected;
  is_open_ = true;
  return {};
}

Result<void> SnowflakeStream::enter(const std::string& log_id) {
  if (!is_open_) {
    if (auto opened = open(); !opened) return opened;
  }
  if (log_id_ != log_id) channels_.clear();
  log_id_ = log_id;
  return {};
}

// Rows that a former process has sent may still be on their way; what came of them must be known.
Result<SnowflakeStream::Channel> SnowflakeStream::open_channel(const Target& target) {
  const SteadyTime deadline = clock_.steady() + options_.patience.commit;
  Duration pause = options_.patience.poll;
  while (true) {
    const auto opened = ingest_.open(target.name, "CANDLEWICK_" + log_id_);
    if (opened) {
      const auto committed = read_offset(target.name, opened->status);
      if (!committed) return fail(committed.error());
      if (!is_well(opened->status)) {
        return fail(ErrorKind::transient, "Snowpipe Streaming: the channel of {} is {}",
                    target.name, opened->status.code);
      }
      return Channel{.continuation_token = opened->continuation_token,
                     .committed = *committed,
                     .refused_rows = opened->status.refused_rows};
    }
    if (ingest_.trouble() != Trouble::uncommitted || clock_.steady() >= deadline) {
      return fail(opened.error());
    }
    std::this_thread::sleep_for(pause);
    pause = std::min<Duration>(pause * 2, options_.patience.longest_poll);
  }
}

Result<SnowflakeStream::Channel*> SnowflakeStream::channel(std::size_t target) {
  const auto found = channels_.find(target);
  if (found != channels_.end()) return &found->second;
  auto opened = open_channel(mapper_->targets()[target]);
  if (!opened) return fail(std::move(opened.error()));
  return &channels_.emplace(target, std::move(*opened)).first->second;
}

Result<std::optional<log::Sequence>> SnowflakeStream::position(std::string_view log_id) {
  if (auto entered = enter(std::string(log_id)); !entered) return fail(std::move(entered.error()));
  const auto ticks = channel(mapper_->targets().size() - 1);
  if (!ticks) return fail(ticks.error());
  if ((*ticks)->committed == 0) return std::optional<log::Sequence>{};
  return std::optional<log::Sequence>{(*ticks)->committed};
}

// All rows refused: the table does not fit, and nothing is stored, so the channel goes back to
// where it was. Some refused: which ones is not told, so all of the piece become dead letters with
// the reason; sent again they are stored twice at worst, which the views hide.
Result<void> SnowflakeStream::judge_refusals(std::size_t target, const ChannelStatus& status,
                                             std::span<const TargetRow* const> rows,
                                             log::Sequence before) {
  const Target& to = mapper_->targets()[target];
  Channel& its = channels_.at(target);
  const std::int64_t refused = status.refused_rows - its.refused_rows;
  its.refused_rows = status.refused_rows;
  if (refused <= 0) return {};
  const std::string reason =
      fmt::format("Snowpipe Streaming: {} refused {} of {} rows: {}", to.name, refused, rows.size(),
                  status.last_error.empty() ? "no reason given" : status.last_error);
  if (std::cmp_greater_equal(refused, rows.size())) {
    channels_.erase(target);
    const auto back = ingest_.open(to.name, "CANDLEWICK_" + log_id_, offset_text(before));
    if (!back) return fail(back.error());
    return fail(ErrorKind::misconfigured,
                "{} (compare the table with the SQL of `candlewick migrate "
                "snowflake --print`)",
                reason);
  }
  doubtful_[target].push_back(
      {.from = rows.front()->sequence, .to = rows.back()->sequence, .reason = reason});
  return fail(ErrorKind::rejected, "{}", reason);
}

Result<void> SnowflakeStream::await_commit(std::size_t target,
                                           std::span<const TargetRow* const> rows,
                                           log::Sequence to) {
  const std::string& table = mapper_->targets()[target].name;
  const log::Sequence before = channels_.at(target).committed;
  const SteadyTime deadline = clock_.steady() + options_.patience.commit;
  Duration pause = options_.patience.poll;
  while (true) {
    const auto status = ingest_.status(table, "CANDLEWICK_" + log_id_);
    if (!status) return fail(status.error());
    const auto committed = read_offset(table, *status);
    if (!committed) return fail(committed.error());
    if (*committed >= to) {
      channels_.at(target).committed = *committed;
      return judge_refusals(target, *status, rows, before);
    }
    if (!is_well(*status)) {
      return fail(ErrorKind::transient, "Snowpipe Streaming: the channel of {} is {}: {}", table,
                  status->code, status->last_error);
    }
    if (clock_.steady() >= deadline) {
      return fail(
          ErrorKind::transient, "Snowpipe Streaming: rows of {} are not committed after {} s",
          table,
          std::chrono::duration_cast<std::chrono::seconds>(options_.patience.commit).count());
    }
    std::this_thread::sleep_for(pause);
    pause = std::min<Duration>(pause * 2, options_.patience.longest_poll);
  }
}

Result<void> SnowflakeStream::send_piece(std::size_t target, std::span<const TargetRow* const> rows,
                                         const std::string& lines, log::Sequence to) {
  const std::string& table = mapper_->targets()[target].name;
  const auto its = channel(target);
  if (!its) return fail(its.error());
  auto next = ingest_.append({.table = table,
                              .channel = "CANDLEWICK_" + log_id_,
                              .continuation_token = (*its)->continuation_token,
                              .start_offset = offset_text(rows.front()->sequence),
                              .end_offset = offset_text(to)},
                             lines);
  if (!next) return fail(std::move(next.error()));
  (*its)->continuation_token = std::move(*next);
  fault_point("snowflake.after_append");
  return {};
}

Result<void> SnowflakeStream::append(std::size_t target, std::span<const TargetRow* const> rows,
                                     log::Sequence last) {
  const Target& to = mapper_->targets()[target];
  std::string lines;
  std::size_t from = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    snowflake::append_json_line(lines, to, *rows[i]);
    const bool ends = i + 1 == rows.size();
    // Rows of one entry of the log share their offset, so they stay together.
    if (!ends &&
        (lines.size() < max_piece_bytes / 2 || rows[i + 1]->sequence == rows[i]->sequence)) {
      continue;
    }
    if (lines.size() > max_piece_bytes) {
      return fail(ErrorKind::rejected, "{}: a row of {} bytes", to.name, lines.size());
    }
    const auto sent = send_piece(target, rows.subspan(from, i + 1 - from), lines,
                                 ends ? last : rows[i]->sequence);
    if (!sent) return sent;
    lines.clear();
    from = i + 1;
  }
  return await_commit(target, rows, last);
}

Result<void> SnowflakeStream::store(const Batch& batch) {
  std::vector<TargetRow> rows;
  for (const auto& entry : batch.entries()) {
    if (auto mapped = mapper_->append(entry, rows); !mapped) return mapped;
  }
  std::map<std::size_t, std::vector<const TargetRow*>> wanted;  // in the order of the targets
  for (const auto& row : rows) {
    for (const auto& doubt : doubtful_[row.target]) {
      if (row.sequence >= doubt.from && row.sequence <= doubt.to) {
        return fail(ErrorKind::rejected, "{}", doubt.reason);
      }
    }
    const auto its = channel(row.target);
    if (!its) return fail(its.error());
    if (row.sequence > (*its)->committed) wanted[row.target].push_back(&row);
  }
  for (const auto& [target, fresh] : wanted) {
    if (auto done = append(target, fresh, batch.last()); !done) return done;
  }
  return {};
}

Result<void> SnowflakeStream::write(const Batch& batch) {
  if (batch.empty()) return {};
  if (auto entered = enter(batch.log_id()); !entered) return entered;
  auto stored = store(batch);
  if (stored) return stored;
  mapper_->forget();
  // Whatever is unclear, the channels know it when they are opened again.
  channels_.clear();
  if (ingest_.trouble() != Trouble::reopen) return stored;
  stored = store(batch);
  if (!stored) channels_.clear();
  return stored;
}

std::vector<Finding> SnowflakeStream::examine() {
  using Grade = Finding::Grade;
  if (auto read = read_catalogue(); !read) return {{Grade::bad, read.error().message, "reinstall"}};
  snowflake::Session session(http_, options_.access, clock_, options_.patience);
  if (auto entered = session.log_in(); !entered) {
    return {{Grade::bad, entered.error().message, "mend the setting that is named"}};
  }
  auto findings = snowflake::examine_session(session, options_.access, false);
  auto tables = snowflake::examine_tables(session, mapper_->targets(), true);
  std::ranges::move(tables, std::back_inserter(findings));
  session.log_out();
  if (auto connected = ingest_.connect(); !connected) {
    findings.push_back({Grade::bad, connected.error().message, "see the message"});
  } else {
    findings.push_back({Grade::good, "Snowpipe Streaming takes these credentials", ""});
  }
  return findings;
}

}  // namespace

std::unique_ptr<Sink> make_snowflake_stream(SnowflakeOptions options, const Clock& clock) {
  return std::make_unique<SnowflakeStream>(std::move(options), clock);
}

}  // namespace candlewick::sink
