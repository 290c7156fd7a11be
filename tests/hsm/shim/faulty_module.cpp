// SPDX-License-Identifier: Apache-2.0
// A PKCS#11 module before another one that fails on cue. What to do is in the file BIRTHMARK_SHIM_PLAN, read anew whenever it changes; one
// line each:
//   FUNCTION FROM COUNT return VALUE    the FROM-th call of it, and COUNT-1 more, answer VALUE (hexadecimal) and reach nobody
//   FUNCTION FROM COUNT hang MS         they take so long
//   FUNCTION FROM COUNT crash           the process ends there
//   sessions N                          the token has no more than N sessions, and says so
//   delay US                            every C_Sign takes so long
// FUNCTION "*" is every function. Calls are counted from the moment the plan was read. BIRTHMARK_SHIM_LOG gets a line for every C_Login
// with its answer, so that a test can count wrong PINs.
#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Rule {
  std::string function;
  unsigned long from = 1, count = 1;
  std::string action;
  unsigned long value = 0;
};

struct Plan {
  std::vector<Rule> rules;
  unsigned long sessions = 0;
  unsigned long delay_us = 0;
  std::map<std::string, unsigned long> calls;
  struct timespec changed{};
  off_t size = -1;
};

std::mutex mutex;
Plan plan;
CK_FUNCTION_LIST_PTR real = nullptr;
CK_FUNCTION_LIST shim;
std::atomic<long> open_sessions{0};

void read_plan() {
  const char* path = std::getenv("BIRTHMARK_SHIM_PLAN");
  struct stat facts{};
  if (path == nullptr || ::stat(path, &facts) != 0) return;
  if (facts.st_size == plan.size && std::memcmp(&facts.st_mtim, &plan.changed, sizeof(plan.changed)) == 0) return;
  plan = Plan{};
  plan.changed = facts.st_mtim;
  plan.size = facts.st_size;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Rule rule;
    words >> rule.function;
    if (rule.function == "sessions") {
      words >> plan.sessions;
    } else if (rule.function == "delay") {
      words >> plan.delay_us;
    } else if (words >> rule.from >> rule.count >> rule.action) {
      if (rule.action == "return") words >> std::hex;
      words >> rule.value;
      plan.rules.push_back(rule);
    }
  }
}

// CKR_OK: go on to the real one.
CK_RV fate_of(const char* function, bool* decided) {
  std::unique_lock lock(mutex);
  read_plan();
  const unsigned long own = ++plan.calls[function], all = ++plan.calls["*"];
  for (const Rule& rule : plan.rules) {
    const bool every = rule.function == "*";
    if (!every && rule.function != function) continue;
    const unsigned long number = every ? all : own;
    if (number < rule.from || number - rule.from >= rule.count) continue;
    if (rule.action == "crash") ::_exit(86);
    if (rule.action == "return") {
      *decided = true;
      return rule.value;
    }
    const auto time = std::chrono::milliseconds(rule.value);
    lock.unlock();
    std::this_thread::sleep_for(time);
    return CKR_OK;
  }
  return CKR_OK;
}

void note_login(CK_RV answer) {
  const char* path = std::getenv("BIRTHMARK_SHIM_LOG");
  if (path == nullptr) return;
  const int file = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  char line[64];
  const int size = std::snprintf(line, sizeof(line), "C_Login %lx\n", answer);
  if (file >= 0) (void)!::write(file, line, static_cast<std::size_t>(size));
  if (file >= 0) ::close(file);
}

