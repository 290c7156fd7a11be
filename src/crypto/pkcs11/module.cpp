// SPDX-License-Identifier: Apache-2.0
#include "crypto/pkcs11/module.h"

#include <dlfcn.h>

#include <array>
#include <map>
#include <mutex>
#include <system_error>

#include "base/log.h"

namespace birthmark::crypto::pkcs11 {
namespace {

struct ReturnValue {
  CK_RV value;
  const char* name;
};
constexpr std::array<ReturnValue, 40> kNames{{{CKR_OK, "CKR_OK"},
                                              {CKR_HOST_MEMORY, "CKR_HOST_MEMORY"},
                                              {CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID"},
                                              {CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR"},
                                              {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED"},
                                              {CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD"},
                                              {CKR_CANT_LOCK, "CKR_CANT_LOCK"},
                                              {CKR_ATTRIBUTE_TYPE_INVALID, "CKR_ATTRIBUTE_TYPE_INVALID"},
                                              {CKR_ATTRIBUTE_VALUE_INVALID, "CKR_ATTRIBUTE_VALUE_INVALID"},
                                              {CKR_DATA_INVALID, "CKR_DATA_INVALID"},
                                              {CKR_DATA_LEN_RANGE, "CKR_DATA_LEN_RANGE"},
                                              {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR"},
                                              {CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY"},
                                              {CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED"},
                                              {CKR_FUNCTION_CANCELED, "CKR_FUNCTION_CANCELED"},
                                              {CKR_FUNCTION_NOT_SUPPORTED, "CKR_FUNCTION_NOT_SUPPORTED"},
                                              {CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID"},
                                              {CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED"},
                                              {CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID"},
                                              {CKR_MECHANISM_PARAM_INVALID, "CKR_MECHANISM_PARAM_INVALID"},
                                              {CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID"},
                                              {CKR_OPERATION_ACTIVE, "CKR_OPERATION_ACTIVE"},
                                              {CKR_OPERATION_NOT_INITIALIZED, "CKR_OPERATION_NOT_INITIALIZED"},
                                              {CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT"},
                                              {CKR_PIN_INVALID, "CKR_PIN_INVALID"},
                                              {CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE"},
                                              {CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED"},
                                              {CKR_PIN_LOCKED, "CKR_PIN_LOCKED"},
                                              {CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED"},
                                              {CKR_SESSION_COUNT, "CKR_SESSION_COUNT"},
                                              {CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID"},
                                              {CKR_SESSION_READ_ONLY, "CKR_SESSION_READ_ONLY"},
                                              {CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT"},
                                              {CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED"},
                                              {CKR_TOKEN_WRITE_PROTECTED, "CKR_TOKEN_WRITE_PROTECTED"},
                                              {CKR_USER_ALREADY_LOGGED_IN, "CKR_USER_ALREADY_LOGGED_IN"},
                                              {CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN"},
                                              {CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED"},
                                              {CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED"},
                                              {CKR_CRYPTOKI_ALREADY_INITIALIZED, "CKR_CRYPTOKI_ALREADY_INITIALIZED"}}};

}  // namespace

std::string name_of(CK_RV value) {
  std::array<char, 32> number{};
  std::snprintf(number.data(), number.size(), "0x%lX", value);
  for (const ReturnValue& known : kNames)
    if (known.value == value) return std::string(known.name) + " (" + number.data() + ")";
  return number.data();
}

std::string failed_call(const char* function, CK_RV value) {
  return std::string(function) + ": " + name_of(value);
}

Module::Alone::Alone(Module& module, std::chrono::milliseconds patience) : module_(module), lock_(module.calls_, std::defer_lock) {
  module_.closing_.store(true, std::memory_order_release);
  (void)lock_.try_lock_for(patience);
}

Module::Alone::~Alone() {
  module_.closing_.store(false, std::memory_order_release);
}

Result<std::shared_ptr<Module>> Module::open(const std::filesystem::path& path) {
  // By path: two owners of one module would close each other's sessions. Never taken away while the process lives.
  static std::mutex mutex;
  static std::map<std::filesystem::path, std::weak_ptr<Module>> modules;
  std::error_code failure;
  const std::filesystem::path canonical = std::filesystem::weakly_canonical(path, failure);
  const std::filesystem::path& name = failure ? path : canonical;
  const std::lock_guard lock(mutex);
  if (auto known = modules[name].lock()) return known;
  std::shared_ptr<Module> module(new Module(name));
  BIRTHMARK_CHECK(module->load());
  BIRTHMARK_CHECK(module->initialize());
  modules[name] = module;
  return module;
}

Status Module::load() {
  std::error_code failure;
  if (path_.empty()) return fail(ErrorCode::misconfigured, "no PKCS#11 module is named: set module in [hsm], or give --hsm-module PATH");
  if (!std::filesystem::exists(path_, failure))
    return fail(ErrorCode::not_found, "there is no PKCS#11 module " + path_.string() +
                                          ": install the token's library, or correct its path ([hsm] module, --hsm-module)");
  void* library = ::dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    return fail(ErrorCode::misconfigured, path_.string() + " cannot be loaded", reason == nullptr ? "" : reason);
  }
  // Never dlclose()d: modules leave threads and exit handlers behind.
  auto* const get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  if (get == nullptr) return fail(ErrorCode::misconfigured, path_.string() + " is no PKCS#11 module: it has no C_GetFunctionList");
  const CK_RV got = get(&functions_);
  if (got != CKR_OK || functions_ == nullptr)
    return fail(ErrorCode::misconfigured, path_.string() + " gives no functions", failed_call("C_GetFunctionList", got));
  return {};
}

Status Module::initialize() {
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  const CK_RV got = functions_->C_Initialize(&arguments);
  initialized_ = got == CKR_OK;
  if (got == CKR_OK || got == CKR_CRYPTOKI_ALREADY_INITIALIZED) return {};
  return fail(got == CKR_CANT_LOCK ? ErrorCode::misconfigured : ErrorCode::unavailable,
              "the PKCS#11 module " + path_.string() + " cannot be initialised", failed_call("C_Initialize", got));
}

Status Module::restart() {
  generation_.fetch_add(1, std::memory_order_acq_rel);
  const CK_RV ended = functions_->C_Finalize(nullptr);
  if (ended != CKR_OK && ended != CKR_CRYPTOKI_NOT_INITIALIZED) log::debug("C_Finalize", {{"result", name_of(ended)}});
  return initialize();
}

Module::~Module() {
  if (!initialized_) return;
  // Somebody may hang inside for ever: then the module ends with the process.
  const Alone alone(*this, std::chrono::milliseconds(500));
  if (alone.held()) (void)functions_->C_Finalize(nullptr);
}

}  // namespace birthmark::crypto::pkcs11
