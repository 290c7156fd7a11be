// SPDX-License-Identifier: Apache-2.0
// `ca create`: one file after the other, each whole before the next begins, a key always before its certificate. So a run that was
// stopped anywhere leaves a prefix of the list, and the next run goes on from there.
#include <algorithm>

#include "crypto/pki/ceremony_support.h"

namespace birthmark::crypto {
namespace {

// What --csr-dir holds, read and checked before anything is made.
struct Requests {
  std::optional<CertificateRequest> tls;
  std::optional<CertificateRequest> online_ca;
};

Result<Requests> read_requests(const CreateRequest& request) {
  Requests requests;
  if (request.csr_directory.empty()) return requests;
  BIRTHMARK_TRY(requests.tls, read_request(request.csr_directory / kTlsRequestFile, request.factory));
  if (request.online_ca) {
    BIRTHMARK_TRY(requests.online_ca, read_online_ca_request(request.csr_directory, request.factory));
  }
  return requests;
}

// --factory, else the OU of the root that is there, else that of the requests. All that speak must agree.
Result<std::string> decide_factory(const CreateRequest& request, const Requests& requests, const std::optional<Certificate>& root) {
  std::string factory = request.factory;
  if (root) {
    BIRTHMARK_TRY(const std::string of_root, factory_of(*root));
    if (!factory.empty() && factory != of_root) {
      return fail(ErrorCode::conflict,
                  "the root in " + request.directory.string() + " is for factory '" + of_root + "', not '" + factory + "'");
    }
    factory = of_root;
  }
  for (const auto* csr : {&requests.tls, &requests.online_ca}) {
    if (!csr->has_value()) continue;
    const std::vector<std::string> units = (*csr)->organizational_units();
    if (factory.empty() && !units.empty()) factory = units.front();
    BIRTHMARK_CHECK(check_factory(units, factory, "the request in " + request.csr_directory.string()));
  }
  if (factory.empty()) return fail(ErrorCode::invalid, "--factory NAME is needed: neither a root nor a request names the factory (OU)");
  return factory;
}

// One run of `ca create`.
class Creation {
 public:
  Creation(const CeremonyTools& tools, const CreateRequest& request, const PkiDirectory& directory, Requests requests)
      : tools_(tools), request_(request), directory_(directory), requests_(std::move(requests)) {}

  Result<CeremonyOutcome> run() {
    BIRTHMARK_TRY(root_, directory_.certificate(kRootFile));
    BIRTHMARK_TRY(factory_, decide_factory(request_, requests_, root_));
    BIRTHMARK_CHECK(check_subject_text(factory_, "the factory name"));
    if (request_.local_ca) BIRTHMARK_CHECK(check_subject_text(local_ca_name(), "the local CA's name (fio-<owner>)"));
    BIRTHMARK_CHECK(check_what_is_there());
    BIRTHMARK_CHECK(make_root());
    BIRTHMARK_CHECK(make_tls());
    BIRTHMARK_CHECK(make_online_ca());
    BIRTHMARK_CHECK(make_local_ca());
    if (made_ == 0) {
      return fail(ErrorCode::conflict, request_.directory.string() + " is already complete: nothing was changed",
                  "see `ca add-device-ca` and `ca rotate-tls`");
    }
    return outcome();
  }

 private:
  [[nodiscard]] std::string local_ca_name() const { return "fio-" + (request_.owner.empty() ? factory_ : request_.owner); }

  // Everything is looked at before the first file is made, so that a run which must fail makes nothing.
  Status check_what_is_there() {
    BIRTHMARK_TRY(const auto root_key, directory_.key(kRootKeyFile));
    if (root_ && !root_->is_ca()) return unfit(kRootFile, "is no CA certificate");
    if (root_ && root_key && root_key->spki_sha256() != root_->spki_sha256()) return unfit(kRootFile, "does not belong to factory_ca.key");
    if (root_ && !root_->is_self_signed()) return unfit(kRootFile, "is not signed by itself");
    BIRTHMARK_TRY(tls_, directory_.certificate(kTlsFile));
    BIRTHMARK_TRY(online_ca_, directory_.certificate(kOnlineCaFile));
    BIRTHMARK_TRY(local_ca_, directory_.certificate(kLocalCaFile));
    BIRTHMARK_CHECK(check_issued(kTlsFile, tls_, requests_.tls));
    BIRTHMARK_CHECK(check_issued(kOnlineCaFile, online_ca_, requests_.online_ca));
    return check_local_ca();
  }

  Status check_issued(std::string_view name, const std::optional<Certificate>& found, const std::optional<CertificateRequest>& csr) const {
    if (!found) return {};
    if (!root_ || !found->is_signed_by(*root_)) return unfit(name, "is not signed by the root there");
    if (csr && csr->spki_sha256() != found->spki_sha256()) return unfit(name, "is for another key than the request in --csr-dir");
    return check_factory(found->organizational_units(), factory_, directory_.file(name).string());
  }

