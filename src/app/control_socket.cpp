// SPDX-License-Identifier: Apache-2.0
#include "app/control_socket.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ostream>
#include <streambuf>

#include "app/commands.h"
#include "base/text.h"

namespace birthmark::app {
namespace {

namespace json = boost::json;

constexpr std::string_view kSocketName = "control.sock";
constexpr std::size_t kMaxFrameBytes = 64U << 20U;
constexpr int kReadTimeoutMs = 30'000;  // between a caller's connect and the end of its request
constexpr std::chrono::milliseconds kUnreadOutputGrace{2'000};
constexpr std::chrono::milliseconds kLookEvery{10};

// A frame: one octet of kind, four of length (big-endian), the payload.
enum class FrameKind : char { request = 'r', output = 'o', errors = 'e', exit = 'x' };

struct Frame {
  FrameKind kind = FrameKind::exit;
  std::string payload;
};

// For whoever runs or awaits an operator's command: on two cores a list of a million devices would take its turns from handshakes. (A
// thread's own nice value: setpriority(2), Linux.)
void give_way_to_devices() {
  constexpr int kNice = 10;
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, kNice));
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_exactly(int fd, char* to, std::size_t count) {
  while (count > 0) {
    const ssize_t got = ::recv(fd, to, count, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    count -= static_cast<std::size_t>(got);
  }
  return true;
}

bool send_frame(int fd, FrameKind kind, std::string_view payload) {
  const auto size = static_cast<std::uint32_t>(payload.size());
  const std::array<char, 5> head{static_cast<char>(kind), static_cast<char>(size >> 24U), static_cast<char>(size >> 16U),
                                 static_cast<char>(size >> 8U), static_cast<char>(size)};
  return send_all(fd, {head.data(), head.size()}) && send_all(fd, payload);
}

std::optional<Frame> receive_frame(int fd) {
  std::array<char, 5> head{};
  if (!receive_exactly(fd, head.data(), head.size())) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 1; i < head.size(); ++i) size = size << 8U | static_cast<unsigned char>(head[i]);
  if (size > kMaxFrameBytes) return std::nullopt;
  Frame frame{static_cast<FrameKind>(head[0]), std::string(size, '\0')};
  if (!receive_exactly(fd, frame.payload.data(), size)) return std::nullopt;
  return frame;
}

// An open file goes over with one octet for company (unix(7), SCM_RIGHTS).
union DescriptorMessage {
  cmsghdr aligned;
  std::array<char, CMSG_SPACE(sizeof(int))> octets;
};

bool send_descriptor(int fd, int descriptor) {
  char company = 'd';
  iovec piece{&company, 1};
  DescriptorMessage control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.octets.data();
  message.msg_controllen = control.octets.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  return ::sendmsg(fd, &message, MSG_NOSIGNAL) == 1;
}

FileDescriptor receive_descriptor(int fd) {
  char company = 0;
  iovec piece{&company, 1};
  DescriptorMessage control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.octets.data();
  message.msg_controllen = control.octets.size();
  if (::recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != 1) return {};
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  const bool carries =
      header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int));
  if (!carries) return {};
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
  return FileDescriptor(descriptor);
}

// What is written to it leaves as frames of one kind.
class FrameBuffer final : public std::streambuf {
 public:
  FrameBuffer(int fd, FrameKind kind) : fd_(fd), kind_(kind) { setp(buffer_.data(), buffer_.data() + buffer_.size()); }
  ~FrameBuffer() override { FrameBuffer::sync(); }
  FrameBuffer(const FrameBuffer&) = delete;
  FrameBuffer& operator=(const FrameBuffer&) = delete;

 protected:
  int overflow(int character) override {
    if (FrameBuffer::sync() != 0) return traits_type::eof();
    if (character != traits_type::eof()) sputc(static_cast<char>(character));
    return traits_type::not_eof(character);
  }
  int sync() override {
    const auto waiting = static_cast<std::size_t>(pptr() - pbase());
    const bool sent = waiting == 0 || send_frame(fd_, kind_, {pbase(), waiting});
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    return sent ? 0 : -1;
  }

