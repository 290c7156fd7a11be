// SPDX-License-Identifier: Apache-2.0
// birthmark device list | export: every device, or those that a filter leaves, as a stream of short pages; an export can be signed.
#include <array>
#include <map>
#include <ostream>
#include <streambuf>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/device_row.h"
#include "cli/workbench.h"
#include "crypto/detached_signature.h"

namespace birthmark::cli {
namespace {

constexpr std::size_t kPageRows = 1000;

// Streams pages until the filter has no more rows, `limit` rows are out, or nobody reads any more.
Status stream_devices(Console& console, Workbench& workbench, const core::DeviceFilter& filter, ListFormat format, std::uint64_t limit) {
  Listing listing(console.out, format, device_columns());
  core::RowId after = 0;
  for (std::uint64_t left = limit; left > 0 && console.out;) {
    BIRTHMARK_TRY(const auto page, workbench.registry().list(filter, after, std::min<std::uint64_t>(left, kPageRows)));
    if (page.empty()) break;
    for (const core::DeviceSummary& device : page) listing.row(device_cells(device));
    after = page.back().row;
    left -= page.size();
  }
  console.out.flush();
  return {};
}

// The filter's options as they were typed, and what becomes of them.
class FilterOptions {
 public:
  void declare(CLI::App& command) {
    static const std::map<std::string, core::DeviceStatus> kStatuses{
        {"active", core::DeviceStatus::active}, {"denied", core::DeviceStatus::denied}, {"released", core::DeviceStatus::released}};
    static const std::map<std::string, core::Ecosystem> kEcosystems{
        {"foundries", core::Ecosystem::foundries}, {"izuma", core::Ecosystem::izuma}, {"eve", core::Ecosystem::eve}};
    command.add_option("--status", filter_.status, "Only devices that are active, denied (also by deletion) or released")
        ->transform(CLI::CheckedTransformer(kStatuses).description(""))
        ->type_name("STATUS");
    command.add_option("--ecosystem", filter_.ecosystem, "Only devices of foundries, izuma or eve")
        ->transform(CLI::CheckedTransformer(kEcosystems).description(""))
        ->type_name("NAME");
    command.add_option("--id-prefix", filter_.id_prefix, "Only devices whose id begins with this")->type_name("TEXT");
    command.add_option("--production", production_, "Only production devices, or only the others")
        ->check(CLI::IsMember({"yes", "no"}).description(""))
        ->type_name("yes|no");
    command.add_option("--hardware-id", filter_.hardware_id, "Only this hardware id")->type_name("ID");
    command.add_option("--station", filter_.station, "Only devices that this station or address registered")->type_name("NAME");
    command.add_option("--group", filter_.group, "Only this group; '' for devices in none")->type_name("GROUP");
    command.add_option("--key", key_, "Only the device with this spki_sha256")->type_name("HEX");
    command.add_option("--serial", serial_, "Only the device whose newest certificate has this serial")->type_name("HEX");
    command.add_option("--created-from", created_from_, "Only devices made at this time or later")->type_name("TIME");
    command.add_option("--created-before", created_before_, "Only devices made before this time")->type_name("TIME");
    command.add_option("--expires-before", expires_before_, "Only devices whose newest certificate ends before this time")
        ->type_name("TIME");
    command.add_option("--test", test_, "Only devices of test orders, or only the others")
        ->check(CLI::IsMember({"yes", "no"}).description(""))
        ->type_name("yes|no");
    command.add_option("--search", filter_.text, "Only devices with this text in their name, hardware id, station or group")
        ->type_name("TEXT");
  }

  [[nodiscard]] Result<core::DeviceFilter> filter() const {
    core::DeviceFilter filter = filter_;
    if (!production_.empty()) filter.production = production_ == "yes";
    if (!test_.empty()) filter.test = test_ == "yes";
    if (!key_.empty()) {
      const auto octets = from_hex(to_lower(key_));
      filter.key = octets ? SpkiHash::from(*octets) : std::nullopt;
      if (!filter.key) return fail(ErrorCode::invalid, "--key " + key_ + ": expected the 64 hexadecimal digits of a spki_sha256");
    }
    if (!serial_.empty()) {
      const auto octets = from_hex(to_lower(serial_.size() % 2 == 0 ? serial_ : "0" + serial_));
      const auto serial = Serial::from_magnitude(octets.value_or(Bytes()));
      if (serial) filter.serial = *serial;
      if (!octets || !serial) return fail(ErrorCode::invalid, "--serial " + serial_ + ": expected up to 40 hexadecimal digits");
    }
    BIRTHMARK_TRY(filter.created_from, moment(created_from_, "--created-from"));
    BIRTHMARK_TRY(filter.created_before, moment(created_before_, "--created-before"));
    BIRTHMARK_TRY(filter.expires_before, moment(expires_before_, "--expires-before"));
    return filter;
  }

