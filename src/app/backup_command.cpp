// SPDX-License-Identifier: Apache-2.0
// birthmark backup and birthmark restore: a server's directory as one file, taken while the server runs, and put back.
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "app/commands.h"
#include "app/site.h"
#include "base/file.h"
#include "crypto/pki/eve_controller.h"
#include "store/sqlite/backup.h"

namespace birthmark::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kConfigFile = "birthmark.toml";
constexpr std::string_view kDatabaseFile = "birthmark.db";

// What of a directory is kept: what the server cannot make again. Secrets only when asked for.
bool is_kept(const fs::path& relative, bool with_keys) {
  const std::string folder = relative.begin()->string();
  const std::string name = relative.string();
  if (name == kConfigFile || name == "audit.head" || name == crypto::kEveRootCopy) return true;
  if (folder == "csr" && folder != name) return true;
  return with_keys && ((folder == "keys" && folder != name) || name == "upstream.token");
}

Result<store::BackupFile> read_kept(const fs::path& directory, const fs::path& relative) {
  struct stat status{};
  const fs::path path = directory / relative;
  if (::stat(path.c_str(), &status) != 0)
    return fail(ErrorCode::misconfigured, "cannot read " + path.string() + ": " + describe_errno(errno));
  store::BackupFile file;
  file.name = relative.generic_string();
  file.mode = status.st_mode & 0777U;
  BIRTHMARK_TRY(file.contents, read_file(path));
  return file;
}

// Before the database is copied: the signed head must be one that the copy contains.
Result<std::vector<store::BackupFile>> kept_files(const fs::path& directory, bool with_keys) {
  std::vector<fs::path> names;
  std::error_code failure;
  for (auto entry = fs::recursive_directory_iterator(directory, failure); !failure && entry != fs::recursive_directory_iterator();
       entry.increment(failure)) {
    const fs::path relative = entry->path().lexically_relative(directory);
    if (entry->is_directory() && relative != "keys" && relative != "csr") entry.disable_recursion_pending();
    if (entry->is_regular_file() && is_kept(relative, with_keys)) names.push_back(relative);
  }
  if (failure) return fail(ErrorCode::misconfigured, "cannot read " + directory.string() + ": " + failure.message());
  std::vector<store::BackupFile> files;
  for (const fs::path& name : names) {
    BIRTHMARK_TRY(auto file, read_kept(directory, name));
    files.push_back(std::move(file));
  }
  return files;
}

class BackupCommand final : public cli::LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = root.add_subcommand(
        "backup", "Copy a server's directory into one file, also while it runs; prints the audit head of the copy, to be kept elsewhere");
    command->add_option("FILE", file_, "The file to make, mode 0600; it must not be there yet")->required();
    command->add_option("--dir", directory_, "The server's directory")->envname("BIRTHMARK_DIR")->required()->type_name("DIR");
    command->add_flag("--with-keys", with_keys_, "The server's private keys and its upstream token too: keep the file as you keep them");
    return command;
  }
  Status run(cli::Console& console) override {
    BIRTHMARK_TRY(const Config config, load_config(directory_));
    store::Backup backup;
    backup.factory = config.factory;
    backup.created_at = format_rfc3339(SystemClock().now());
    BIRTHMARK_TRY(backup.files, kept_files(directory_, with_keys_));
    BIRTHMARK_TRY(const store::Backup made, store::write_backup(directory_ / kDatabaseFile, file_, std::move(backup)));
    console.out << core::format_audit_head(made.head) << '\n';
    console.err << file_.string() << " holds factory '" << made.factory << "' with " << made.head.count << " audit records and "
                << made.files.size() << " files" << (with_keys_ ? ", private keys among them\n" : "; the private keys are not in it\n");
    return {};
  }

 private:
  fs::path file_;
  fs::path directory_;
  bool with_keys_ = false;
};

// --- restore -----------------------------------------------------------------------------------------------------------------------

Status put_file(const fs::path& directory, const store::BackupFile& file) {
  const fs::path path = directory / file.name;
  const fs::path folder = path.parent_path();
  if (folder != directory) BIRTHMARK_CHECK(make_directory(folder, folder.filename() == "csr" ? 0755 : 0700));
  return replace_file(path, file.contents, file.mode);
}

class RestoreCommand final : public cli::LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = root.add_subcommand("restore", "Make a server's directory of a backup, after checking every page of it");
    command->add_option("FILE", file_, "What `birthmark backup` made")->required();
    command->add_option("DIR", directory_, "The directory to make; it must not be a server's already")->required();
    return command;
  }
  Status run(cli::Console& console) override {
    if (fs::exists(directory_ / kConfigFile) || fs::exists(directory_ / kDatabaseFile))
      return fail(ErrorCode::conflict, directory_.string() + " is a server's directory already: restore into a new one");
    BIRTHMARK_TRY(const store::Backup backup, store::read_backup(file_));
    BIRTHMARK_CHECK(make_directory(directory_, 0700));
    BIRTHMARK_CHECK(put_everything(backup));
    const bool has_keys =
        std::any_of(backup.files.begin(), backup.files.end(), [](const auto& file) { return file.name == "keys/audit.key"; });
    console.out << core::format_audit_head(backup.head) << '\n';
    console.err << directory_.string() << " is factory '" << backup.factory << "' as it was at " << backup.created_at << '\n';
    if (!has_keys) {
      console.err << "its private keys were not in the backup: put keys/ back, audit.key among them, before `birthmark serve`\n";
      return {};
    }
    BIRTHMARK_TRY(const auto site, Site::open(directory_));
    BIRTHMARK_CHECK(site->check_audit_head());
    console.err << "what registered since is unknown to it; check it with: birthmark audit verify --dir " << directory_.string() << '\n';
    return {};
  }

 private:
  // The configuration is what makes a directory a server's: it comes last, so that an interrupted restore is none.
  Status put_everything(const store::Backup& backup) const {
    const fs::path partial = directory_ / ".birthmark.db.partial";
    for (const char* leftover : {"", "-wal", "-shm", "-journal"}) fs::remove(partial.string() + leftover);
    BIRTHMARK_CHECK(store::restore_database(file_, partial));
    for (const store::BackupFile& file : backup.files) {
      if (file.name != kConfigFile) BIRTHMARK_CHECK(put_file(directory_, file));
    }
    std::error_code failure;
    fs::rename(partial, directory_ / kDatabaseFile, failure);
    if (failure) return fail(ErrorCode::misconfigured, "cannot put the database in its place: " + failure.message());
    for (const store::BackupFile& file : backup.files) {
      if (file.name == kConfigFile) BIRTHMARK_CHECK(put_file(directory_, file));
    }
    return sync_directory(directory_);
  }

  fs::path file_;
  fs::path directory_;
};

}  // namespace

std::unique_ptr<cli::Command> make_backup_command() {
  return std::make_unique<BackupCommand>();
}

std::unique_ptr<cli::Command> make_restore_command() {
  return std::make_unique<RestoreCommand>();
}

}  // namespace birthmark::app
