// SPDX-License-Identifier: Apache-2.0
#include "crypto/pki/pki_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/crash_point.h"
#include "base/pem.h"

namespace birthmark::crypto {
namespace {

constexpr std::size_t kLargestFile = 1U << 20U;
constexpr mode_t kPrivateMode = 0400;
constexpr mode_t kArtefactMode = 0444;
constexpr mode_t kDirectoryMode = 0700;
constexpr int kMostSameSecond = 1000;

template <class T>
Result<T> naming(Result<T> result, const std::filesystem::path& path) {
  if (!result) result.error().public_message = path.string() + ": " + result.error().public_message;
  return result;
}

Result<std::optional<std::string>> read_if_there(const std::filesystem::path& path) {
  auto text = read_file(path, kLargestFile);
  if (text) return std::optional(std::move(*text));
  if (text.error().code == ErrorCode::not_found) return std::optional<std::string>();
  return forward_error(text);
}

// Regular files of the directory that are neither hidden nor keys, by name.
Result<std::vector<std::string>> visible_files(const std::filesystem::path& path) {
  std::vector<std::string> names;
  std::error_code problem;
  std::filesystem::directory_iterator entry(path, problem);
  for (; !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem)) {
    std::error_code unknown_kind;
    const std::string name = entry->path().filename().string();
    if (!entry->is_regular_file(unknown_kind) || name.starts_with('.') || name.ends_with(".key")) continue;
    if (entry->file_size(unknown_kind) > kLargestFile) continue;
    names.push_back(name);
  }
  if (problem) return fail(ErrorCode::misconfigured, "cannot list " + path.string() + ": " + problem.message());
  std::sort(names.begin(), names.end());
  return names;
}

// The ceremony's own names first, so that a bundle which repeats them adds nothing.
std::vector<std::string> in_ceremony_order(std::vector<std::string> names) {
  const auto rank = [](const std::string& name) {
    if (name == kOnlineCaFile) return 0;
    if (name == std::string(kOnlineCaFile) + ".bak") return 1;
    return name == kLocalCaFile ? 2 : 3;
  };
  std::sort(names.begin(), names.end(),
            [&](const std::string& a, const std::string& b) { return std::pair(rank(a), a) < std::pair(rank(b), b); });
  return names;
}

// Whether a name can be that of a CA certificate. A leftover of an interrupted write ("local-ca.pem.x7Gh2k") is none.
bool may_hold_ca(const std::string& name, const std::vector<std::string>& key_names) {
  if (name == kOnlineCaFile || name == std::string(kOnlineCaFile) + ".bak") return true;
  if (name.ends_with(".pem") || name.ends_with(".crt")) return true;
  return std::find(key_names.begin(), key_names.end(), key_file_for(name)) != key_names.end();
}

std::vector<std::string> key_names(const std::filesystem::path& path) {
  std::vector<std::string> names;
  std::error_code problem;
  std::filesystem::directory_iterator entry(path, problem);
  for (; !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem)) {
    std::string name = entry->path().filename().string();
    if (name.ends_with(".key")) names.push_back(std::move(name));
  }
  return names;
}

// "factory_ca.key" -> "factory_ca.hsm": the address of a key that is not in a file.
std::string marker_for(std::string_view key_file) {
  if (key_file.ends_with(".key")) key_file.remove_suffix(4);
  return std::string(key_file) + ".hsm";
}

}  // namespace

Result<PkiDirectory> PkiDirectory::open(const std::filesystem::path& path, KeyVault* vault) {
  std::error_code problem;
  if (!std::filesystem::is_directory(path, problem)) return fail(ErrorCode::not_found, path.string() + " is not a directory");
  return PkiDirectory(path, vault);
}

Result<PkiDirectory> PkiDirectory::open_or_make(const std::filesystem::path& path, KeyVault* vault) {
  std::error_code problem;
  if (std::filesystem::is_directory(path, problem)) return PkiDirectory(path, vault);  // its mode is its owner's business
  BIRTHMARK_CHECK(make_directory(path, kDirectoryMode));
  return PkiDirectory(path, vault);
}

Result<std::optional<Certificate>> PkiDirectory::certificate(std::string_view name) const {
  BIRTHMARK_TRY(const auto text, read_if_there(file(name)));
  if (!text) return std::optional<Certificate>();
  BIRTHMARK_TRY(Certificate found, naming(Certificate::from_pem(*text), file(name)));
  return std::optional(std::move(found));
}

