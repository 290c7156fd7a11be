// SPDX-License-Identifier: Apache-2.0
// The PKI owner's directory: names and modes that fioctl and this tool share (protocol facts, Foundries 1.2). Makes files, never
// overwrites a key, and never takes a name away before its successor is on disk.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "crypto/pki/certificate.h"
#include "crypto/pki/crl.h"
#include "crypto/pki/key_vault.h"
#include "crypto/private_key.h"

namespace birthmark::crypto {

inline constexpr std::string_view kRootKeyFile = "factory_ca.key";
inline constexpr std::string_view kRootFile = "factory_ca.pem";
inline constexpr std::string_view kTlsFile = "tls-crt";
inline constexpr std::string_view kOnlineCaFile = "online-crt";
inline constexpr std::string_view kLocalCaFile = "local-ca.pem";
inline constexpr std::string_view kGatewayCaFile = "pep-ca.pem";

struct NamedCertificate {
  std::string name;  // the file's
  Certificate certificate;
};

struct NamedCrl {
  std::string name;
  Crl crl;
};

class PkiDirectory {
 public:
  // The directory must exist.
  [[nodiscard]] static Result<PkiDirectory> open(const std::filesystem::path& path, KeyVault* vault = nullptr);
  // Made, 0700, when it is missing.
  [[nodiscard]] static Result<PkiDirectory> open_or_make(const std::filesystem::path& path, KeyVault* vault = nullptr);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path file(std::string_view name) const { return path_ / name; }

  // Nothing when there is no such file; an error names the file.
  [[nodiscard]] Result<std::optional<Certificate>> certificate(std::string_view name) const;
  [[nodiscard]] Result<std::optional<PrivateKey>> key(std::string_view name) const;
  // The key in `name`, made there, or in the vault, when it is missing. A key left by an interrupted run is used; one in the vault only
  // when this directory says that it was about to make it ("factory_ca.hsm"): it could be another factory's.
  [[nodiscard]] Result<PrivateKey> find_or_make_key(std::string_view name) const;
  [[nodiscard]] bool in_vault(std::string_view key_file) const { return vault_ != nullptr && vault_->keeps(key_file); }

  // The root's certificate; not_found with advice when the directory has none.
  [[nodiscard]] Result<Certificate> root() const;
  // Its key, which must match `root`.
  [[nodiscard]] Result<PrivateKey> root_key(const Certificate& root) const;

  // Every CA here that `root` signed: online CA and its predecessor, local CA, then the others by name. No certificate twice.
  [[nodiscard]] Result<std::vector<NamedCertificate>> device_cas(const Certificate& root) const;
  // Every CRL here that `root` signed, by rising cRLNumber, then by name.
  [[nodiscard]] Result<std::vector<NamedCrl>> crls(const Certificate& root) const;

  // Mode 0400, durable, never over another file.
  [[nodiscard]] Status create(std::string_view name, std::string_view contents) const;
  // Mode 0444: for artefacts, which are public. Returns the name used: "<stem>.pem", or "<stem>-2.pem" and on where that is taken.
  [[nodiscard]] Result<std::string> create_artefact(const std::string& stem, std::string_view contents) const;
  // Puts `contents` under `name` and keeps what was there as "<name>.bak". At every moment there is a whole file called `name`.
  [[nodiscard]] Status succeed(std::string_view name, std::string_view contents) const;

  // One ceremony at a time; released when the object goes.
  [[nodiscard]] Result<FileDescriptor> lock() const;

 private:
  PkiDirectory(std::filesystem::path path, KeyVault* vault) : path_(std::move(path)), vault_(vault) {}
  [[nodiscard]] Result<PrivateKey> find_or_make_in_vault(std::string_view name) const;
  std::filesystem::path path_;
  KeyVault* vault_;
};

// A file name without any path in it, safe to join to a directory.
[[nodiscard]] bool is_plain_name(std::string_view name);

// "est-ca.pem" -> "est-ca.key", "foo" -> "foo.key".
[[nodiscard]] std::string key_file_for(std::string_view certificate_file);

}  // namespace birthmark::crypto
