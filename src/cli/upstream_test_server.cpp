// SPDX-License-Identifier: Apache-2.0
// birthmark upstream test-server: plays an upstream on a bench without internet. Takes PUT as the factory API does (protocol facts,
// Foundries 2.2), remembers what it got in a file, and can be told to fail.
#include <pthread.h>

#include <boost/json.hpp>
#include <csignal>
#include <fstream>
#include <map>
#include <mutex>
#include <ostream>
#include <random>

#include "base/file.h"
#include "base/pem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "crypto/x509_codec.h"
#include "net/server.h"
#include "net/tls_server.h"

namespace birthmark::cli {
namespace {

namespace json = boost::json;

struct Known {
  std::string key_pem;
  std::string line;  // as it stands in the record
};

class TestUpstream final : public net::Handler {
 public:
  TestUpstream(std::unique_ptr<core::X509Codec> codec, double fail_share) : codec_(std::move(codec)), fail_share_(fail_share) {}

  // Goes on where an earlier run with the same record ended.
  Status open_record(const std::filesystem::path& path) {
    if (std::filesystem::exists(path)) {
      BIRTHMARK_TRY(const std::string text, read_file(path, 1U << 30U));
      std::size_t start = 0;
      for (std::size_t end = text.find('\n'); end != std::string::npos; start = end + 1, end = text.find('\n', start)) {
        boost::system::error_code failure;
        const json::value row = json::parse(json::string_view(text.data() + start, end - start), failure);
        const json::object* object = failure ? nullptr : row.if_object();
        if (object == nullptr || !object->contains("uuid") || !object->contains("public-key"))
          return fail(ErrorCode::invalid, path.string() + " is not a record of this command");
        devices_[std::string(object->at("uuid").as_string())] = {std::string(object->at("public-key").as_string()), {}};
      }
    }
    record_.open(path, std::ios::app);
    if (!record_) return fail(ErrorCode::misconfigured, "cannot write " + path.string());
    return {};
  }
  void expect_token(std::string token) { token_ = std::move(token); }

  Task<net::Response> handle(const net::Request& request) override {
    const std::lock_guard held(mutex_);
    if (!token_.empty() && request.header("OSF-TOKEN") != token_) co_return net::json_error(401, "Polis Error: bad token");
    if (request.method == "GET") co_return show(request);
    if (request.method != "PUT") co_return net::json_error(405, "PUT creates a device");
    if (!dice_is_bad()) co_return put(request);
    const bool after_it_was_done = dice_is_even();
    if (after_it_was_done) static_cast<void>(put(request));
    co_return net::json_error(500, "told to fail");
  }

 private:
  bool dice_is_bad() { return std::uniform_real_distribution<double>(0, 1)(numbers_) < fail_share_; }
  bool dice_is_even() { return std::uniform_int_distribution<int>(0, 1)(numbers_) == 0; }

  net::Response put(const net::Request& request) {
    boost::system::error_code failure;
    const json::value body = json::parse(json::string_view(request.body.data(), request.body.size()), failure);
    const json::object* object = failure ? nullptr : body.if_object();
    const json::value* pem = object == nullptr ? nullptr : object->if_contains("client.pem");
    if (pem == nullptr || !pem->is_string()) return net::json_error(400, "Missing required field 'client.pem'");
    const auto block = decode_first_pem(pem->get_string());
    const auto facts = block ? codec_->read_certificate(block->contents) : Result<core::CertificateFacts>(fail(ErrorCode::invalid, ""));
    if (!facts) return net::json_error(400, "'client.pem' is not a certificate");
    const auto names = facts->values(core::NameAttributeType::common_name);
    if (names.size() != 1) return net::json_error(400, "the certificate has no device id");
    const std::string uuid(names.front());
    if (devices_.contains(uuid)) return net::json_error(409, "Device(" + uuid + ") already exists");
    json::object row{{"uuid", uuid}, {"public-key", encode_pem("PUBLIC KEY", facts->spki_der)}};
    for (const char* member : {"name", "group"}) {
      if (const json::value* value = object->if_contains(member)) row[member] = *value;
    }
    devices_[uuid] = {std::string(row["public-key"].as_string()), json::serialize(row)};
    record_ << devices_[uuid].line << std::endl;
    net::Response response;
    response.status = 201;
    response.body = "{}\n";
    return response;
  }

