// SPDX-License-Identifier: Apache-2.0
// Everything by the product's own commands, but the crowd, which would take them too long.
#include "gateway_factory.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "preload.h"

namespace birthmark::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kFactory = "bench";
constexpr std::chrono::seconds kReferenceStartsWithin{10};

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// s_server does not say on which port it listens when it is told 0 and not to speak; somebody else taking this one meanwhile fails its
// start.
Result<std::uint16_t> free_port() {
  const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), raw, size) != 0 || ::getsockname(socket.get(), raw, &size) != 0)
    return fail(ErrorCode::unavailable, "no free port");
  return ntohs(address.sin_port);
}

bool answers(std::uint16_t port) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

Result<GatewayFactory> GatewayFactory::make(std::filesystem::path server, std::filesystem::path scratch, const Amounts& amounts) {
  GatewayFactory factory(std::move(server), std::move(scratch));
  BIRTHMARK_CHECK(factory.prepare(amounts));
  return factory;
}

Status GatewayFactory::prepare(const Amounts& amounts) {
  const std::vector<std::string> init = {server_,         "init",          directory_,     "--factory",    kFactory,
                                         "--gateway-dns", "gw.bench.test", "--ostree-dns", "os.bench.test"};
  BIRTHMARK_TRY(const std::string said, run_program(init, log()));
  BIRTHMARK_CHECK(configure());
  auto begun = Clock::now();
  BIRTHMARK_TRY(fleet_, make_fleet(amounts.fleet, directory_ / "pki", kFactory));
  std::printf("%zu device certificates made in %.1f s\n", fleet_.size(), seconds_since(begun));
  begun = Clock::now();
  std::fflush(stdout);
  BIRTHMARK_CHECK(preload_devices(directory_, amounts.known, [](std::size_t) {}));
  std::printf("%zu devices registered before, in %.1f s\n", amounts.known, seconds_since(begun));
  std::fflush(stdout);
  return {};
}

// One file for the whole factory: then there is something that a device can have already.
Status GatewayFactory::configure() const {
  const std::filesystem::path file = scratch_ / "motd";
  BIRTHMARK_CHECK(create_file(file, "measure twice\n", 0600));
  BIRTHMARK_TRY(
      const std::string said,
      run_program({server_, "config", "set", "--dir", directory_, "--factory", "motd=" + file.string(), "--reason", "bench"}, log()));
  return {};
}

Result<ServerProcess> GatewayFactory::start(unsigned tickets) const {
  BIRTHMARK_TRY(std::string config, read_file(directory_ / "birthmark.toml"));
  constexpr std::string_view kSection = "[gateway]\n";
  const std::size_t section = config.find(kSection);
  if (section == std::string::npos) return fail(ErrorCode::internal, "birthmark.toml has no [gateway]");
  if (tickets > 0) config.insert(section + kSection.size(), "tickets = " + std::to_string(tickets) + "\n");
  const std::filesystem::path changed = directory_ / "birthmark.toml";
  BIRTHMARK_TRY(const std::string original, read_file(changed));
  BIRTHMARK_CHECK(replace_file(changed, config, 0600));
  auto server = ServerProcess::start({.program = server_, .directory = directory_, .face = "gateway"});
  BIRTHMARK_CHECK(replace_file(changed, original, 0600));
  return server;
}

Result<GatewayFactory::Reference> GatewayFactory::start_reference(const std::vector<std::string>& more) const {
  const std::filesystem::path pki = directory_ / "pki";
  BIRTHMARK_TRY(const std::string root, read_file(pki / "factory_ca.pem"));
  BIRTHMARK_TRY(const std::string authority, read_file(pki / "local-ca.pem"));
  BIRTHMARK_CHECK(replace_file(scratch_ / "authorities.pem", root + authority, 0600));
  BIRTHMARK_TRY(const std::uint16_t port, free_port());
  ChildProgram::Options options;
  options.arguments = {"openssl",      "s_server",
                       "-accept",      "127.0.0.1:" + std::to_string(port),
                       "-cert",        pki / "tls-crt",
                       "-key",         directory_ / "keys" / "tls.key",
                       "-CAfile",      scratch_ / "authorities.pem",
                       "-Verify",      "1",
                       "-num_tickets", "0",
                       "-tls1_3"};
  options.arguments.insert(options.arguments.end(), more.begin(), more.end());
  options.log = scratch_ / "s_server.log";
  options.keep_input_open = true;
  options.discard_output = true;
  BIRTHMARK_TRY(ChildProgram program, ChildProgram::start(options));
  const auto deadline = Clock::now() + kReferenceStartsWithin;
  while (!answers(port)) {
    if (Clock::now() > deadline) return fail(ErrorCode::unavailable, "openssl s_server does not start, see " + options.log.string());
    std::this_thread::yield();
  }
  return Reference{std::move(program), port};
}

std::string check_in(bool keep_alive) {
  return std::string("GET /config HTTP/1.1\r\nHost: gw.bench.test:8443\r\nUser-Agent: fioconfig-client/2\r\n") +
         "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 UTC\r\nx-ats-tags: main\r\nx-ats-target: intel-corei7-64-lmp-1\r\n" +
         (keep_alive ? "" : "Connection: close\r\n") + "\r\n";
}

std::string first_check_in() {
  return "GET /config HTTP/1.1\r\nHost: gw.bench.test:8443\r\nUser-Agent: fioconfig-client/2\r\nConnection: close\r\n\r\n";
}

}  // namespace birthmark::bench
