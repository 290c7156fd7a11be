// SPDX-License-Identifier: Apache-2.0
// birthmark demo: makes devices up and registers them over HTTP as lmp-device-register does, each with its files in a directory of its own.
#include <ostream>

#include "app/commands.h"
#include "app/config.h"
#include "base/file.h"
#include "base/pem.h"
#include "base/text.h"
#include "crypto/csr_builder.h"
#include "crypto/x509_codec.h"
#include "net/client.h"

#include <boost/json.hpp>

namespace birthmark::app {
namespace {

namespace json = boost::json;

struct DemoDevice {
  std::string uuid;
  std::string key_pem;
  std::string csr_pem;
};

// A random (version 4) UUID, RFC 9562 5.4.
Result<std::string> random_uuid(core::Random& random) {
  Uuid uuid{};
  BIRTHMARK_CHECK(random.fill(uuid));
  uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0fU) | 0x40U);
  uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3fU) | 0x80U);
  return format_uuid(uuid);
}

Result<DemoDevice> make_device(core::Random& random, const std::string& factory, bool production) {
  DemoDevice device;
  BIRTHMARK_TRY(device.uuid, random_uuid(random));
  BIRTHMARK_TRY(const auto key, crypto::PrivateKey::generate_p256());
  BIRTHMARK_TRY(device.key_pem, key.to_pem());
  crypto::CsrSubject subject;
  subject.common_name = device.uuid;
  subject.organizational_unit = factory;
  subject.production = production;
  subject.device_extensions = true;
  BIRTHMARK_TRY(device.csr_pem, crypto::make_csr_pem(key, subject));
  return device;
}

std::string request_body(const DemoDevice& device) {
  return json::serialize(json::object{{"use-ostree-server", "true"},
                                      {"sota-config-dir", "/var/sota"},
                                      {"hardware-id", "birthmark-demo"},
                                      {"name", device.uuid},
                                      {"uuid", device.uuid},
                                      {"csr", device.csr_pem},
                                      {"overrides", json::object{{"pacman", json::object{{"tags", "\"main\""}}}}}});
}

Result<json::object> parse_answer(const net::ClientResponse& response) {
  boost::system::error_code failure;
  json::value value = json::parse(response.body, failure);
  if (response.status != 201) {
    const json::value* message = !failure && value.is_object() ? value.get_object().if_contains("message") : nullptr;
    const std::string text = message != nullptr && message->is_string() ? std::string(message->get_string()) : response.body.substr(0, 500);
    return fail(ErrorCode::forbidden, "the server answered HTTP " + std::to_string(response.status) + ": " + text);
  }
  if (failure || !value.is_object()) return fail(ErrorCode::internal, "the server's answer is not a JSON object");
  return value.get_object();
}

// The files a device would have, and the device CA beside them for checking the chain.
Status write_files(const std::filesystem::path& directory, const DemoDevice& device, const json::object& answer) {
  BIRTHMARK_CHECK(make_directory(directory, 0755));
  BIRTHMARK_CHECK(create_file(directory / "pkey.pem", device.key_pem, 0600));
  for (const std::string_view name : {"root.crt", "client.pem", "client.chained", "sota.toml"}) {
    const json::value* contents = answer.if_contains(name);
    if (contents == nullptr || !contents->is_string())
      return fail(ErrorCode::internal, "the server's answer has no '" + std::string(name) + "'");
    BIRTHMARK_CHECK(create_file(directory / name, std::string(contents->get_string()), 0644));
  }
  const std::string chain(answer.at("client.chained").get_string());
  BIRTHMARK_TRY(const auto blocks, decode_pem(chain));
  if (blocks.size() < 2) return fail(ErrorCode::internal, "client.chained holds no device CA");
  return create_file(directory / "local-ca.pem", encode_pem(blocks[1].label, blocks[1].contents), 0644);
}

class DemoCommand final : public cli::LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = root.add_subcommand("demo", "Register made-up devices with a running server, as a production line would");
    command->add_option("--dir", directory_, "The server's data directory: says which factory")
        ->envname("BIRTHMARK_DIR")
        ->required()
        ->type_name("DIR");
    command->add_option("--url", url_, "Where the server registers devices")->type_name("URL")->capture_default_str();
    command->add_option("--out", out_, "Where each device gets a directory with its files")->type_name("DIR")->capture_default_str();
    command->add_option("--count", count_, "How many devices")->type_name("N")->check(CLI::Range(1, 100'000))->capture_default_str();
    command->add_flag("--production", production_, "Ask for production devices");
    return command;
  }

  Status run(cli::Console& console) override {
    BIRTHMARK_TRY(const auto config, load_config(directory_));
    const auto random = crypto::make_system_random();
    BIRTHMARK_TRY(const auto codec, crypto::make_x509_codec());
    BIRTHMARK_CHECK(make_directory(out_, 0755));
    for (unsigned i = 0; i < count_; ++i) {
      BIRTHMARK_TRY(const auto device, make_device(*random, config.factory, production_));
      net::ClientRequest request;
      request.method = "POST";
      request.url = url_;
      request.headers = {{"Content-Type", "application/json"}};
      request.body = request_body(device);
      BIRTHMARK_TRY(const auto response, net::http_request(request));
      BIRTHMARK_TRY(const auto answer, parse_answer(response));
      const std::filesystem::path files = out_ / device.uuid;
      BIRTHMARK_CHECK(write_files(files, device, answer));
      console.out << "registered " << device.uuid << "  files in " << files.string() << std::endl;
    }
    return {};
  }

 private:
  std::filesystem::path directory_;
  std::string url_ = "http://127.0.0.1:8000/sign";
  std::filesystem::path out_ = "devices";
  unsigned count_ = 1;
  bool production_ = false;
};

}  // namespace

std::unique_ptr<cli::Command> make_demo_command() {
  return std::make_unique<DemoCommand>();
}

}  // namespace birthmark::app
