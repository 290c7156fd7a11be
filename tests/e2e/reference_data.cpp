// SPDX-License-Identifier: Apache-2.0
#include "reference_data.h"

#include "base/pem.h"
#include "child_process.h"

namespace birthmark::e2e {
namespace {

void openssl(const Arguments& arguments) {
  Arguments all{"openssl"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const Outcome done = run(all);
  require(done.exit_code == 0, "openssl " + arguments.front() + ": " + done.errors);
}

// NAME.key and NAME by the root, with the extensions given.
void issue(const std::filesystem::path& directory, const std::string& certificate, const std::string& key, const std::string& subject,
           const std::string& extensions) {
  write_text(directory / "extensions", extensions);
  openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", directory / key, "-out",
           directory / "request", "-subj", subject});
  openssl({"x509", "-req", "-in", directory / "request", "-CA", directory / "factory_ca.pem", "-CAkey", directory / "root.key",
           "-CAcreateserial", "-extfile", directory / "extensions", "-days", "3650", "-out", directory / certificate});
  std::filesystem::remove(directory / "request");
  std::filesystem::remove(directory / "extensions");
}

}  // namespace

std::string public_key_pem(const crypto::PrivateKey& key) {
  const auto spki = key.spki_der();
  require(spki.has_value(), "no public key");
  return encode_pem("PUBLIC KEY", *spki);
}

ReferenceData::ReferenceData(std::filesystem::path directory, const std::string& factory) : path_(std::move(directory)) {
  std::filesystem::create_directories(certificates());
  std::filesystem::create_directories(devices());
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", certificates() / "root.key", "-out",
           certificates() / "factory_ca.pem", "-subj", "/CN=Factory-CA/OU=" + factory, "-days", "7300", "-addext",
           "keyUsage=critical,keyCertSign,cRLSign"});
  issue(certificates(), "local-ca.pem", "local-ca.key", "/CN=fio-1234/OU=" + factory,
        "keyUsage=critical,keyCertSign\nbasicConstraints=critical,CA:TRUE,pathlen:0\nextendedKeyUsage=critical,clientAuth\n"
        "subjectKeyIdentifier=none\n");
  issue(
      certificates(), "tls-crt", "tls.key", "/CN=example.com/OU=" + factory,
      "keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,serverAuth\nsubjectAltName=DNS:example.com,DNS:ostree.example.com\n");
  std::filesystem::remove(certificates() / "tls.key");
  write_text(devices() / ".gitkeep", "");
}

void ReferenceData::log(const Device& device) const {
  log(device.uuid, public_key_pem(device.key));
}

void ReferenceData::log(const std::string& name, const std::string& contents) const {
  write_text(devices() / name, contents);
}

}  // namespace birthmark::e2e
