// SPDX-License-Identifier: Apache-2.0
// birthmark-bench NAME [--quick|--smoke] [--server PROGRAM]: see ./dev bench.
#include <charconv>
#include <csignal>
#include <cstdio>
#include <string_view>

#include "eve_bench.h"
#include "gateway_bench.h"
#include "http_bench.h"
#include "lists_bench.h"
#include "pep_bench.h"
#include "sign_bench.h"
#include "soak.h"

namespace {

using namespace birthmark;

constexpr const char* kUsage =
    "birthmark-bench sign [--quick|--smoke] [--server PROGRAM]   one registration's cost beside its two primitives\n"
    "birthmark-bench gateway [--quick|--smoke] [--server PROGRAM] a device's visit beside openssl s_server's handshake\n"
    "birthmark-bench soak [--minutes N] [--server PROGRAM]       mixed traffic at the gateway, 30 minutes unless told: does memory stay?\n"
    "birthmark-bench eve [--quick|--smoke] [--server PROGRAM]    what an EVE node's requests cost, and whether that grows\n"
    "birthmark-bench pep [--quick|--smoke] [--server PROGRAM]    gateways provisioned by 15 stations, and by many slow ones\n"
    "birthmark-bench lists [--quick|--smoke] [--server PROGRAM]  the factory API's lists while the table grows\n"
    "birthmark-bench http [--quick|--smoke]                      the HTTP engine alone\n"
    "birthmark-bench http-serve PORT THREADS                     its handler, for another load generator\n";

int usage() {
  std::fputs(kUsage, stderr);
  return 2;
}

unsigned number(std::string_view text) {
  unsigned value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  if (argc < 2) return usage();
  const std::string_view name = argv[1];
  std::filesystem::path server = std::filesystem::path(argv[0]).parent_path() / "birthmark";
  auto extent = bench::Extent::full;
  unsigned minutes = 30;
  Status outcome;
  if (name == "http-serve" && argc == 4) {
    outcome = bench::serve_http(static_cast<std::uint16_t>(number(argv[2])), number(argv[3]));
  } else {
    for (int i = 2; i < argc; ++i) {
      const std::string_view word = argv[i];
      if (word == "--quick") {
        extent = bench::Extent::quick;
      } else if (word == "--smoke") {
        extent = bench::Extent::smoke;
      } else if (word == "--minutes" && name == "soak" && i + 1 < argc) {
        minutes = number(argv[++i]);
      } else if (word == "--server" && i + 1 < argc) {
        server = argv[++i];
      } else {
        return usage();
      }
    }
    if (name == "sign") {
      outcome = bench::run_sign_bench(server, extent);
    } else if (name == "gateway") {
      outcome = bench::run_gateway_bench(server, extent);
    } else if (name == "soak" && minutes > 0) {
      outcome = bench::run_soak(server, minutes);
    } else if (name == "eve") {
      outcome = bench::run_eve_bench(server, extent);
    } else if (name == "pep") {
      outcome = bench::run_pep_bench(server, extent);
    } else if (name == "lists") {
      outcome = bench::run_lists_bench(server, extent);
    } else if (name == "http") {
      outcome = bench::run_http_bench(extent);
    } else {
      return usage();
    }
  }
  if (outcome) return 0;
  std::fprintf(stderr, "birthmark-bench: %s\n", outcome.error().describe().c_str());
  return 1;
}
