// SPDX-License-Identifier: Apache-2.0
#include "rotating_device.h"

#include <array>

#include "base/pem.h"
#include "base/text.h"
#include "crypto/ecies.h"
#include "http_peer.h"

namespace birthmark::e2e {
namespace {

namespace json = boost::json;

constexpr const char* kGatewayName = "x.ota-lite.example";
constexpr std::array<const char*, 6> kTitles{"",
                                             "Generate new certificate",
                                             "Lock device configuration on server",
                                             "Update local configuration with new key",
                                             "Update device specific configuration on server with new key",
                                             "Finalize aktualizr configuration"};

template <class T>
T must(Result<T> result) {
  require(result.has_value(), result ? std::string() : result.error().describe());
  return std::move(*result);
}

// Facts 3.2: what does not decrypt was uploaded before a power cut, with the next key.
std::optional<std::string> reencrypt(const std::string& value, const crypto::PrivateKey& from, const crypto::PrivateKey& to) {
  const auto sealed = from_base64(value);
  if (!sealed) return std::nullopt;
  const auto plain = crypto::ecies_decrypt(from.get(), *sealed);
  if (!plain) return std::nullopt;
  if (plain->empty()) return std::string();  // what fioconfig's encryptor makes of it
  return must(crypto::encrypt_for_device(must(to.spki_der()), as_text(*plain)));
}

}  // namespace

RotatingDevice::Identity RotatingDevice::identity_of(crypto::PrivateKey key, std::string certificate_pem) {
  testing::TestCertificate certificate;
  certificate.der = must(decode_first_pem(certificate_pem)).contents;
  certificate.pem = std::move(certificate_pem);
  certificate.key_pem = must(key.to_pem());
  return {std::move(key), std::move(certificate)};
}

RotatingDevice::RotatingDevice(const Factory& factory, const ServerProcess& server)
    : factory_(factory), uuid_(random_uuid()), current_([&] {
        Device asking = Device::make(uuid_);
        const auto answer = post_sign(server.port(), asking.body());
        require(answer && answer->status == 201, "registration failed");
        return identity_of(std::move(asking.key), answer->member("client.pem"));
      }()) {}

void RotatingDevice::cut_request(int number, Cut how) {
  cut_at_ = requests_ + number;
  cut_ = how;
}

RotatingDevice::MaybeAnswer RotatingDevice::ask(const ServerProcess& server, const Identity& as, std::string_view method,
                                                std::string_view path, std::string_view body, std::string_view type) {
  const Cut cut = ++requests_ == cut_at_ ? cut_ : Cut::never;
  net_test::TlsPeerOptions options;
  options.certificate = &as.certificate;
  options.server_name = kGatewayName;
  net_test::TlsPeer peer(server.port("gateway"), options);
  if (!peer.connect()) return std::nullopt;
  const std::string request = std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: " + kGatewayName +
                              "\r\nUser-Agent: fioconfig-client/3\r\nContent-Type: " + std::string(type) +
                              "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  const bool sent = peer.send(std::string_view(request).substr(0, cut == Cut::half_sent ? request.size() / 2 : request.size()));
  if (!sent || cut == Cut::half_sent || cut == Cut::all_sent) return std::nullopt;
  auto answer = peer.receive();
  if (cut == Cut::answered) return std::nullopt;
  return answer;
}

void RotatingDevice::tell(const ServerProcess& server, const Identity& as, std::string_view type) {
  const json::object event{{"id", random_uuid()},
                           {"deviceTime", "2026-11-20T10:00:00Z"},
                           {"event", {{"correlationId", "certs-1"}, {"success", true}, {"targetName", ""}, {"version", ""}}},
                           {"eventType", {{"id", type}, {"version", 0}}}};
  static_cast<void>(ask(server, as, "POST", "/events", json::serialize(json::array{event})));
}

int RotatingDevice::check_in(const ServerProcess& server) {
  const auto answer = ask(server, current_, "GET", "/config");
  return answer ? answer->status : 0;
}

int RotatingDevice::check_in_as_before(const ServerProcess& server) {
  require(before_.has_value(), "it had no certificate before");
  const auto answer = ask(server, *before_, "GET", "/config");
  return answer ? answer->status : 0;
}

bool RotatingDevice::walk(const ServerProcess& server) {
  tell(server, current_, "CertRotationStarted");
  if (step_ == 0) step_ = 1;
  while (step_ != 0) {
    const bool last = step_ == 5;
    const char* title = kTitles.at(static_cast<std::size_t>(step_));
    if (!step(server)) return false;
    step_ = last ? 0 : step_ + 1;
    tell(server, last ? *before_ : current_, title);  // fioconfig goes on with the connection it began with
  }
  return true;
}

bool RotatingDevice::step(const ServerProcess& server) {
  switch (step_) {
    case 1: return enroll_again(server);
    case 2: return announce(server);
    case 3: return true;  // what it holds, encrypted anew: nothing that a server sees
    case 4: return bring_configuration(server);
    default:
      before_ = std::move(current_);
      current_ = std::move(*next_);
      next_.reset();
      return true;
  }
}

// Every try has a key of its own: only what worked is written down.
bool RotatingDevice::enroll_again(const ServerProcess& server) {
  Device asking = Device::make(uuid_);
  const auto request = must(decode_first_pem(asking.csr));
  const auto answer = ask(server, current_, "POST", "/.well-known/est/simplereenroll", to_base64(request.contents), "application/pkcs10");
  if (!answer || answer->status != 201 || !answer->has("Content-Type: application/pkcs7-mime")) return false;
  next_ = identity_of(std::move(asking.key), certificate_in(answer->body));
  return true;
}

bool RotatingDevice::announce(const ServerProcess& server) {
  const std::string pem = encode_pem("PUBLIC KEY", must(next_->key.spki_der()));
  const auto answer = ask(server, current_, "PATCH", "/device", json::serialize(json::object{{"next_pubkey", pem}}));
  return answer && answer->status == 200;
}

bool RotatingDevice::bring_configuration(const ServerProcess& server) {
  const auto mine = ask(server, current_, "GET", "/config-device");
  if (!mine || (mine->status != 200 && mine->status != 204)) return false;
  if (mine->status == 204) return true;
  json::array files;
  const json::value configuration = json::parse(mine->body);
  for (const auto& [name, entry] : configuration.as_object()) {
    const json::object& file = entry.as_object();
    std::string value(file.at("Value").as_string());
    const bool clear = file.contains("Unencrypted") && file.at("Unencrypted").as_bool();
    if (!clear) {
      const auto again = reencrypt(value, current_.key, next_->key);
      if (!again) return reencrypt(value, next_->key, next_->key).has_value();  // brought before the power went
      value = *again;
    }
    json::object brought{{"name", name}, {"value", value}, {"unencrypted", clear}};
    if (file.contains("OnChanged")) brought["on-changed"] = file.at("OnChanged");
    files.push_back(std::move(brought));
  }
  const std::string pem = encode_pem("PUBLIC KEY", must(next_->key.spki_der()));
  const auto answer = ask(server, current_, "PATCH", "/config",
                          json::serialize(json::object{{"reason", "rotation"}, {"files", files}, {"public-key", pem}}));
  return answer && answer->status >= 200 && answer->status <= 204;
}

std::string RotatingDevice::certificate_in(std::string_view est_answer) const {
  const auto bundle = from_base64(est_answer.substr(0, est_answer.find_last_not_of("\r\n") + 1));
  require(bundle.has_value(), "an EST answer that is not base64");
  const auto file = factory_.scratch() / "est.p7";
  write_text(file, as_text(*bundle));
  const Outcome read = run({"openssl", "pkcs7", "-inform", "DER", "-in", file, "-print_certs"});
  require(read.exit_code == 0, read.errors);
  return read.output.substr(read.output.find("-----BEGIN"));
}

std::string RotatingDevice::secret(const ServerProcess& server, const std::string& file) {
  const auto answer = ask(server, current_, "GET", "/config");
  if (!answer || answer->status != 200) return "no configuration";
  const json::object files = json::parse(answer->body).as_object();
  if (!files.contains(file)) return "no such file";
  const auto sealed = from_base64(std::string(files.at(file).at("Value").as_string()));
  const auto plain = sealed ? crypto::ecies_decrypt(current_.key.get(), *sealed) : Result<Bytes>(tl::make_unexpected(Error{}));
  return plain ? std::string(as_text(*plain)) : "cannot be decrypted";
}

}  // namespace birthmark::e2e
