// SPDX-License-Identifier: Apache-2.0
#include "crypto/pkcs11/pin.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/file.h"

namespace birthmark::crypto::pkcs11 {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kLongestPin = 255;
constexpr const char* kVariable = "BIRTHMARK_HSM_PIN";
constexpr std::string_view kAdvice =
    "--hsm-pin takes file:PATH (a file of mode 0600) or env:NAME, never the PIN itself: everybody on this machine can read a process's "
    "arguments. Without the option BIRTHMARK_HSM_PIN is used, or the terminal is asked.";

std::shared_ptr<const Pin>& captured() {
  static std::shared_ptr<const Pin> pin;
  return pin;
}

// Turns the echo off as long as it lives.
class SilentTerminal {
 public:
  explicit SilentTerminal(int descriptor) : descriptor_(descriptor) {
    if (::tcgetattr(descriptor_, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(descriptor_, TCSAFLUSH, &silent) == 0;
  }
  ~SilentTerminal() {
    if (changed_) ::tcsetattr(descriptor_, TCSAFLUSH, &before_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;
  [[nodiscard]] bool silent() const { return changed_; }

 private:
  int descriptor_;
  termios before_{};
  bool changed_ = false;
};

}  // namespace

Pin::~Pin() {
  if (page_ == nullptr) return;
  OPENSSL_cleanse(page_, kPageBytes);
  ::munmap(page_, kPageBytes);
}

Result<std::shared_ptr<Pin>> Pin::make() {
  std::shared_ptr<Pin> pin(new Pin);
  void* page = ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return fail(ErrorCode::unavailable, "there is no memory for a PIN: " + describe_errno(errno));
  pin->page_ = static_cast<std::uint8_t*>(page);
  if (::madvise(page, kPageBytes, MADV_DONTDUMP) != 0)
    return fail(ErrorCode::unavailable, "a PIN's memory cannot be kept out of core dumps: " + describe_errno(errno));
  // Against swapping; a limit on locked memory (RLIMIT_MEMLOCK) must not keep a server from starting.
  (void)::mlock(page, kPageBytes);
  return pin;
}

Result<std::shared_ptr<const Pin>> Pin::finished(std::shared_ptr<Pin> pin, const std::string& from) {
  while (pin->size_ > 0 && (pin->page_[pin->size_ - 1] == '\n' || pin->page_[pin->size_ - 1] == '\r')) pin->page_[--pin->size_] = 0;
  if (pin->size_ == 0) return fail(ErrorCode::misconfigured, from + " holds no PIN");
  if (pin->size_ > kLongestPin) return fail(ErrorCode::misconfigured, from + " holds more than a PIN (255 octets)");
  return std::shared_ptr<const Pin>(std::move(pin));
}

Status Pin::fill_from(int descriptor, const std::string& from, bool one_line) {
  while (size_ < kPageBytes) {
    const std::size_t room = one_line ? 1 : kPageBytes - size_;
    const ssize_t got = ::read(descriptor, page_ + size_, room);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::misconfigured, "cannot read " + from + ": " + describe_errno(errno));
    if (got == 0) return {};
    size_ += static_cast<std::size_t>(got);
    if (one_line && page_[size_ - 1] == '\n') return {};
  }
  return fail(ErrorCode::misconfigured, from + " holds more than a PIN (255 octets)");
}

Result<std::shared_ptr<const Pin>> Pin::from_file(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file.valid()) return fail(ErrorCode::misconfigured, "cannot open the PIN file " + path.string() + ": " + describe_errno(errno));
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return fail(ErrorCode::misconfigured, "the PIN file " + path.string() + " is no regular file");
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail(ErrorCode::misconfigured, "the PIN file " + path.string() + " is open to group or others: chmod 0600 it");
  BIRTHMARK_TRY(auto pin, make());
  BIRTHMARK_CHECK(pin->fill_from(file.get(), "the PIN file " + path.string(), false));
  return finished(std::move(pin), "the PIN file " + path.string());
}

Result<std::shared_ptr<const Pin>> Pin::from_environment(const char* name) {
  char* value = std::getenv(name);
  if (value == nullptr) return fail(ErrorCode::not_found, std::string("there is no environment variable ") + name);
  const std::size_t size = std::strlen(value);
  Result<std::shared_ptr<Pin>> pin = make();
  if (pin && size < kPageBytes) {
    std::memcpy((*pin)->page_, value, size);
    (*pin)->size_ = size;
  }
  OPENSSL_cleanse(value, size);  // where it stands: /proc/PID/environ shows this memory for as long as the process lives
  ::unsetenv(name);
  if (!pin) return forward_error(pin);
  if (size >= kPageBytes) return fail(ErrorCode::misconfigured, std::string(name) + " holds more than a PIN (255 octets)");
  return finished(std::move(*pin), name);
}

Result<std::shared_ptr<const Pin>> Pin::from_terminal(const std::string& question) {
  const FileDescriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.valid() || ::isatty(STDIN_FILENO) == 0)
    return fail(ErrorCode::misconfigured,
                "the token's PIN is needed and there is no terminal to ask: give --hsm-pin file:PATH or env:NAME");
  BIRTHMARK_TRY(auto pin, make());
  const SilentTerminal silent(terminal.get());
  if (!silent.silent()) return fail(ErrorCode::misconfigured, "the terminal's echo cannot be turned off: give --hsm-pin file:PATH");
  (void)!::write(terminal.get(), question.data(), question.size());
  const Status filled = pin->fill_from(terminal.get(), "the terminal", true);
  (void)!::write(terminal.get(), "\n", 1);
  if (!filled) return tl::make_unexpected(filled.error());
  return finished(std::move(pin), "what was typed");
}

Result<std::shared_ptr<const Pin>> Pin::from_text(ByteView text) {
  BIRTHMARK_TRY(auto pin, make());
  if (text.size() > kLongestPin) return fail(ErrorCode::misconfigured, "a PIN has at most 255 octets");
  std::copy(text.begin(), text.end(), pin->page_);
  pin->size_ = text.size();
  return finished(std::move(pin), "the text");
}

Result<std::shared_ptr<const Pin>> pin_from_option(const std::string& option) {
  constexpr std::string_view kFile = "file:";
  constexpr std::string_view kEnvironment = "env:";
  if (option.starts_with(kFile)) return Pin::from_file(option.substr(kFile.size()));
  if (option.starts_with(kEnvironment)) {
    const std::string name = option.substr(kEnvironment.size());
    if (name == kVariable && captured()) return captured();
    auto pin = Pin::from_environment(name.c_str());
    if (!pin && pin.error().code == ErrorCode::not_found) pin.error().code = ErrorCode::misconfigured;
    return pin;
  }
  if (!option.empty()) return fail(ErrorCode::invalid, std::string(kAdvice));
  if (captured()) return captured();
  return Pin::from_terminal("PIN of the token: ");
}

void capture_environment_pin() {
  if (auto pin = Pin::from_environment(kVariable)) captured() = std::move(*pin);
}

std::shared_ptr<const Pin> captured_environment_pin() {
  return captured();
}

}  // namespace birthmark::crypto::pkcs11
