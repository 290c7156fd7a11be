// SPDX-License-Identifier: Apache-2.0
// A device that changes its key as fioconfig does (protocol facts, gateway 3.6): the same steps in the same order, each repeated until it
// worked, the state kept between tries. Its connections can be cut.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "../net/tls_peer.h"
#include "device.h"
#include "server_process.h"

namespace birthmark::e2e {

enum class Cut : std::uint8_t {
  never,
  half_sent,  // the connection goes in the middle of the request
  all_sent,   // the request is out, nothing is waited for
  answered,   // the answer came, and the device lost its power before it wrote anything down
};

class RotatingDevice {
 public:
  // Registers at `server`.
  RotatingDevice(const Factory& factory, const ServerProcess& server);

  [[nodiscard]] const std::string& uuid() const { return uuid_; }
  // What it does every five minutes, with the certificate that its configuration names: the status, 0 when nothing came.
  [[nodiscard]] int check_in(const ServerProcess& server);
  // The same with the certificate it had before the last switch.
  [[nodiscard]] int check_in_as_before(const ServerProcess& server);

  // Begins a rotation, or goes on with one, until a step fails; true when the last is done.
  [[nodiscard]] bool walk(const ServerProcess& server);
  [[nodiscard]] bool rotating() const { return step_ != 0; }
  // The `number`th request from now (1: the next) is cut.
  void cut_request(int number, Cut how);
  [[nodiscard]] int requests() const { return requests_; }  // so far

  // The encrypted value of a file as the gateway delivers it, decrypted with the current key.
  [[nodiscard]] std::string secret(const ServerProcess& server, const std::string& file);
  [[nodiscard]] SpkiHash key() const { return current_.key.spki_sha256(); }
  [[nodiscard]] const testing::TestCertificate& certificate() const { return current_.certificate; }

 private:
  struct Identity {
    crypto::PrivateKey key;
    testing::TestCertificate certificate;
  };
  using MaybeAnswer = std::optional<net_test::Answer>;
  [[nodiscard]] static Identity identity_of(crypto::PrivateKey key, std::string certificate_pem);
  [[nodiscard]] MaybeAnswer ask(const ServerProcess& server, const Identity& as, std::string_view method, std::string_view path,
                                std::string_view body = {}, std::string_view type = "application/json");
  void tell(const ServerProcess& server, const Identity& as, std::string_view type);  // an event; nobody minds when it is lost
  [[nodiscard]] bool step(const ServerProcess& server);
  [[nodiscard]] bool enroll_again(const ServerProcess& server);
  [[nodiscard]] bool announce(const ServerProcess& server);
  [[nodiscard]] bool bring_configuration(const ServerProcess& server);
  [[nodiscard]] std::string certificate_in(std::string_view est_answer) const;

  const Factory& factory_;
  std::string uuid_;
  Identity current_;
  std::optional<Identity> before_, next_;
  int step_ = 0;  // 0: no rotation; 1 to 5 as the facts number them
  int requests_ = 0;
  int cut_at_ = 0;
  Cut cut_ = Cut::never;
};

}  // namespace birthmark::e2e