 private:
  const int fd_;
  const FrameKind kind_;
  std::array<char, 16384> buffer_{};
};

struct ForwardedCommand {
  std::vector<std::string> arguments;
  std::vector<cli::InputFile> inputs;
  bool terminal = false;  // the caller's stderr is one
};

std::string encode(const std::vector<std::string>& arguments, const std::vector<cli::InputFile>& inputs, bool terminal) {
  json::object request;
  json::array words, files;
  for (const std::string& argument : arguments) words.emplace_back(argument);
  for (const cli::InputFile& input : inputs) {
    files.push_back(
        json::object{{"path", input.path}, {"contents", to_base64(as_bytes(input.contents))}, {"stream", input.stream != nullptr}});
  }
  request["arguments"] = std::move(words);
  request["files"] = std::move(files);
  request["terminal"] = terminal;
  return json::serialize(request);
}

bool is_true(const json::object& object, std::string_view member) {
  const json::value* value = object.if_contains(member);
  return value != nullptr && value->is_bool() && value->get_bool();
}

// Only our own program writes these, yet a wrong one must not end the server.
std::optional<ForwardedCommand> decode(std::string_view text) {
  boost::system::error_code failure;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), failure);
  if (failure || !value.is_object()) return std::nullopt;
  const json::value* words = value.get_object().if_contains("arguments");
  const json::value* files = value.get_object().if_contains("files");
  if (words == nullptr || !words->is_array() || files == nullptr || !files->is_array()) return std::nullopt;
  ForwardedCommand command;
  for (const json::value& word : words->get_array()) {
    if (!word.is_string()) return std::nullopt;
    command.arguments.emplace_back(word.get_string());
  }
  for (const json::value& file : files->get_array()) {
    if (!file.is_object()) return std::nullopt;
    const json::value* path = file.get_object().if_contains("path");
    const json::value* contents = file.get_object().if_contains("contents");
    if (path == nullptr || !path->is_string() || contents == nullptr || !contents->is_string()) return std::nullopt;
    const auto bytes = from_base64(contents->get_string());
    if (!bytes) return std::nullopt;
    command.inputs.push_back({std::string(path->get_string()), std::string(as_text(*bytes))});
    if (is_true(file.get_object(), "stream")) command.inputs.back().stream = std::make_shared<FileDescriptor>();
  }
  command.terminal = is_true(value.get_object(), "terminal");
  return command;
}

Result<sockaddr_un> address_of(const std::filesystem::path& directory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = (directory / kSocketName).string();
  if (path.size() >= sizeof(address.sun_path)) {
    return fail(ErrorCode::misconfigured,
                path + " is too long for a socket (at most 107 bytes): use a shorter path, or call from inside the directory");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

std::string peer_name(int fd) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "unknown";
  return Site::user_name(peer.uid);
}

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::start(Site& site) {
  BIRTHMARK_TRY(const sockaddr_un address, address_of(site.directory()));
  FileDescriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  FileDescriptor wake(::eventfd(0, EFD_CLOEXEC));
  ::unlink(address.sun_path);  // ours to remove: we hold the directory's lock
  const mode_t before = ::umask(0177);
  const bool bound = ::bind(listener.get(), generic(address), sizeof(address)) == 0;
  const int failure = errno;
  ::umask(before);
  if (!bound || ::listen(listener.get(), 64) != 0) {
    return fail(ErrorCode::misconfigured,
                std::string("cannot listen on ") + address.sun_path + ": " + describe_errno(bound ? errno : failure));
  }
  std::unique_ptr<ControlServer> server(new ControlServer(site, std::move(listener), std::move(wake)));
  server->acceptor_ = std::thread([raw = server.get()] { raw->accept_commands(); });
  return server;
}

ControlServer::~ControlServer() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_.get(), &one, sizeof(one)));
  acceptor_.join();
  end_workers();
  ::unlink((site_.directory() / kSocketName).c_str());
}