Result<std::optional<PrivateKey>> PkiDirectory::key(std::string_view name) const {
  if (in_vault(name)) return vault_->find(name);
  std::error_code problem;
  if (!std::filesystem::exists(std::filesystem::symlink_status(file(name), problem))) return std::optional<PrivateKey>();
  BIRTHMARK_TRY(PrivateKey found, PrivateKey::load(file(name)));
  return std::optional(std::move(found));
}

Result<Certificate> PkiDirectory::root() const {
  BIRTHMARK_TRY(auto found, certificate(kRootFile));
  if (!found) return fail(ErrorCode::not_found, "there is no " + file(kRootFile).string() + ": make the PKI first (birthmark ca create)");
  return std::move(*found);
}

Result<PrivateKey> PkiDirectory::root_key(const Certificate& root) const {
  BIRTHMARK_TRY(auto found, key(kRootKeyFile));
  const bool vaulted = in_vault(kRootKeyFile);
  const std::string place = vaulted ? vault_->address_of(kRootKeyFile) : file(kRootKeyFile).string();
  if (!found && vaulted) return fail(ErrorCode::not_found, "Key root-ca not found on the HSM device", place);
  if (!found) {
    BIRTHMARK_TRY(const auto marker, read_if_there(file(marker_for(kRootKeyFile))));
    if (marker)
      return fail(ErrorCode::not_found, "the root's key is in a token: give --hsm-module, --hsm-token-label and --hsm-pin",
                  marker->substr(0, marker->find('\n')));
    return fail(ErrorCode::not_found,
                "there is no " + place + ": run this where the root's key is kept, or give --hsm-module where it is in a token");
  }
  if (found->spki_sha256() != root.spki_sha256()) {
    return fail(ErrorCode::misconfigured, place + " is not the key of " + std::string(kRootFile));
  }
  return std::move(*found);
}

Result<PrivateKey> PkiDirectory::find_or_make_key(std::string_view name) const {
  if (in_vault(name)) return find_or_make_in_vault(name);
  BIRTHMARK_TRY(auto found, key(name));
  if (found) return std::move(*found);
  BIRTHMARK_TRY(PrivateKey made, PrivateKey::generate_p256());
  BIRTHMARK_TRY(std::string pem, made.to_pem());
  const Status written = create(name, pem);
  OPENSSL_cleanse(pem.data(), pem.size());
  if (!written) return tl::make_unexpected(written.error());
  return made;
}

// The marker comes first and stays: it also says where the key is.
Result<PrivateKey> PkiDirectory::find_or_make_in_vault(std::string_view name) const {
  const std::string address = vault_->address_of(name);
  const std::string marker = marker_for(name);
  std::error_code problem;
  if (std::filesystem::exists(std::filesystem::symlink_status(file(name), problem)))
    return fail(ErrorCode::conflict, file(name).string() + " is there although " + address + " is asked for: which is it?");
  BIRTHMARK_TRY(const auto announced, read_if_there(file(marker)));
  if (announced && *announced != address + "\n")
    return fail(ErrorCode::conflict, file(marker).string() + " names another token",
                announced->substr(0, announced->find('\n')) + ", not " + address);
  BIRTHMARK_TRY(auto found, vault_->find(name));
  if (found && announced) return std::move(*found);
  if (found)
    return fail(ErrorCode::conflict, "Key " + address.substr(address.rfind('=') + 1) + " already exists on the HSM device",
                "it may be another factory's; nothing was changed");
  if (!announced) BIRTHMARK_CHECK(create(marker, address + "\n"));
  return vault_->make(name);
}

Result<std::vector<NamedCertificate>> PkiDirectory::device_cas(const Certificate& root) const {
  BIRTHMARK_TRY(auto names, visible_files(path_));
  const std::vector<std::string> keys = key_names(path_);
  std::vector<NamedCertificate> found;
  for (const std::string& name : in_ceremony_order(std::move(names))) {
    if (!may_hold_ca(name, keys)) continue;
    BIRTHMARK_TRY(const std::string text, read_file(file(name), kLargestFile));
    const auto blocks = decode_pem(text);
    if (!blocks) continue;  // not a file of ours; the ceremony's own files are read by name and complain there
    for (const PemBlock& block : *blocks) {
      if (block.label != "CERTIFICATE") continue;
      auto certificate = Certificate::from_der(block.contents);
      if (!certificate || !certificate->is_ca() || !certificate->is_signed_by(root)) continue;
      if (certificate->subject_der() == root.subject_der()) continue;  // a root, or one root's word about another
      const bool repeated =
          std::any_of(found.begin(), found.end(), [&](const NamedCertificate& other) { return other.certificate == *certificate; });
      if (!repeated) found.push_back({name, std::move(*certificate)});
    }
  }
  return found;
}