 private:
  // A time, or a day that begins at midnight UTC.
  static Result<std::optional<Instant>> moment(const std::string& text, const std::string& option) {
    if (text.empty()) return std::optional<Instant>();
    auto at = parse_rfc3339(text.size() == 10 ? text + "T00:00:00Z" : text);
    if (!at) return fail(ErrorCode::invalid, option + " " + text + ": expected 2026-01-31 or 2026-01-31T12:00:00Z");
    return std::optional<Instant>(*at);
  }

  core::DeviceFilter filter_;
  std::string production_, test_, key_, serial_, created_from_, created_before_, expires_before_;
};

class DeviceListCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "device", "The devices that this factory knows")
                            ->add_subcommand("list", "List devices in the order they were registered");
    declare_directory(*command);
    filter_.declare(*command);
    declare_format(*command, format_);
    command->add_option("--limit", limit_, "At most this many rows")->type_name("N");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const auto filter, filter_.filter());
    return stream_devices(console, workbench, filter, format_, limit_);
  }

 private:
  FilterOptions filter_;
  ListFormat format_ = ListFormat::table;
  std::uint64_t limit_ = UINT64_MAX;
};

// What is written to it goes on to another stream, and into a signature.
class SigningBuffer final : public std::streambuf {
 public:
  SigningBuffer(std::ostream& to, crypto::DetachedSignature& signature) : to_(to), signature_(signature) {
    setp(buffer_.data(), buffer_.data() + buffer_.size());
  }
  [[nodiscard]] Status outcome() const { return outcome_; }

 protected:
  int overflow(int character) override {
    if (SigningBuffer::sync() != 0) return traits_type::eof();
    if (character != traits_type::eof()) sputc(static_cast<char>(character));
    return traits_type::not_eof(character);
  }
  int sync() override {
    const std::string_view waiting(pbase(), static_cast<std::size_t>(pptr() - pbase()));
    if (outcome_) outcome_ = signature_.update(as_bytes(waiting));
    to_.write(waiting.data(), static_cast<std::streamsize>(waiting.size()));
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    return outcome_ && to_ ? 0 : -1;
  }

 private:
  std::ostream& to_;
  crypto::DetachedSignature& signature_;
  Status outcome_;
  std::array<char, 16384> buffer_{};
};

// By the factory's TLS certificate: of the keys that a server has, the one made for signatures, and the factory's root vouches for it.
Result<crypto::DetachedSignature> begin_signature(const Workbench& workbench) {
  const auto trust = workbench.trust();
  if (!trust->tls_server)
    return fail(ErrorCode::misconfigured,
                "an export is signed with the factory's TLS certificate, and none is installed: `birthmark ca install`");
  BIRTHMARK_TRY(const auto certificate, crypto::Certificate::from_der(trust->tls_server->der));
  BIRTHMARK_TRY(const auto key, crypto::PrivateKey::load(workbench.directory() / "keys" / "tls.key"));
  return crypto::DetachedSignature::begin(certificate, key);
}

class DeviceExportCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "device", "The devices that this factory knows")
                            ->add_subcommand("export", "Write every device to stdout for other programs (CSV unless told otherwise)");
    declare_directory(*command);
    filter_.declare(*command);
    declare_format(*command, format_);
    command->add_flag("--include-test", include_test_, "Devices of test orders too");
    command->add_option("--sign", signature_, "Write a signature of the export here: detached CMS, for `openssl cms -verify`")
        ->type_name("FILE");
    return command;
  }
  std::vector<std::filesystem::path> output_files() const override {
    return signature_.empty() ? std::vector<std::filesystem::path>() : std::vector{signature_};
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>& inputs) override {
    BIRTHMARK_TRY(auto filter, filter_.filter());
    if (!include_test_ && !filter.test) filter.test = false;
    if (signature_.empty()) return stream_devices(console, workbench, filter, format_, UINT64_MAX);
    BIRTHMARK_TRY(auto signature, begin_signature(workbench));
    SigningBuffer buffer(console.out, signature);
    std::ostream signing(&buffer);
    Console through{signing, console.err, false, {}};
    BIRTHMARK_CHECK(stream_devices(through, workbench, filter, format_, UINT64_MAX));
    signing.flush();
    BIRTHMARK_CHECK(buffer.outcome());
    if (!console.out) return fail(ErrorCode::unavailable, "the export was not read to its end; nothing is signed");
    BIRTHMARK_TRY(const std::string pem, signature.finish_pem());
    return write_output(inputs.front(), pem);
  }

 private:
  FilterOptions filter_;
  ListFormat format_ = ListFormat::csv;
  bool include_test_ = false;
  std::filesystem::path signature_;
};

}  // namespace

void append_device_list_commands(CommandList& commands) {
  commands.push_back(std::make_unique<DeviceListCommand>());
  commands.push_back(std::make_unique<DeviceExportCommand>());
}

}  // namespace birthmark::cli
