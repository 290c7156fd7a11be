// SPDX-License-Identifier: Apache-2.0
// birthmark onboard eve-config DIR: what a node needs to find this controller and to come in, as the files of EVE's /config, as a tar and
// as the image of its CONFIG partition (protocol facts, EVE 4.1). The onboarding key is made here, with the caller's rights, and is in
// these files only.
#include <ostream>

#include "app/fat_image.h"
#include "app/onboard_commands.h"
#include "app/run_in_directory.h"
#include "app/site.h"
#include "base/pem.h"
#include "base/text.h"
#include "crypto/pki/eve_controller.h"
#include "crypto/x509_codec.h"

namespace birthmark::app {
namespace {

constexpr mode_t kKeyMode = 0600, kPublicMode = 0644;
constexpr const char* kKeyName = "onboard.key.pem";

Status check_server(const std::string& server) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-.:[]").find(c) != std::string_view::npos;
  };
  if (!server.empty() && server.size() <= 260 && std::all_of(server.begin(), server.end(), allowed)) return {};
  return fail(ErrorCode::invalid, "--server " + server + ": expected HOST or HOST:PORT");
}

class EveConfigCommand final : public cli::LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = onboard_group(root)->add_subcommand(
        "eve-config", "Write the files of a node's /config: server, root, and an onboarding pair that this controller knows from then on");
    command->add_option("CONFIG_DIR", target_, "The directory to write; made when it is not there")->required()->type_name("CONFIG_DIR");
    command->add_option("--dir", directory_, "The server's directory")->envname("BIRTHMARK_DIR")->required()->type_name("DIR");
    command->add_option("--server", server_, "Where nodes reach the controller, as its TLS certificate names it")
        ->required()
        ->type_name("HOST[:PORT]");
    command->add_option("--name", name_, "What operators call the new onboarding certificate (default: a UUID)")->type_name("NAME");
    auto* certificate = command->add_option("--onboard-cert", onboard_certificate_, "Use this onboarding certificate")->type_name("FILE");
    command->add_option("--onboard-key", onboard_key_, "and its key")->needs(certificate)->type_name("FILE");
    command->add_option("--serial", serials_, "A serial that may come with it; may be repeated; * is any")
        ->delimiter(',')
        ->type_name("SERIAL");
    command->add_option("--places", places_, "At most so many nodes may come with it")->type_name("N");
    command->add_option("--expires", expires_, "No new nodes with it after this span (30d) or moment")->type_name("WHEN");
    command->add_option("--soft-serial", soft_serial_, "The node's soft serial; `new` makes one; for one node only, and let in by itself")
        ->type_name("TEXT");
    command->add_option("--tar", tar_, "Write a tar of the files too")->type_name("FILE");
    command->add_option("--image", image_, "Write a FAT image of the files too, as the CONFIG partition is one")->type_name("FILE");
    command->add_option("--image-mb", megabytes_, "Its size")->type_name("N")->check(CLI::Range(5, 64));
    return command;
  }

  Status run(cli::Console& console) override {
    BIRTHMARK_CHECK(check_server(server_));
    BIRTHMARK_TRY(const auto files, make_files());
    BIRTHMARK_CHECK(announce(console));
    BIRTHMARK_CHECK(make_directory(target_, 0755));
    for (const PackedFile& file : files)
      BIRTHMARK_CHECK(replace_file(target_ / file.name, file.contents, file.name == kKeyName ? kKeyMode : kPublicMode));
    const Instant now = SystemClock().now();
    if (!tar_.empty()) {
      BIRTHMARK_TRY(const std::string tar, make_tar(files, now));
      BIRTHMARK_CHECK(replace_file(tar_, tar, kKeyMode));
    }
    if (!image_.empty()) {
      BIRTHMARK_TRY(const std::string image, make_fat_image(files, "EVE", megabytes_, now));
      BIRTHMARK_CHECK(replace_file(image_, image, kKeyMode));
    }
    console.out << target_.string() << " is a node's /config for " << server_ << '\n';
    return {};
  }

 private:
  // Everything that is written, before anything is announced or written.
  [[nodiscard]] Result<std::vector<PackedFile>> make_files() {
    const auto random = crypto::make_system_random();
    auto root = read_file(directory_ / crypto::kEveRootCopy);
    if (!root)
      return fail(ErrorCode::misconfigured, "there is no EVE controller yet (" + root.error().public_message +
                                                "): birthmark onboard controller-pki --dir " + directory_.string());
    Uuid uuid{};
    BIRTHMARK_CHECK(random->fill(uuid));
    if (name_.empty()) name_ = format_uuid(uuid);
    if (soft_serial_ == "new") {
      BIRTHMARK_CHECK(random->fill(uuid));
      soft_serial_ = format_uuid(uuid);
    }
    std::string key;
    if (onboard_certificate_.empty()) {
      BIRTHMARK_TRY(auto pair, crypto::make_onboarding_certificate(name_, *random, SystemClock().now(), kYears));
      certificate_pem_ = std::move(pair.certificate_pem);
      key = std::move(pair.key_pem);
    } else {
      BIRTHMARK_TRY(certificate_pem_, read_file(onboard_certificate_));
      BIRTHMARK_TRY(const auto certificate, crypto::Certificate::from_pem(certificate_pem_));
      if (onboard_key_.empty()) return fail(ErrorCode::invalid, "--onboard-key is needed beside --onboard-cert");
      BIRTHMARK_TRY(const auto loaded, crypto::PrivateKey::load(onboard_key_));
      if (loaded.spki_sha256() != certificate.spki_sha256())
        return fail(ErrorCode::invalid, onboard_key_.string() + " is not the key of " + onboard_certificate_.string());
      BIRTHMARK_TRY(key, read_file(onboard_key_));
    }
    std::vector<PackedFile> files{{"server", server_ + "\n"},
                                  {"root-certificate.pem", *root},
                                  {"v2tlsbaseroot-certificates.pem", *root},
                                  {"onboard.cert.pem", certificate_pem_},
                                  {kKeyName, key}};
    if (!soft_serial_.empty()) files.push_back({"soft_serial", soft_serial_ + "\n"});
    return files;
  }

  [[nodiscard]] Status announce(cli::Console& console) const {
    std::vector<std::string> words{"onboard", "add", "onboard.cert.pem", "--dir", directory_.string()};
    const auto add = [&words](const std::string& option, const std::string& value) {
      words.push_back(option);
      words.push_back(value);
    };
    if (onboard_certificate_.empty()) add("--name", name_);
    for (const std::string& serial : serials_) add("--serial", serial);
    if (!soft_serial_.empty()) add("--serial", soft_serial_);
    if (places_) add("--places", std::to_string(*places_));
    if (!expires_.empty()) add("--expires", expires_);
    return run_in_directory(directory_, words, {{"onboard.cert.pem", certificate_pem_}}, console);
  }

  static constexpr int kYears = 10;
  std::filesystem::path target_, directory_, onboard_certificate_, onboard_key_, tar_, image_;
  std::string server_, name_, expires_, soft_serial_, certificate_pem_;
  std::vector<std::string> serials_;
  std::optional<std::uint64_t> places_;
  unsigned megabytes_ = 5;
};

}  // namespace

void append_onboard_image_commands(cli::CommandList& commands) {
  commands.push_back(std::make_unique<EveConfigCommand>());
}

}  // namespace birthmark::app