  Status check_local_ca() const {
    if (!local_ca_) return {};
    BIRTHMARK_CHECK(check_issued(kLocalCaFile, local_ca_, std::nullopt));
    BIRTHMARK_TRY(const auto key, directory_.key(key_file_for(kLocalCaFile)));
    if (key && key->spki_sha256() != local_ca_->spki_sha256()) return unfit(kLocalCaFile, "does not belong to local-ca.key");
    if (!request_.owner.empty() && local_ca_->common_names() != std::vector<std::string>{"fio-" + request_.owner}) {
      return unfit(kLocalCaFile, "belongs to another owner: " + local_ca_->subject_text());
    }
    return {};
  }

  [[nodiscard]] Status unfit(std::string_view name, const std::string& why) const {
    return fail(ErrorCode::conflict, directory_.file(name).string() + " " + why + "; nothing was changed");
  }

  Status make_root() {
    if (root_) return {};
    tools_.say("Creating the factory's root CA");
    BIRTHMARK_TRY(PrivateKey key, directory_.find_or_make_key(kRootKeyFile));
    BIRTHMARK_TRY(Certificate made, make_root_certificate(key, factory_, tools_.random, tools_.now));
    BIRTHMARK_CHECK(keep(kRootFile, made));
    root_key_ = std::move(key);
    root_ = std::move(made);
    return {};
  }

  // Read only when something must be signed: a finished PKI may live where the root's key is not.
  Result<RootAuthority> root() {
    if (!root_key_) {
      BIRTHMARK_TRY(root_key_, directory_.root_key(*root_));
    }
    return RootAuthority{*root_, *root_key_};
  }

  Status make_tls() {
    if (tls_ || !requests_.tls) return {};
    tools_.say("Signing the TLS certificate");
    BIRTHMARK_TRY(const RootAuthority authority, root());
    BIRTHMARK_TRY(tls_, sign_tls_server(authority, *requests_.tls, NameCopying::dns_only, tools_.random, tools_.now));
    return keep(kTlsFile, *tls_);
  }

  Status make_online_ca() {
    if (!request_.online_ca || online_ca_ || !requests_.online_ca) return {};
    tools_.say("Signing the online device CA");
    BIRTHMARK_TRY(const RootAuthority authority, root());
    BIRTHMARK_TRY(online_ca_, sign_device_ca(authority, *requests_.online_ca, tools_.random, tools_.now));
    return keep(kOnlineCaFile, *online_ca_);
  }

  Status make_local_ca() {
    if (!request_.local_ca || local_ca_) return {};
    tools_.say("Creating the local device CA");
    BIRTHMARK_TRY(const RootAuthority authority, root());
    BIRTHMARK_TRY(const PrivateKey key, directory_.find_or_make_key(key_file_for(kLocalCaFile)));
    BIRTHMARK_TRY(local_ca_, make_local_ca_certificate(authority, key, local_ca_name(), factory_, tools_.random, tools_.now));
    return keep(kLocalCaFile, *local_ca_);
  }

  Status keep(std::string_view name, const Certificate& certificate) {
    BIRTHMARK_CHECK(directory_.create(name, certificate.pem()));
    ++made_;
    return {};
  }

  [[nodiscard]] CeremonyOutcome outcome() const {
    CeremonyOutcome outcome;
    outcome.artefacts.push_back(directory_.file(kRootFile));
    if (tls_) outcome.artefacts.push_back(directory_.file(kTlsFile));
    if (online_ca_) outcome.artefacts.push_back(directory_.file(kOnlineCaFile));
    if (local_ca_) outcome.artefacts.push_back(directory_.file(kLocalCaFile));
    const std::string key_file = key_file_for(kLocalCaFile);
    std::error_code problem;
    if (local_ca_ && std::filesystem::exists(directory_.file(key_file), problem)) outcome.artefacts.push_back(directory_.file(key_file));
    const std::string how = ": run create again with --csr-dir DIR, the folder of requests that `birthmark init` made";
    if (!tls_) outcome.missing.push_back("no TLS certificate (tls-crt)" + how);
    if (!online_ca_ && request_.online_ca) outcome.missing.push_back("no online device CA (online-crt)" + how);
    return outcome;
  }

  const CeremonyTools& tools_;
  const CreateRequest& request_;
  const PkiDirectory& directory_;
  Requests requests_;
  std::string factory_;
  std::optional<Certificate> root_;
  std::optional<PrivateKey> root_key_;
  std::optional<Certificate> tls_;
  std::optional<Certificate> online_ca_;
  std::optional<Certificate> local_ca_;
  int made_ = 0;
};

}  // namespace

Result<CeremonyOutcome> create_pki(const CeremonyTools& tools, const CreateRequest& request) {
  BIRTHMARK_TRY(Requests requests, read_requests(request));
  BIRTHMARK_TRY(const PkiDirectory directory, PkiDirectory::open_or_make(request.directory, tools.vault));
  BIRTHMARK_TRY(const FileDescriptor lock, directory.lock());
  return Creation(tools, request, directory, std::move(requests)).run();
}

}  // namespace birthmark::crypto