Result<std::vector<NamedCrl>> PkiDirectory::crls(const Certificate& root) const {
  BIRTHMARK_TRY(const auto names, visible_files(path_));
  std::vector<NamedCrl> found;
  for (const std::string& name : names) {
    if (!name.ends_with(".pem") && !name.ends_with(".crl")) continue;
    BIRTHMARK_TRY(const std::string text, read_file(file(name), kLargestFile));
    const auto blocks = decode_pem(text);
    if (!blocks) continue;
    for (const PemBlock& block : *blocks) {
      if (block.label != "X509 CRL") continue;
      auto crl = Crl::from_der(block.contents);
      if (crl && crl->is_signed_by(root)) found.push_back({name, std::move(*crl)});
    }
  }
  std::sort(found.begin(), found.end(), [](const NamedCrl& a, const NamedCrl& b) {
    return std::pair(a.crl.number().value_or(0), a.name) < std::pair(b.crl.number().value_or(0), b.name);
  });
  return found;
}

Status PkiDirectory::create(std::string_view name, std::string_view contents) const {
  BIRTHMARK_CHECK(create_file(file(name), contents, kPrivateMode));
  BIRTHMARK_CRASH_POINT("pki.file_made");
  return {};
}

Result<std::string> PkiDirectory::create_artefact(const std::string& stem, std::string_view contents) const {
  for (int attempt = 1; attempt <= kMostSameSecond; ++attempt) {
    std::string name = stem + (attempt == 1 ? "" : "-" + std::to_string(attempt)) + ".pem";
    const Status made = create_file(file(name), contents, kArtefactMode);
    if (made) return name;
    if (made.error().code != ErrorCode::conflict) return tl::make_unexpected(made.error());
  }
  return fail(ErrorCode::conflict, "no free name for " + file(stem).string() + ".pem");
}

Status PkiDirectory::succeed(std::string_view name, std::string_view contents) const {
  const std::filesystem::path successor = file(std::string(name) + ".new");
  BIRTHMARK_CHECK(replace_file(successor, contents, kPrivateMode));
  BIRTHMARK_CRASH_POINT("pki.successor_written");
  BIRTHMARK_TRY(const auto present, read_if_there(file(name)));
  if (present) BIRTHMARK_CHECK(replace_file(file(std::string(name) + ".bak"), *present, kPrivateMode));
  BIRTHMARK_CRASH_POINT("pki.predecessor_kept");
  if (::rename(successor.c_str(), file(name).c_str()) != 0) {
    return fail(ErrorCode::misconfigured, "cannot rename " + successor.string() + ": " + describe_errno(errno));
  }
  BIRTHMARK_CHECK(sync_directory(path_));
  BIRTHMARK_CRASH_POINT("pki.successor_named");
  return {};
}

Result<FileDescriptor> PkiDirectory::lock() const {
  FileDescriptor directory(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return fail(ErrorCode::misconfigured, "cannot open " + path_.string() + ": " + describe_errno(errno));
  if (::flock(directory.get(), LOCK_EX | LOCK_NB) == 0) return directory;
  if (errno == EWOULDBLOCK) return fail(ErrorCode::unavailable, "another ceremony is at work in " + path_.string());
  return fail(ErrorCode::misconfigured, "cannot lock " + path_.string() + ": " + describe_errno(errno));
}

bool is_plain_name(std::string_view name) {
  const bool odd =
      std::any_of(name.begin(), name.end(), [](char c) { return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
  return !name.empty() && name.size() <= 200 && name.front() != '.' && name.front() != '-' && !odd;
}

std::string key_file_for(std::string_view certificate_file) {
  if (certificate_file.ends_with(".pem")) certificate_file.remove_suffix(4);
  return std::string(certificate_file) + ".key";
}

}  // namespace birthmark::crypto
