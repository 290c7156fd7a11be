// SPDX-License-Identifier: Apache-2.0
#include "app/fcu_file.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

#include "base/file.h"

namespace birthmark::app {
namespace {

using faces::izuma::EntropyMode;
using faces::izuma::FactorySettings;
using faces::izuma::KeyMode;

constexpr std::size_t kLongestFile = 256U << 10U;
constexpr std::size_t kDeepest = 16;
constexpr std::size_t kMostAliases = 32;
constexpr std::size_t kMostEvents = 4096;

std::size_t line_at(std::string_view text, std::size_t at) {
  return 1 + static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

// <%= ENV['NAME'] %>; anything else between <% and %> is a program, which is not run.
std::optional<std::string> variable_of(std::string_view inside) {
  const auto skip = [&inside] {
    while (!inside.empty() && (inside.front() == ' ' || inside.front() == '\t')) inside.remove_prefix(1);
  };
  const auto take = [&](std::string_view word) {
    skip();
    if (!inside.starts_with(word)) return false;
    inside.remove_prefix(word.size());
    return true;
  };
  if (!take("=") || !take("ENV") || !take("[")) return std::nullopt;
  skip();
  if (inside.empty() || (inside.front() != '\'' && inside.front() != '"')) return std::nullopt;
  const char quote = inside.front();
  const std::size_t end = inside.find(quote, 1);
  if (end == std::string_view::npos) return std::nullopt;
  std::string name(inside.substr(1, end - 1));
  inside.remove_prefix(end + 1);
  if (!take("]")) return std::nullopt;
  skip();
  return inside.empty() ? std::optional(std::move(name)) : std::nullopt;
}

bool is_one_line(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string expand(std::string_view text, const EnvironmentLookup& environment, std::vector<std::string>& problems) {
  std::string expanded;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = text.find("<%", at);
    expanded += text.substr(at, open == std::string_view::npos ? open : open - at);
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find("%>", open);
    const std::string line = "line " + std::to_string(line_at(text, open));
    if (close == std::string_view::npos) {
      problems.push_back(line + ": <% without %>");
      break;
    }
    at = close + 2;
    const auto name = variable_of(text.substr(open + 2, close - open - 2));
    const auto value = name ? environment(*name) : std::nullopt;
    if (!name)
      problems.push_back(line + ": only <%= ENV['NAME'] %> is understood, no other ERB");
    else if (!value)
      problems.push_back(line + ": the environment variable " + *name + " is not set");
    else if (!is_one_line(*value))
      problems.push_back(line + ": the environment variable " + *name + " has control characters in it");
    else
      expanded += *value;
  }
  return expanded;
}

// Counts before anything is built.
class Surveyor final : public YAML::EventHandler {
 public:
  [[nodiscard]] bool good() const { return deepest_ <= kDeepest && aliases_ <= kMostAliases && events_ <= kMostEvents; }
  void OnDocumentStart(const YAML::Mark&) override { count(); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override { count(); }
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {
    count();
    ++aliases_;
  }
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override { count(); }
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override { deeper(); }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override { deeper(); }
  void OnMapEnd() override { --depth_; }

 private:
  struct Excess {};

 public:
  using TooMuch = Excess;

 private:
  void count() {
    if (++events_ > kMostEvents || aliases_ > kMostAliases) throw Excess();
  }
  void deeper() {
    count();
    deepest_ = std::max(deepest_, ++depth_);
    if (depth_ > kDeepest) throw Excess();
  }
  std::size_t depth_ = 0, deepest_ = 0, aliases_ = 0, events_ = 0;
};

// Brackets nest before the parser makes an event of them: it recurses as deep as they stand.
bool nests_too_deep(std::string_view text) {
  std::size_t depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    if (depth > kDeepest) return true;
  }
  return false;
}

// The library throws; nothing leaves this function that way.
std::optional<YAML::Node> parse(const std::string& text, std::vector<std::string>& problems) {
  if (nests_too_deep(text)) {
    problems.emplace_back("the file nests too deep");
    return std::nullopt;
  }
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    Surveyor surveyor;
    while (parser.HandleNextDocument(surveyor)) {
    }
    return YAML::Load(text);
  } catch (const Surveyor::TooMuch&) {
    problems.emplace_back("the file nests too deep, or has too many entries or aliases");
  } catch (const YAML::Exception& error) {
    problems.push_back("line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
  } catch (const std::exception& error) {
    problems.push_back(std::string("the file is not YAML: ") + error.what());
  }
  return std::nullopt;
}

// One mapping's keys, each asked for once; what nobody asked for is told.
class MapReader {
 public:
  MapReader(const YAML::Node& node, std::string prefix, FcuReading& reading) : node_(node), prefix_(std::move(prefix)), reading_(reading) {
    if (node_.IsDefined() && !node_.IsNull() && !node_.IsMap()) reading_.problems.push_back(title("") + "must be a mapping");
  }

  [[nodiscard]] std::optional<std::string> text(const std::string& key) {
    known_.push_back(key);
    const YAML::Node value = find(key);
    if (!value.IsDefined() || value.IsNull()) return std::nullopt;
    if (value.IsScalar()) return value.Scalar();
    reading_.problems.push_back(title(key) + "must be a single value");
    return std::nullopt;
  }
  // The first of several spellings that is there.
  [[nodiscard]] std::optional<std::string> any(std::initializer_list<const char*> keys) {
    std::optional<std::string> found;
    for (const char* key : keys) {
      auto value = text(key);
      if (!found) found = std::move(value);
    }
    return found;
  }
  void text(const std::string& key, std::string& to) {
    if (auto value = text(key)) to = std::move(*value);
  }
  void flag(const std::string& key, bool& to) {
    const auto value = text(key);
    if (!value) return;
    if (*value != "true" && *value != "false") {
      reading_.problems.push_back(title(key) + "must be true or false, not '" + *value + "'");
      return;
    }
    to = *value == "true";
  }
  template <class Number>
  void number(const std::string& key, Number& to, std::uint64_t most) {
    const auto value = text(key);
    if (!value) return;
    char* end = nullptr;
    const std::uint64_t number = std::strtoull(value->c_str(), &end, 10);
    const bool digits = !value->empty() && std::all_of(value->begin(), value->end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || value->size() > 18 || number > most) {
      reading_.problems.push_back(title(key) + "must be a whole number up to " + std::to_string(most) + ", not '" + *value + "'");
      return;
    }
    to = static_cast<Number>(number);
  }
  void uuid(const std::string& key, std::optional<Uuid>& to) {
    const auto value = text(key);
    if (!value || value->empty()) return;
    to = parse_uuid(*value);
    if (!to) reading_.problems.push_back(title(key) + "must be a UUID (RFC 4122), not '" + *value + "'");
  }
  [[nodiscard]] YAML::Node child(const std::string& key) {
    known_.push_back(key);
    return find(key);
  }
  void ignore(std::initializer_list<const char*> keys) { known_.insert(known_.end(), keys.begin(), keys.end()); }
  void finish() {
    if (!node_.IsDefined() || !node_.IsMap()) return;
    for (const auto& entry : node_) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : std::string("(no text)");
      if (std::find(known_.begin(), known_.end(), key) == known_.end())
        reading_.warnings.push_back(title(key) + "is not known and has no effect");
    }
  }

 private:
  [[nodiscard]] YAML::Node find(const std::string& key) const {
    if (!node_.IsDefined() || !node_.IsMap()) return YAML::Node(YAML::NodeType::Undefined);
    for (const auto& entry : node_) {
      if (entry.first.IsScalar() && entry.first.Scalar() == key) return entry.second;
    }
    return YAML::Node(YAML::NodeType::Undefined);
  }
  [[nodiscard]] std::string title(const std::string& key) const {
    return prefix_ + key + (prefix_.empty() && key.empty() ? "the file " : " ");
  }

  const YAML::Node node_;
  const std::string prefix_;
  FcuReading& reading_;
  std::vector<std::string> known_;
};

template <class Mode>
void take_mode(MapReader& map, const std::string& key, Mode& to, FcuReading& reading) {
  const auto value = map.text(key);
  if (!value) return;
  if (*value == "by_tool")
    to = Mode::by_tool;
  else if (*value == "by_device")
    to = Mode::by_device;
  else if (*value == "externally_supplied")
    to = Mode::externally_supplied;
  else
    reading.problems.push_back(key + " must be by_tool, by_device or externally_supplied, not '" + *value + "'");
}

void read_subject(const YAML::Node& node, FcuReading& reading) {
  MapReader map(node, "device-certificate.", reading);
  const auto take = [&](const char* type, std::initializer_list<const char*> keys) {
    auto value = map.any(keys);
    if (value && !value->empty()) reading.settings.subject.push_back({type, std::move(*value)});
  };
  take("C", {"country", "country-name", "C", "c"});
  take("ST", {"state", "state-name", "state-or-province", "ST", "st"});
  take("L", {"locality", "locality-name", "L", "l"});
  take("O", {"organization", "organization-name", "O", "o"});
  take("OU", {"organization-unit", "organizational-unit", "organization-unit-name", "organizational-unit-name", "OU", "ou"});
  map.ignore({"common-name", "CN"});  // it is the endpoint name
  map.finish();
}

void read_device_info(const YAML::Node& node, FcuReading& reading) {
  MapReader map(node, "device-info.", reading);
  faces::izuma::DeviceInfo& info = reading.settings.device_info;
  map.text("manufacturer", info.manufacturer);
  map.text("model-number", info.model_number);
  map.text("device-type", info.device_type);
  map.text("hardware-version", info.hardware_version);
  map.number("memory-total-kb", info.memory_total_kb, 0xffffffffU);
  map.text("timezone", info.timezone);
  map.text("utc-offset", info.utc_offset);
  map.ignore({"serial-number"});
  map.finish();
}

void read_custom(const YAML::Node& node, FcuReading& reading) {
  if (!node.IsDefined() || node.IsNull()) return;
  if (!node.IsMap()) return reading.problems.emplace_back("custom-properties must be a mapping"), void();
  for (const auto& entry : node) {
    if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
      reading.problems.emplace_back("custom-properties: every entry must be a name with a single value");
      continue;
    }
    reading.settings.custom.push_back({entry.first.Scalar(), entry.second.Scalar()});
  }
}

bool is_filled(const YAML::Node& node) {
  if (!node.IsDefined() || !node.IsMap()) return false;
  return std::any_of(node.begin(), node.end(), [](const auto& entry) { return entry.second.IsScalar() && !entry.second.Scalar().empty(); });
}

void read_root(const YAML::Node& root, FcuReading& reading) {
  FactorySettings& settings = reading.settings;
  MapReader map(root, "", reading);
  bool use_bootstrap = true;
  settings.first_to_claim = false;
  map.flag("use-bootstrap", use_bootstrap);
  if (!use_bootstrap) reading.problems.emplace_back("use-bootstrap: false (LwM2M without bootstrap) cannot be provisioned by this server");
  map.flag("first-to-claim", settings.first_to_claim);
  map.flag("time-sync", settings.time_sync);
  map.flag("verify-on-device", settings.verify_on_device);
  auto uri = map.text("bootstrap-server-uri");
  auto claim_uri = map.text("bootstrap-server-uri-first-to-claim");
  auto& chosen = settings.first_to_claim && claim_uri ? claim_uri : uri;
  settings.bootstrap_server_uri = chosen ? std::move(*chosen) : std::string();
  map.text("account-id", settings.account_id);
  read_device_info(map.child("device-info"), reading);
  if (const auto file = map.text("update-auth-certificate-file")) reading.update_certificate_file = *file;
  map.uuid("vendor-id", settings.vendor_id);
  map.uuid("class-id", settings.class_id);
  take_mode(map, "device-key-generation-mode", settings.key_mode, reading);
  take_mode(map, "entropy-generation-mode", settings.entropy_mode, reading);
  read_subject(map.child("device-certificate"), reading);
  map.number("device-certificate-chain-depth", settings.chain_depth, 4);
  read_custom(map.child("custom-properties"), reading);
  if (is_filled(map.child("certificate-authority")))
    reading.warnings.emplace_back("certificate-authority is filled in, but the CA is your own (keystore/CA_cert.pem); it has no effect");
  map.ignore({"setup-ca-as-intermediate", "secure-storage-type", "secure-hardware-components", "device-private-keys-in-field-generation"});
  map.finish();
}

}  // namespace

