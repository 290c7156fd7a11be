// SPDX-License-Identifier: Apache-2.0
#include "core/onboarding_keeper.h"

#include <algorithm>

#include "base/text.h"

namespace birthmark::core {
namespace {

constexpr std::size_t kLongestSerial = 256, kLongestName = 64, kShortFingerprint = 8;

bool is_one_line(std::string_view text) {
  return is_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Status check_serial(const std::string& serial) {
  if (!serial.empty() && serial.size() <= kLongestSerial && is_one_line(serial)) return {};
  return fail(ErrorCode::invalid, "a serial is one line of 1 to 256 bytes");
}

std::string policy_text(const OnboardingCertificate& certificate) {
  std::string text = certificate.any_serial ? "any" : "list";
  for (const std::string& glob : certificate.globs) text += " " + glob;
  return text;
}

std::string event_body(const std::string& what, Instant at, const OnboardingCertificate& certificate, const OperatorAct& act) {
  return audit_body(AuditEvent::config_changed, at,
                    {{"factory", certificate.factory},
                     {"what", what},
                     {"onboarding", to_hex(certificate.fingerprint.view())},
                     {"name", certificate.name},
                     {"admits", policy_text(certificate)},
                     {"places", certificate.places ? std::to_string(*certificate.places) : std::string()},
                     {"expires_at", certificate.expires_at ? format_rfc3339(*certificate.expires_at) : std::string()},
                     {"reason", act.reason},
                     {"actor", act.actor}});
}

}  // namespace

std::string OnboardingKeeper::name_for(const OnboardingOrder& order, const CertificateFacts& facts,
                                       const std::vector<OnboardingCertificate>& others) const {
  if (!order.name.empty()) return order.name;
  const auto names = facts.values(NameAttributeType::common_name);
  const std::string common = names.empty() ? std::string() : std::string(names.front());
  const bool taken = std::any_of(others.begin(), others.end(), [&](const OnboardingCertificate& other) { return other.name == common; });
  if (!common.empty() && common.size() <= kLongestName && is_one_line(common) && !taken) return common;
  return to_hex(facts.fingerprint.view()).substr(0, 16);
}

Task<Result<OnboardingCertificate>> OnboardingKeeper::put(OnboardingOrder order, OperatorAct act) {
  auto facts = codec_.read_certificate(order.der);
  if (!facts) co_return fail(ErrorCode::invalid, "the onboarding certificate cannot be read: " + facts.error().public_message);
  auto others = nodes_.certificates(order.factory);
  if (!others) co_return tl::make_unexpected(others.error());
  const auto known = std::find_if(others->begin(), others->end(),
                                  [&](const OnboardingCertificate& other) { return other.fingerprint == facts->fingerprint; });
  OnboardingCertificate wanted;
  if (known != others->end()) wanted = *known;
  if (known == others->end()) {
    wanted.factory = order.factory;
    wanted.fingerprint = facts->fingerprint;
    wanted.der = order.der;
    wanted.created_at = clock_.now();
    wanted.name = name_for(order, *facts, *others);
  } else if (!order.name.empty()) {
    wanted.name = order.name;
  }
  if (wanted.name.size() > kLongestName || !is_one_line(wanted.name))
    co_return fail(ErrorCode::invalid, "an onboarding certificate's name is one line of at most 64 bytes");
  if (order.any_serial) wanted.any_serial = *order.any_serial;
  if (order.globs) wanted.globs = *order.globs;
  if (order.places) wanted.places = order.places;
  if (order.expires_at) wanted.expires_at = order.expires_at;
  const auto star = std::remove(order.serials.begin(), order.serials.end(), "*");
  if (star != order.serials.end()) wanted.any_serial = true;
  order.serials.erase(star, order.serials.end());
  for (const auto* texts : {&order.serials, &wanted.globs})
    for (const std::string& text : *texts)
      if (auto good = check_serial(text); !good) co_return tl::make_unexpected(good.error());
  const Instant now = clock_.now();
  std::string body = event_body("onboarding-certificate", now, wanted, act);
  add_field(body, {"serials", std::to_string(order.serials.size())});
  co_return co_await nodes_.put_certificate(std::move(wanted), std::move(order.serials), order.list, std::move(body));
}

Result<OnboardingCertificate> OnboardingKeeper::named(const std::string& factory, std::string_view name) const {
  BIRTHMARK_TRY(auto all, nodes_.certificates(factory));
  const std::string lower = to_lower(name);
  for (OnboardingCertificate& one : all) {
    const bool by_print = lower.size() >= kShortFingerprint && to_hex(one.fingerprint.view()).starts_with(lower);
    if (one.name == name || by_print) return std::move(one);
  }
  return fail(ErrorCode::not_found, "there is no onboarding certificate " + std::string(name) + "; see birthmark onboard list");
}

Task<Result<OnboardingCertificate>> OnboardingKeeper::revoke(const std::string& factory, std::string name, OperatorAct act) {
  auto known = named(factory, name);
  if (!known) co_return tl::make_unexpected(known.error());
  const Instant now = clock_.now();
  std::string body = event_body("onboarding-revoked", now, *known, act);
  const RowId row = known->row;
  co_return co_await nodes_.revoke_certificate(row, now, std::move(body));
}

Task<Result<OnboardingCertificate>> OnboardingKeeper::accept(Knock knock, OnboardingRules rules, OperatorAct act) {
  const auto serial = telling_serial({knock.serial, knock.soft_serial}, rules);
  if (!serial)
    co_return fail(ErrorCode::conflict, "this node's serial '" + knock.serial +
                                            "' is shared by many machines and it has no soft serial: write one to its /config/soft_serial");
  OnboardingOrder order;
  order.factory = knock.factory;
  order.der = knock.onboarding_der;
  order.serials = {*serial};
  auto accepted = co_await put(std::move(order), std::move(act));
  if (!accepted) co_return tl::make_unexpected(accepted.error());
  const RowId row = knock.row;
  auto forgotten = co_await nodes_.forget_knock(row);
  if (!forgotten) co_return tl::make_unexpected(forgotten.error());
  co_return std::move(*accepted);
}

}  // namespace birthmark::core