// A peer that has not sent its request by now will get no answer; one that leaves its output unread (a pager) is given a moment.
void ControlServer::end_workers() {
  for (const Worker& worker : workers_) ::shutdown(worker.connection.get(), SHUT_RD);
  const auto deadline = std::chrono::steady_clock::now() + kUnreadOutputGrace;
  for (Worker& worker : workers_) {
    while (!worker.done) {
      std::this_thread::sleep_for(kLookEvery);
      pollfd room{worker.connection.get(), POLLOUT, 0};
      const bool stuck = ::poll(&room, 1, 0) == 0;
      if (stuck && std::chrono::steady_clock::now() > deadline) ::shutdown(worker.connection.get(), SHUT_RDWR);
    }
    worker.thread.join();
  }
}

void ControlServer::accept_commands() {
  for (;;) {
    std::array<pollfd, 2> waits{{{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return;
    if (waits[1].revents != 0) return;
    FileDescriptor connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid()) {
      std::this_thread::sleep_for(kLookEvery);  // out of descriptors: the caller still waits, and asking again at once would spin
      continue;
    }
    for (auto worker = workers_.begin(); worker != workers_.end();) {
      if (!worker->done) {
        ++worker;
        continue;
      }
      worker->thread.join();
      worker = workers_.erase(worker);
    }
    Worker& worker = workers_.emplace_back(std::move(connection));
    worker.thread = std::thread([this, &worker] {
      serve(worker.connection.get());
      ::shutdown(worker.connection.get(), SHUT_RDWR);
      worker.done = true;
    });
  }
}

void ControlServer::serve(int connection) {
  give_way_to_devices();
  const timeval patience{kReadTimeoutMs / 1000, 0};
  ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  const auto frame = receive_frame(connection);
  auto command = frame && frame->kind == FrameKind::request ? decode(frame->payload) : std::nullopt;
  if (!command) return;
  for (cli::InputFile& input : command->inputs) {
    if (input.stream) *input.stream = receive_descriptor(connection);
    if (input.stream && !input.stream->valid()) return;
  }
  Site::act_for(peer_name(connection));
  int exit_code = cli::kFailed;
  {
    FrameBuffer output(connection, FrameKind::output);
    FrameBuffer errors(connection, FrameKind::errors);
    std::ostream out(&output), err(&errors);
    cli::Console console{out, err, command->terminal, [connection](std::chrono::milliseconds at_most) {
                           pollfd reader{connection, POLLIN | POLLRDHUP, 0};  // it has nothing more to say but that it is gone
                           return ::poll(&reader, 1, static_cast<int>(at_most.count())) != 0;
                         }};
    exit_code = cli::run_forwarded(program_commands(), command->arguments, command->inputs, console, site_);
  }
  send_frame(connection, FrameKind::exit, std::to_string(exit_code));
}

Result<int> forward_command(const std::filesystem::path& directory, const std::vector<std::string>& arguments,
                            const std::vector<cli::InputFile>& inputs, cli::Console& console) {
  BIRTHMARK_TRY(const sockaddr_un address, address_of(directory));
  const FileDescriptor connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(connection.get(), generic(address), sizeof(address)) != 0) {
    return fail(ErrorCode::unavailable, directory.string() + " is in use by another process that does not answer on " + address.sun_path,
                describe_errno(errno));
  }
  bool sent = send_frame(connection.get(), FrameKind::request, encode(arguments, inputs, console.terminal));
  for (const cli::InputFile& input : inputs)
    if (input.stream) sent = sent && send_descriptor(connection.get(), input.stream->get());
  if (!sent) return fail(ErrorCode::unavailable, "the server closed the connection");
  give_way_to_devices();
  while (auto frame = receive_frame(connection.get())) {
    if (frame->kind == FrameKind::output) console.out << frame->payload << std::flush;
    if (frame->kind == FrameKind::errors) console.err << frame->payload << std::flush;
    if (frame->kind == FrameKind::exit) return static_cast<int>(std::strtol(frame->payload.c_str(), nullptr, 10));
    if (!console.out) return fail(ErrorCode::unavailable, "nobody reads the output any more");
  }
  return fail(ErrorCode::unavailable, "the server ended before the command was done");
}

}  // namespace birthmark::app
