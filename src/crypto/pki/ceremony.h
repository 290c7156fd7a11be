// SPDX-License-Identifier: Apache-2.0
// The PKI owner's steps on a PKI directory, offline: make the factory's PKI, add device CAs, rotate the TLS certificate, make revocation
// artefacts, sign requests. Called by `birthmark ca ...` and `birthmark init`. Knows nothing of a server: what a server must learn leaves
// as files ("artefacts") that `birthmark ca install` judges.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "core/ports/clock.h"
#include "crypto/pki/crl.h"
#include "crypto/pki/key_vault.h"

namespace birthmark::crypto {

// The names under which `birthmark init` leaves the server's requests.
inline constexpr std::string_view kTlsRequestFile = "tls.csr";
inline constexpr std::string_view kOnlineCaRequestFile = "online-ca.csr";

// What every step needs from outside.
struct CeremonyTools {
  core::Random& random;
  Instant now;
  std::function<void(const std::string&)> say;  // one line of progress at a time
  KeyVault* vault = nullptr;                    // where keys are that are not in the PKI directory; null: nowhere
};

struct CeremonyOutcome {
  std::vector<std::filesystem::path> artefacts;  // to hand to `birthmark ca install`, in this order
  std::vector<std::string> missing;              // what these arguments could not make, and how to get it
};

struct CreateRequest {
  std::filesystem::path directory;  // made when missing
  std::string factory;              // empty: the OU of the requests, or of the root that is there
  std::string owner;                // the local CA is CN=fio-<owner>; empty: the factory
  bool online_ca = true;
  bool local_ca = true;
  std::filesystem::path csr_directory;  // holds tls.csr and online-ca.csr; empty: neither TLS certificate nor online CA is made
};
// Makes what is missing and keeps what fits; conflict when something there does not fit, or when nothing is left to do.
[[nodiscard]] Result<CeremonyOutcome> create_pki(const CeremonyTools& tools, const CreateRequest& request);

struct AddDeviceCaRequest {
  std::filesystem::path directory;
  bool online_ca = false;
  bool local_ca = false;
  std::string local_ca_filename = "local-ca.pem";
  std::string owner;                    // empty: the owner of local-ca.pem, else the factory
  std::filesystem::path csr_directory;  // holds online-ca.csr
  bool gateway_ca = false;              // pep-ca.pem with pep-ca.key, for Izuma gateways, and nothing else
};
[[nodiscard]] Result<CeremonyOutcome> add_device_ca(const CeremonyTools& tools, const AddDeviceCaRequest& request);

struct RotateTlsRequest {
  std::filesystem::path directory;
  std::filesystem::path csr;  // the request's file
};
[[nodiscard]] Result<CeremonyOutcome> rotate_tls(const CeremonyTools& tools, const RotateTlsRequest& request);

struct CrlCommandRequest {
  std::filesystem::path directory;
  CaVerdict verdict = CaVerdict::revoke;
  std::vector<std::string> ca_files;    // plain names in the directory
  std::vector<std::string> ca_serials;  // base 10
  Duration valid_for = std::chrono::minutes(15);
  bool dry_run = false;  // make and sign, write nothing
};
struct CrlCommandOutcome {
  CeremonyOutcome outcome;  // no artefact after a dry run
  std::string pem;
  std::string text;  // for people
};
[[nodiscard]] Result<CrlCommandOutcome> make_crl_command(const CeremonyTools& tools, const CrlCommandRequest& request);

// One certificate for one request: a device CA when the request asks to be a CA, otherwise a TLS server certificate. PEM.
[[nodiscard]] Result<std::string> sign_request(const CeremonyTools& tools, const std::filesystem::path& directory,
                                               std::string_view request_pem);

// Checks a bundle of device CAs against the root of `directory` and writes it, cleaned, as an artefact there.
[[nodiscard]] Result<CeremonyOutcome> update_device_cas(const CeremonyTools& tools, const std::filesystem::path& directory,
                                                        std::string_view bundle_pem);

}  // namespace birthmark::crypto
