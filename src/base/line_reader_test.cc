// Lines out of plain files and archives, whole and damaged, and what the writer leaves behind.
#include "base/line_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "base/line_writer.h"

namespace candlewick {
namespace {

class Lines : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "candlewick-lines-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string put(const std::string& name, std::string_view bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  static std::string bytes_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::filesystem::path folder_;
};

struct Read {
  std::vector<std::string> lines;
  std::string error;
};

Read read_all(const std::string& path) {
  Read result;
  auto reader = LineReader::open(path);
  if (!reader) return {{}, reader.error().message};
  std::string line;
  while (true) {
    const auto more = reader->next(line);
    if (!more) {
      result.error = more.error().message;
      return result;
    }
    if (!*more) return result;
    result.lines.push_back(line);
  }
}

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  out.resize(ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return out;
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// Long and short lines, about three megabytes, so that every buffer is filled more than once.
std::string many_lines() {
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text += std::to_string(i * 7919) +
            std::string(static_cast<std::size_t>(i * 31 % 300), static_cast<char>('a' + i % 26)) +
            "\n";
  }
  return text;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

TEST_F(Lines, AreReadFromPlainAndPackedFilesByTheirFirstBytes) {
  const auto text = many_lines();
  for (const auto& bytes : {text, gzip(text), zstd(text)}) {
    const auto read = read_all(put("any_name", bytes));
    EXPECT_EQ(read.error, "");
    EXPECT_EQ(joined(read.lines), text);
  }
}

TEST_F(Lines, AreReadThroughAllMembersOfAnArchive) {
  for (const auto& bytes : {gzip("a\nb") + gzip("c\n") + gzip("") + gzip("d"),
                            zstd("a\nb") + zstd("c\n") + zstd("") + zstd("d")}) {
    const auto read = read_all(put("members", bytes));
    EXPECT_EQ(read.error, "");
    EXPECT_EQ(read.lines, (std::vector<std::string>{"a", "bc", "d"}));
  }
}

TEST_F(Lines, NeedNoBreakAtTheEndAndKeepEmptyOnes) {
  EXPECT_EQ(read_all(put("f", "a\n\nb")).lines, (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(read_all(put("f", "\n")).lines, (std::vector<std::string>{""}));
  EXPECT_EQ(read_all(put("f", "a\r\n")).lines, (std::vector<std::string>{"a\r"}));
  EXPECT_EQ(read_all(put("f", "")).lines, (std::vector<std::string>{}));
  EXPECT_EQ(read_all(put("f", "ab")).lines, (std::vector<std::string>{"ab"}));
}

TEST_F(Lines, OfACutArchiveAreReadUpToAnErrorThatNamesTheFile) {
  const auto text = many_lines();
  for (const auto& whole : {gzip(text), zstd(text)}) {
    const std::size_t step = whole.size() / 40 + 1;
    for (std::size_t length = 5; length < whole.size(); length += step) {
      const auto file = put("cut", whole.substr(0, length));
      const auto read = read_all(file);
      ASSERT_TRUE(read.error.starts_with(file + ": damaged archive"))
          << length << ": " << read.error;
      ASSERT_TRUE(text.starts_with(joined(read.lines)));
    }
    EXPECT_NE(read_all(put("cut", whole.substr(0, whole.size() - 1))).error, "");
  }
}

TEST_F(Lines, OfADamagedArchiveEndInAnError) {
  for (auto bytes : {gzip(many_lines()), zstd(many_lines())}) {
    for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 64; ++i)
      bytes[i] = static_cast<char>(~bytes[i]);
    EXPECT_NE(read_all(put("damaged", bytes)).error, "");
  }
  EXPECT_NE(read_all(put("tail", gzip("a\n") + "garbage")).error, "");
  EXPECT_NE(read_all(put("tail", zstd("a\n") + "garbage")).error, "");
}

TEST_F(Lines, AreReadFromAPipeOnStandardInput) {
  const auto text = zstd("a\nb\n");
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  const int before = ::dup(STDIN_FILENO);
  ::dup2(ends[0], STDIN_FILENO);
  ::close(ends[0]);
  const auto read = read_all("-");
  ::dup2(before, STDIN_FILENO);
  ::close(before);
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(read.lines, (std::vector<std::string>{"a", "b"}));
}

TEST_F(Lines, AnErrorStaysAnError) {
  const auto whole = zstd(many_lines());
  auto reader = LineReader::open(put("cut", whole.substr(0, whole.size() / 2)));
  std::string line;
  while (reader->next(line)) {
  }
  EXPECT_FALSE(reader->next(line));
}

TEST_F(Lines, AreCounted) {
  auto reader = LineReader::open(put("f", "a\nb\nc"));
  std::string line;
  EXPECT_EQ(reader->line_number(), 0U);
  ASSERT_TRUE(reader->next(line));
  EXPECT_EQ(reader->line_number(), 1U);
  while (*reader->next(line)) {
  }
  EXPECT_EQ(reader->line_number(), 3U);
}

TEST_F(Lines, LongerThanTheLimitAreRefusedEvenPacked) {
  // A small archive that unpacks to one endless line.
  const auto file = put("bomb", zstd(std::string(LineReader::max_line_bytes + 1, 'x')));
  EXPECT_LT(std::filesystem::file_size(file), 100'000U);
  const auto read = read_all(file);
  EXPECT_NE(read.error.find("longer than"), std::string::npos) << read.error;
}

TEST_F(Lines, OfAMissingFileOrAFolderAreAnError) {
  EXPECT_FALSE(LineReader::open(path("missing")));
  EXPECT_EQ(LineReader::open(path("missing")).error().kind, ErrorKind::misconfigured);
  EXPECT_NE(read_all(std::filesystem::temp_directory_path().string()).error, "");
}

TEST_F(Lines, AreWrittenAndReadBack) {
  const auto text = many_lines();
  for (const std::string name : {"out.jsonl", "out.jsonl.zst"}) {
    {
      auto writer = LineWriter::open(path(name));
      ASSERT_TRUE(writer);
      std::string_view rest = text;
      while (!rest.empty()) {
        const auto end = rest.find('\n');
        ASSERT_TRUE(writer->write(rest.substr(0, end)));
        rest.remove_prefix(end + 1);
      }
      ASSERT_TRUE(writer->close());
      EXPECT_EQ(writer->file_bytes(), std::filesystem::file_size(path(name)));
    }
    EXPECT_EQ(joined(read_all(path(name)).lines), text);
  }
  EXPECT_LT(std::filesystem::file_size(path("out.jsonl.zst")),
            std::filesystem::file_size(path("out.jsonl")));
}

TEST_F(Lines, ThatWereWrittenCarryAChecksum) {
  {
    auto writer = LineWriter::open(path("out.zst"));
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(writer->write(std::to_string(i * 7919)));
  }
  auto bytes = bytes_of(path("out.zst"));
  bytes[bytes.size() / 2] = static_cast<char>(~bytes[bytes.size() / 2]);
  EXPECT_NE(read_all(put("out.zst", bytes)).error, "");
}

TEST_F(Lines, ThatWereFlushedCanBeReadWhileTheWriterIsOpen) {
  auto writer = LineWriter::open(path("out.zst"));
  ASSERT_TRUE(writer->write("first"));
  EXPECT_EQ(writer->file_bytes(), 0U);
  ASSERT_TRUE(writer->flush());
  ASSERT_TRUE(writer->write("second"));
  const auto read = read_all(path("out.zst"));
  EXPECT_EQ(read.lines, (std::vector<std::string>{"first"}));
  EXPECT_EQ(read.error, "");
}

TEST_F(Lines, AreAppendedBehindWhatACrashLeftWhole) {
  const auto file = path("out.zst");
  {
    auto writer = LineWriter::open(file);
    ASSERT_TRUE(writer->write("first"));
  }
  const auto first = bytes_of(file);
  const auto frame = zstd("lost\n");
  for (std::size_t length = 0; length <= frame.size(); ++length) {
    put("out.zst", first + frame.substr(0, length));
    {
      auto writer = LineWriter::open(file);
      ASSERT_TRUE(writer) << length;
      ASSERT_TRUE(writer->write("second"));
    }
    const auto read = read_all(file);
    EXPECT_EQ(read.error, "") << length;
    EXPECT_EQ(read.lines.size(), length == frame.size() ? 3U : 2U) << length;
    EXPECT_EQ(read.lines.back(), "second");
  }
}

TEST_F(Lines, AreNotAppendedToWhatIsNoArchive) {
  const auto file = put("notes.zst", "my notes");
  const auto writer = LineWriter::open(file);
  ASSERT_FALSE(writer);
  EXPECT_EQ(bytes_of(file), "my notes");
}

TEST_F(Lines, AreAppendedToPlainFiles) {
  const auto file = put("out", "a\n");
  {
    auto writer = LineWriter::open(file);
    EXPECT_EQ(writer->file_bytes(), 2U);
    ASSERT_TRUE(writer->write("b"));
  }
  EXPECT_EQ(bytes_of(file), "a\nb\n");
}

TEST_F(Lines, AWriterThatCannotOpenSaysSo) {
  EXPECT_FALSE(LineWriter::open(path("no/such/folder/out")));
  auto full = LineWriter::open("/dev/full");
  ASSERT_TRUE(full);
  ASSERT_TRUE(full->write("x"));
  EXPECT_FALSE(full->flush());
}

}  // namespace
}  // namespace candlewick