  // GET .../UUID/
  net::Response show(const net::Request& request) {
    std::string_view path = request.path;
    while (path.ends_with('/')) path.remove_suffix(1);
    const std::string uuid(path.substr(path.rfind('/') + 1));
    const auto known = devices_.find(uuid);
    if (known == devices_.end()) return net::json_error(404, "there is no device " + uuid);
    net::Response response;
    response.body = R"({"uuid":)" + json_string(uuid) + R"(,"public-key":)" + json_string(known->second.key_pem) + "}\n";
    return response;
  }

  std::unique_ptr<core::X509Codec> codec_;
  const double fail_share_;
  std::mutex mutex_;
  std::mt19937 numbers_{std::random_device{}()};
  std::map<std::string, Known> devices_;
  std::ofstream record_;
  std::string token_;
};

class UpstreamTestServerCommand final : public LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "upstream", "")
                            ->add_subcommand("test-server", "Play an upstream on this machine until SIGTERM: for benches without internet");
    command->add_option("--listen", listen_, "Where (default: 127.0.0.1:9000; port 0 takes a free one)")->type_name("HOST:PORT");
    command->add_option("--record", record_, "A file that gets one JSON object a line for each device it was told of")
        ->required()
        ->type_name("FILE");
    command->add_option("--token-file", token_file_, "Answer 401 to whoever does not send this file's token")->type_name("FILE");
    auto* certificate = command->add_option("--certificate", certificate_, "Speak HTTPS with this certificate (PEM)")->type_name("FILE");
    command->add_option("--key", key_, "Its private key (PEM)")->type_name("FILE")->needs(certificate);
    command->add_option("--fail-share", fail_share_, "Answer 500 to this share of the requests, to every other of them after doing it")
        ->type_name("0..1")
        ->check(CLI::Range(0.0, 1.0));
    return command;
  }

  Status run(Console& console) override {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    BIRTHMARK_TRY(auto codec, crypto::make_x509_codec());
    TestUpstream upstream(std::move(codec), fail_share_);
    BIRTHMARK_CHECK(upstream.open_record(record_));
    if (!token_file_.empty()) {
      BIRTHMARK_TRY(const std::string text, read_file(token_file_));
      upstream.expect_token(text.substr(0, text.find_first_of("\r\n")));
    }
    BIRTHMARK_TRY(const auto endpoint, net::parse_endpoint(listen_));
    BIRTHMARK_TRY(const auto server, net::Server::create(1, {}));
    BIRTHMARK_TRY(const auto options, listen_options());
    BIRTHMARK_TRY(const auto bound, server->listen(endpoint, upstream, options));
    BIRTHMARK_CHECK(server->start());
    console.out << "listening upstream " << net::to_string(bound) << "\nready" << std::endl;
    int signal = 0;
    ::sigwait(&signals, &signal);
    server->stop();
    return {};
  }

 private:
  Result<net::ListenOptions> listen_options() const {
    net::ListenOptions options;
    if (certificate_.empty()) return options;
    net::TlsServerSettings settings;
    settings.name = "upstream";
    net::TlsIdentity identity;
    BIRTHMARK_TRY(const std::string text, read_file(certificate_));
    BIRTHMARK_TRY(auto blocks, decode_pem(text));
    for (PemBlock& block : blocks) identity.chain.push_back(std::move(block.contents));
    BIRTHMARK_TRY(identity.private_key_pem, read_file(key_.empty() ? certificate_ : key_));
    settings.identities.push_back(std::move(identity));
    BIRTHMARK_TRY(options.tls, net::TlsServer::create(settings));
    return options;
  }

  std::string listen_ = "127.0.0.1:9000";
  std::filesystem::path record_;
  std::filesystem::path token_file_;
  std::filesystem::path certificate_;
  std::filesystem::path key_;
  double fail_share_ = 0;
};

}  // namespace

void append_upstream_test_server_command(CommandList& commands) {
  commands.push_back(std::make_unique<UpstreamTestServerCommand>());
}

}  // namespace birthmark::cli
