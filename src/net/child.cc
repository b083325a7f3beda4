// posix_spawn and two socket pairs. Sockets rather than pipes, because writing to a pipe that
// nobody reads any more raises a signal.
#include "net/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cstring>

#include <fmt/format.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "net/loop_impl.h"

extern char** environ;

namespace candlewick::net {

using SystemError = boost::system::error_code;
using Socket = asio::local::stream_protocol::socket;

namespace {

struct Pair {
  int ours = -1;
  int its = -1;
};

Result<Pair> make_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail(ErrorKind::transient, "socketpair: {}", std::strerror(errno));
  return Pair{ends[0], ends[1]};
}

std::string told(int status) {
  if (WIFSIGNALED(status)) return fmt::format("killed by signal {}", WTERMSIG(status));
  return fmt::format("exit status {}", WEXITSTATUS(status));
}

// Zero is success, as posix_spawn has it.
int spawn(const ChildOptions& options, int channel, int errors, pid_t& process) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, channel, 0);
  posix_spawn_file_actions_adddup2(&actions, channel, 1);
  posix_spawn_file_actions_adddup2(&actions, errors, 2);
  // Not every library opens what it opens close-on-exec: a listening socket must not live on there.
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  // A group of its own: Ctrl-C at a terminal is for us, who end it in order. And no signal stays
  // blocked because the thread that starts it blocks some.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);

  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  for (const auto& [name, value] : options.environment) {
    std::erase_if(variables, [&](const auto& known) { return known.starts_with(name + "="); });
    variables.push_back(name + "=" + value);
  }
  auto arguments = options.command;
  std::vector<char*> argv;
  std::vector<char*> envp;
  for (auto& argument : arguments) argv.push_back(argument.data());
  for (auto& variable : variables) envp.push_back(variable.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  const int error =
      posix_spawnp(&process, argv.front(), &actions, &attributes, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error;
}

}  // namespace

struct Child::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::io_context& context, ChildOptions its_options, ChildEvents its_events)
      : options(std::move(its_options)),
        events(std::move(its_events)),
        channel(context),
        errors(context),
        patience(context) {}
  ~Impl() { end(); }

  // Its lines so far, complete ones and the beginning of the next.
  struct Input {
    std::array<char, 65'536> piece{};
    std::string waiting;
  };

  void read_channel();
  void read_errors();
  // False when it is over.
  bool take(Input& input, std::size_t size, const std::function<void(std::string_view)>& tell);
  void write();
  void give_up(std::string_view how);
  void ended(Socket& socket);
  // Kills it if it still runs. A killed process is gone within milliseconds, also one that was
  // stopped or hangs.
  std::string end();

  ChildOptions options;
  ChildEvents events;
  Socket channel;
  Socket errors;
  asio::steady_timer patience;
  Input lines;
  Input error_lines;
  std::string unsent;
  std::string under_way;
  pid_t process = -1;
  bool channel_ended = false;
  bool errors_ended = false;
  bool is_over = false;
};

bool Child::Impl::take(Input& input, std::size_t size,
                       const std::function<void(std::string_view)>& tell) {
  input.waiting.append(input.piece.data(), size);
  std::size_t begin = 0;
  for (auto end = input.waiting.find('\n', input.waiting.size() - size);
       end != std::string::npos && !is_over; end = input.waiting.find('\n', begin)) {
    if (tell) tell(std::string_view(input.waiting).substr(begin, end - begin));
    begin = end + 1;
  }
  if (is_over) return false;
  input.waiting.erase(0, begin);
  return true;
}

void Child::Impl::read_channel() {
  channel.async_read_some(asio::buffer(lines.piece),
                          [self = shared_from_this()](const SystemError& error, std::size_t size) {
                            if (self->is_over) return;
                            if (error) return self->ended(self->channel);
                            if (!self->take(self->lines, size, self->events.on_line)) return;
                            if (self->lines.waiting.size() > self->options.max_line_bytes)
                              return self->give_up("a line of its output is too long");
                            self->read_channel();
                          });
}

void Child::Impl::read_errors() {
  errors.async_read_some(asio::buffer(error_lines.piece),
                         [self = shared_from_this()](const SystemError& error, std::size_t size) {
                           if (self->is_over) return;
                           if (error) return self->ended(self->errors);
                           if (!self->take(self->error_lines, size, self->events.on_error_line))
                             return;
                           // What has no breaks is told as far as it is of use.
                           if (self->error_lines.waiting.size() > 65'536)
                             self->error_lines.waiting.clear();
                           self->read_errors();
                         });
}

void Child::Impl::write() {
  if (!under_way.empty() || unsent.empty()) return;
  under_way.swap(unsent);
  asio::async_write(channel, asio::buffer(under_way),
                    [self = shared_from_this()](const SystemError& error, std::size_t /*size*/) {
                      self->under_way.clear();
                      // The end is seen where it is read.
                      if (!error && !self->is_over) self->write();
                    });
}

std::string Child::Impl::end() {
  is_over = true;
  SystemError ignored;
  static_cast<void>(channel.close(ignored));
  static_cast<void>(errors.close(ignored));
  if (process <= 0) return {};
  kill(process, SIGKILL);
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  process = -1;
  return told(status);
}

// Its last words may still be on their way: the end is told when both outputs are over. One that
// has only closed its output is of no use any more; who else holds the other one open is not waited
// for.
void Child::Impl::ended(Socket& socket) {
  if (&socket == &errors) {
    errors_ended = true;
    if (channel_ended) give_up({});
    return;
  }
  channel_ended = true;
  if (errors_ended) return give_up({});
  kill(process, SIGKILL);
  patience.expires_after(std::chrono::seconds{1});
  patience.async_wait([self = shared_from_this()](const SystemError& error) {
    if (!error && !self->is_over) self->give_up({});
  });
}

void Child::Impl::give_up(std::string_view how) {
  patience.cancel();
  // Killing one that is ending by itself changes nothing about its status.
  const std::string status = end();
  const auto tell = std::move(events.on_exit);
  events = {};
  if (tell) tell(how.empty() ? std::string_view(status) : how);
}

Result<std::unique_ptr<Child>> Child::start(Loop& loop, ChildOptions options, ChildEvents events) {
  const auto channel = make_pair();
  if (!channel) return fail(channel.error());
  const auto errors = make_pair();
  if (!errors) {
    close(channel->ours);
    close(channel->its);
    return fail(errors.error());
  }
  auto impl = std::make_shared<Impl>(loop.impl()->context, std::move(options), std::move(events));
  const asio::local::stream_protocol protocol;
  impl->channel.assign(protocol, channel->ours);
  impl->errors.assign(protocol, errors->ours);
  const int error = spawn(impl->options, channel->its, errors->its, impl->process);
  close(channel->its);
  close(errors->its);
  if (error != 0) {
    impl->process = -1;
    return fail(ErrorKind::misconfigured, "cannot run \"{}\": {}", impl->options.command.front(),
                std::strerror(error));
  }
  impl->read_channel();
  impl->read_errors();
  return std::unique_ptr<Child>(new Child(std::move(impl)));
}

Child::Child(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

// A callback may be what destroys it: what is called lives on in what waits on the loop.
Child::~Child() {
  impl_->end();
}

bool Child::write_line(std::string_view line) {
  if (impl_->is_over || impl_->channel_ended) return false;
  if (impl_->unsent.size() + line.size() > impl_->options.max_queued_bytes) return false;
  impl_->unsent += line;
  impl_->unsent += '\n';
  impl_->write();
  return true;
}

int Child::process() const {
  return impl_->process;
}

}  // namespace candlewick::net