FcuReading read_fcu_text(std::string_view text, const EnvironmentLookup& environment) {
  FcuReading reading;
  if (text.size() > kLongestFile) {
    reading.problems.emplace_back("the file is larger than 256 KB");
    return reading;
  }
  const std::string expanded = expand(text, environment, reading.problems);
  if (!reading.problems.empty()) return reading;
  const auto root = parse(expanded, reading.problems);
  if (!root) return reading;
  try {
    read_root(*root, reading);
  } catch (const YAML::Exception& error) {
    reading.problems.push_back("line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
  return reading;
}

FcuReading read_fcu_directory(const std::filesystem::path& directory) {
  FcuReading reading;
  const auto text = read_file(directory / "fcu.yml", kLongestFile);
  if (!text) {
    reading.problems.push_back(text.error().public_message);
    return reading;
  }
  const auto environment = [&](const std::string& name) -> std::optional<std::string> {
    if (const char* value = std::getenv(name.c_str()); value != nullptr) return std::string(value);
    if (name == "FCU_RESOURCES_DIR" || name == "FCU_HOME_DIR") return directory.string();
    return std::nullopt;
  };
  reading = read_fcu_text(*text, environment);
  if (!reading.update_certificate_file.empty()) reading.update_certificate_file = directory / reading.update_certificate_file;
  return reading;
}

}  // namespace birthmark::app