#define FATE(name)      \
  bool decided = false; \
  if (const CK_RV fate = fate_of(#name, &decided); decided) return fate

CK_RV initialize(void* arguments) {
  FATE(C_Initialize);
  return real->C_Initialize(arguments);
}
CK_RV finalize(void* reserved) {
  FATE(C_Finalize);
  open_sessions = 0;
  return real->C_Finalize(reserved);
}
CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID* slots, CK_ULONG* count) {
  FATE(C_GetSlotList);
  return real->C_GetSlotList(present, slots, count);
}
CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  FATE(C_GetTokenInfo);
  const CK_RV got = real->C_GetTokenInfo(slot, info);
  const std::lock_guard lock(mutex);
  if (got == CKR_OK && plan.sessions > 0) info->ulMaxSessionCount = plan.sessions;
  return got;
}
CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void* application, CK_NOTIFY notify, CK_SESSION_HANDLE* session) {
  FATE(C_OpenSession);
  {
    const std::lock_guard lock(mutex);
    if (plan.sessions > 0 && open_sessions >= static_cast<long>(plan.sessions)) return CKR_SESSION_COUNT;
  }
  const CK_RV got = real->C_OpenSession(slot, flags, application, notify, session);
  if (got == CKR_OK) ++open_sessions;
  return got;
}
CK_RV close_session(CK_SESSION_HANDLE session) {
  FATE(C_CloseSession);
  const CK_RV got = real->C_CloseSession(session);
  if (got == CKR_OK) --open_sessions;
  return got;
}
CK_RV close_all_sessions(CK_SLOT_ID slot) {
  FATE(C_CloseAllSessions);
  open_sessions = 0;
  return real->C_CloseAllSessions(slot);
}
CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG size) {
  bool decided = false;
  CK_RV answer = fate_of("C_Login", &decided);
  if (!decided) answer = real->C_Login(session, user, pin, size);
  note_login(answer);
  return answer;
}
CK_RV find_objects_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE* wanted, CK_ULONG count) {
  FATE(C_FindObjectsInit);
  return real->C_FindObjectsInit(session, wanted, count);
}
CK_RV find_objects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG most, CK_ULONG* count) {
  FATE(C_FindObjects);
  return real->C_FindObjects(session, objects, most, count);
}
CK_RV find_objects_final(CK_SESSION_HANDLE session) {
  FATE(C_FindObjectsFinal);
  return real->C_FindObjectsFinal(session);
}
CK_RV get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* asked, CK_ULONG count) {
  FATE(C_GetAttributeValue);
  return real->C_GetAttributeValue(session, object, asked, count);
}
CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  FATE(C_SignInit);
  return real->C_SignInit(session, mechanism, key);
}
CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG size, CK_BYTE* signature, CK_ULONG* room) {
  FATE(C_Sign);
  unsigned long delay = 0;
  {
    const std::lock_guard lock(mutex);
    delay = plan.delay_us;
  }
  if (delay > 0) std::this_thread::sleep_for(std::chrono::microseconds(delay));
  return real->C_Sign(session, data, size, signature, room);
}
CK_RV generate_key_pair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* of_public, CK_ULONG public_count,
                        CK_ATTRIBUTE* of_private, CK_ULONG private_count, CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) {
  FATE(C_GenerateKeyPair);
  return real->C_GenerateKeyPair(session, mechanism, of_public, public_count, of_private, private_count, public_key, private_key);
}

void fill_in() {
  shim = *real;  // what is not before it goes straight through
  shim.C_Initialize = initialize;
  shim.C_Finalize = finalize;
  shim.C_GetSlotList = get_slot_list;
  shim.C_GetTokenInfo = get_token_info;
  shim.C_OpenSession = open_session;
  shim.C_CloseSession = close_session;
  shim.C_CloseAllSessions = close_all_sessions;
  shim.C_Login = login;
  shim.C_FindObjectsInit = find_objects_init;
  shim.C_FindObjects = find_objects;
  shim.C_FindObjectsFinal = find_objects_final;
  shim.C_GetAttributeValue = get_attribute_value;
  shim.C_SignInit = sign_init;
  shim.C_Sign = sign;
  shim.C_GenerateKeyPair = generate_key_pair;
}

}  // namespace

extern "C" CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
  const char* path = std::getenv("BIRTHMARK_SHIM_MODULE");
  void* library = ::dlopen(path != nullptr ? path : "/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_LOCAL);
  auto* const get = library == nullptr ? nullptr : reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  if (get == nullptr || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
  fill_in();
  *list = &shim;
  return CKR_OK;
}
