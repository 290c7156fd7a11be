// SPDX-License-Identifier: Apache-2.0
// For the tests of this folder: scratch directories, requests, a fixed moment, OpenSSL's own view of a certificate, and `ca` as a process.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "base/file.h"
#include "base/pem.h"
#include "base/text.h"
#include "crypto/csr_builder.h"
#include "crypto/pki/ceremony.h"
#include "crypto/pki/pki_directory.h"
#include "crypto/pki/show.h"
#include "crypto/x509_codec.h"

namespace birthmark::crypto::testing {

template <class T>
[[nodiscard]] T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "test set-up failed: %s\n", result.error().describe().c_str());
    std::abort();
  }
  return std::move(*result);
}
inline void must(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "test set-up failed: %s\n", status.error().describe().c_str());
  std::abort();
}

[[nodiscard]] inline Instant moment(const std::string& rfc3339) {
  return must(parse_rfc3339(rfc3339));
}

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "birthmark-pki-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    std::error_code problem;
    std::filesystem::remove_all(path_, problem);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Every test's world: a scratch folder with requests of a server in csr/, and the tools of a ceremony at a fixed moment.
class PkiTest : public ::testing::Test {
 protected:
  PkiTest() : random_(make_system_random()) {
    must(make_directory(csr_directory(), 0700));
    write_request("tls.csr", tls_key_,
                  {.common_name = "gateway.acme.example",
                   .organizational_unit = "acme",
                   .dns_names = {"gateway.acme.example", "ostree.acme.example"}});
    write_request("online-ca.csr", online_key_, {.common_name = "online-ca", .organizational_unit = "acme"});
  }

  [[nodiscard]] std::filesystem::path scratch() const { return scratch_.path(); }
  [[nodiscard]] std::filesystem::path csr_directory() const { return scratch_.path() / "csr"; }
  [[nodiscard]] std::filesystem::path pki() const { return scratch_.path() / "pki"; }

  void write_request(const std::string& name, const PrivateKey& key, const CsrSubject& subject) {
    must(replace_file(csr_directory() / name, must(make_csr_pem(key, subject)), 0600));
  }

  [[nodiscard]] CeremonyTools tools() {
    return {*random_, now_, [this](const std::string& line) { said_ += line + "\n"; }};
  }
  [[nodiscard]] CreateRequest whole_pki() const {
    CreateRequest request;
    request.directory = pki();
    request.factory = "acme";
    request.csr_directory = csr_directory();
    return request;
  }
  void create_whole_pki() { static_cast<void>(must(create_pki(tools(), whole_pki()))); }

  [[nodiscard]] Certificate certificate(const std::string& name) const {
    return must(Certificate::from_pem(must(read_file(pki() / name))));
  }
  [[nodiscard]] std::string contents(const std::string& name) const { return must(read_file(pki() / name)); }

  ScratchDirectory scratch_;
  std::unique_ptr<core::Random> random_;
  Instant now_ = moment("2026-11-20T15:00:00Z");
  PrivateKey tls_key_ = must(PrivateKey::generate_p256());
  PrivateKey online_key_ = must(PrivateKey::generate_p256());
  std::string said_;
};

[[nodiscard]] inline std::set<std::string> names_in(const std::filesystem::path& directory) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) names.insert(entry.path().filename().string());
  return names;
}

[[nodiscard]] inline mode_t mode_of(const std::filesystem::path& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) return 0;
  return facts.st_mode & 07777U;
}

// Every extension in order, as OpenSSL prints it: "X509v3 Key Usage: critical | Certificate Sign, CRL Sign".
[[nodiscard]] inline std::vector<std::string> extensions_of(const Certificate& certificate) {
  std::vector<std::string> lines;
  for (int i = 0; i < X509_get_ext_count(certificate.get()); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate.get(), i);
    const BioHandle bio(BIO_new(BIO_s_mem()));
    if (X509V3_EXT_print(bio.get(), extension, 0, 0) != 1) std::abort();
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    const std::string value(text, static_cast<std::size_t>(size));
    const std::string name = OBJ_nid2ln(OBJ_obj2nid(X509_EXTENSION_get_object(extension)));
    lines.push_back(name + (X509_EXTENSION_get_critical(extension) != 0 ? ": critical | " : ": | ") + value);
  }
  return lines;
}

// The certificate chains to the root of `directory` for `purpose`, in OpenSSL's judgement at `at`.
[[nodiscard]] inline bool chains_to(const Certificate& leaf, const Certificate& root, int purpose, Instant at) {
  const std::unique_ptr<X509_STORE, Freer<X509_STORE_free>> store(X509_STORE_new());
  const std::unique_ptr<X509_STORE_CTX, Freer<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  if (X509_STORE_add_cert(store.get(), root.get()) != 1) std::abort();
  if (X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr) != 1) std::abort();
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, to_unix_ms(at) / 1000);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  if (purpose >= 0 && X509_VERIFY_PARAM_set_purpose(parameters, purpose) != 1) std::abort();
  const bool good = X509_verify_cert(context.get()) == 1;
  if (!good) std::fprintf(stderr, "verify: %s\n", X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  return good;
}

struct ProcessResult {
  int exit_code = -1;  // -1: ended by `signal`
  int signal = 0;
  std::string out;
  std::string err;
};

// Runs `birthmark ca ARGUMENTS...` as a process; `environment` is set in it.
[[nodiscard]] inline ProcessResult run_ca(std::vector<std::string> arguments, const std::map<std::string, std::string>& environment = {}) {
  const ScratchDirectory scratch;
  const std::string out = (scratch.path() / "out").string();
  const std::string err = (scratch.path() / "err").string();
  arguments.insert(arguments.begin(), {BIRTHMARK_CA_PROGRAM, "ca"});
  const pid_t child = ::fork();
  if (child == 0) {
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
    // Not freopen: it would print what this process has not flushed yet a second time.
    const int out_fd = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int err_fd = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (::dup2(out_fd, STDOUT_FILENO) < 0 || ::dup2(err_fd, STDERR_FILENO) < 0) ::_exit(126);
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    ::execv(BIRTHMARK_CA_PROGRAM, pointers.data());
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) std::abort();
  ProcessResult result;
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  result.out = must(read_file(out));
  result.err = must(read_file(err));
  return result;
}

}  // namespace birthmark::crypto::testing
