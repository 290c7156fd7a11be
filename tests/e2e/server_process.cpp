// SPDX-License-Identifier: Apache-2.0
#include "server_process.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>

namespace birthmark::e2e {
namespace {

Arguments serve_arguments(const std::filesystem::path& directory, const ServerProcess::Options& options) {
  Arguments arguments{program(), "serve", "--dir", directory, "--threads", std::to_string(options.threads)};
  for (const std::string& listener : options.listen) arguments.insert(arguments.end(), {"--listen", listener});
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  return arguments;
}

}  // namespace

std::string program() {
  return BIRTHMARK_PROGRAM;
}

ServerProcess::ServerProcess(const std::filesystem::path& directory, const std::filesystem::path& log, const Options& options)
    : log_(log), child_(serve_arguments(directory, options), {options.environment, {}, log}) {}

void ServerProcess::take_line(std::string_view line) {
  constexpr std::string_view kListening = "listening ";
  const std::size_t face_end = line.find(' ', kListening.size()), colon = line.rfind(':');
  if (line.starts_with(kListening) && face_end != std::string_view::npos && colon != std::string_view::npos) {
    std::uint16_t& port = ports_[std::string(line.substr(kListening.size(), face_end - kListening.size()))];
    std::from_chars(line.data() + colon + 1, line.data() + line.size(), port);
  }
  if (line == "ready") ready_ = true;
}

bool ServerProcess::wait_until_ready(milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  while (!ready_) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd waiting{child_.output_pipe(), POLLIN, 0};
    if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) != 1) return false;
    std::array<char, 1024> buffer{};
    const ssize_t got = ::read(child_.output_pipe(), buffer.data(), buffer.size());
    if (got <= 0) return false;
    unread_.append(buffer.data(), static_cast<std::size_t>(got));
    for (std::size_t end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n')) {
      take_line(std::string_view(unread_).substr(0, end));
      unread_.erase(0, end + 1);
    }
  }
  return !ports_.empty();
}

std::uint16_t ServerProcess::port(const std::string& face) const {
  const auto found = ports_.find(face);
  return found == ports_.end() ? 0 : found->second;
}

int ServerProcess::stop() {
  send_signal(SIGTERM);
  const auto end = wait();
  return end ? end->code : -1;
}

void ServerProcess::kill() {
  send_signal(SIGKILL);
  require(wait().has_value(), "a killed server still runs");
}

Factory::Factory(Pki pki) {
  Arguments arguments{"init", directory(), "--factory", "acme", "--gateway-dns", "x.ota-lite.example", "--ostree-dns", "x.ostree.example"};
  if (pki == Pki::no) arguments.emplace_back("--no-pki");
  const Outcome made = birthmark(arguments);
  require(made.exit_code == 0, "init failed: " + made.errors);
}

Outcome Factory::birthmark(const Arguments& arguments, const std::vector<std::string>& environment) const {
  Arguments all{program()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run(all, environment);
}

std::string Factory::command(Arguments arguments) const {
  arguments.insert(arguments.end(), {"--dir", directory()});
  const Outcome done = birthmark(arguments);
  require(done.exit_code == 0, arguments[0] + " failed: " + done.output + done.errors);
  return done.output;
}

// Puts a setting right below its section's heading.
void Factory::configure(std::string_view section, std::string_view setting) const {
  const auto path = directory() / "birthmark.toml";
  std::string text = read_text(path);
  const std::string heading = "\n[" + std::string(section) + "]\n";
  const std::size_t at = text.find(heading);
  require(at != std::string::npos, "birthmark.toml has no " + heading);
  text.insert(at + heading.size(), std::string(setting) + "\n");
  write_text(path, text);
}

std::unique_ptr<ServerProcess> Factory::try_to_serve(const ServerProcess::Options& options) const {
  return std::make_unique<ServerProcess>(directory(), scratch() / "server.log", options);
}

std::unique_ptr<ServerProcess> Factory::serve(const ServerProcess::Options& options) const {
  auto server = try_to_serve(options);
  require(server->wait_until_ready(), "the server did not get ready: " + server->log_text());
  return server;
}

}  // namespace birthmark::e2e
