// SPDX-License-Identifier: Apache-2.0
#include "test_upstream.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <boost/json.hpp>
#include <csignal>
#include <sstream>

#include "http_peer.h"

namespace birthmark::e2e {
namespace {

// One that was free a moment ago.
std::uint16_t free_port() {
  const FileDescriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  require(::bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0, "no port");
  require(::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0, "no port");
  return ntohs(address.sin_port);
}

void write_secret(const std::filesystem::path& path, const std::string& text) {
  write_text(path, text + "\n");
  require(::chmod(path.c_str(), 0600) == 0, "chmod");
}

}  // namespace

TestUpstream::TestUpstream(const std::filesystem::path& scratch) : scratch_(scratch), port_(free_port()) {}

void TestUpstream::set_token(const std::string& token) {
  token_ = token;
}

void TestUpstream::start(double fail_share, const Arguments& more) {
  write_secret(scratch_ / "upstream.expected", token_);
  Arguments arguments{program(),
                      "upstream",
                      "test-server",
                      "--listen",
                      "127.0.0.1:" + std::to_string(port_),
                      "--record",
                      scratch_ / "upstream.jsonl",
                      "--token-file",
                      scratch_ / "upstream.expected",
                      "--fail-share",
                      std::to_string(fail_share)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  child_ = std::make_unique<ChildProcess>(arguments, ChildProcess::Options{{}, scratch_ / "upstream.out", scratch_ / "upstream.log"});
  const bool up = wait_until([&] { return HttpPeer(port_).connected(); });
  require(up, "the test upstream does not listen: " + read_text(scratch_ / "upstream.log"));
}

void TestUpstream::stop() {
  child_->send_signal(SIGTERM);
  require(child_->wait().has_value(), "the test upstream does not end");
  child_.reset();
}

void TestUpstream::configure(const Factory& factory, const std::string& more, const std::string& origin) const {
  write_secret(token_file(factory), token_);
  factory.configure("upstream", "url = \"" + url(origin) + "\"\ntoken_file = \"upstream.token\"\ngroup = \"line\"\n" + more);
}

std::string TestUpstream::record() const {
  return std::filesystem::exists(scratch_ / "upstream.jsonl") ? read_text(scratch_ / "upstream.jsonl") : std::string();
}

std::map<std::string, std::string> TestUpstream::devices() const {
  std::map<std::string, std::string> all;
  std::istringstream lines(record());
  for (std::string line; std::getline(lines, line);) {
    const boost::json::object row = boost::json::parse(line).as_object();
    const bool fresh = all.emplace(row.at("uuid").as_string(), row.at("public-key").as_string()).second;
    require(fresh, "twice upstream: " + line);
  }
  return all;
}

}  // namespace birthmark::e2e
