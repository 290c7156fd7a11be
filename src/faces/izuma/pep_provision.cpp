// SPDX-License-Identifier: Apache-2.0
// One gateway: connect, key or certificate request, certificate, injection, settlement. Whatever goes wrong after the certificate was
// recorded frees the serial number again, because the gateway may hold half of what it was sent (protocol facts, pep 5.2).
#include <array>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/text.h"
#include "faces/izuma/pep_face.h"

namespace birthmark::faces::izuma {
namespace {

net::Response json_body(std::string body) {
  return {.status = 200, .content_type = "application/json; charset=utf-8", .body = std::move(body), .headers = {}, .on_delivered = {}};
}

// The first sentence is the original's; what follows says what happened.
net::Response failure_response(const IdentityRequest& request, const std::string& reason) {
  net::Response response;
  response.status = 500;
  response.content_type = "text/html; charset=utf-8";
  response.body = "Make sure you are running fcc-example on the gateway with ip=" + request.address +
                  " at port=" + std::to_string(request.port) + ". " + reason + "\n";
  return response;
}

Error rejection(const FccReply& reply) {
  std::string text = "the Factory Configurator Client refused: " + describe_fcc_status(reply);
  const std::string advice = advice_for_fcc_status(reply.return_status);
  if (!advice.empty()) text += "; " + advice;
  return {ErrorCode::unavailable, std::move(text), {}};
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

}  // namespace

std::string enrollment_id(const Fingerprint& fingerprint, EnrollmentIdCase letters) {
  const std::string_view digits = letters == EnrollmentIdCase::upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string id = "A-";
  for (const std::uint8_t octet : fingerprint.octets) {
    if (id.size() > 2) id += ':';
    id += digits[octet >> 4U];
    id += digits[octet & 15U];
  }
  return id;
}

Task<net::Response> PepFace::provision(Attempt& attempt) {
  const IdentityRequest& request = attempt.request;
  const std::string target = request.target();
  auto standing = co_await parts_.keeper.look(request.serial_number, target, attempt.admission.origin.station);
  if (auto* refusal = std::get_if<core::Refusal>(&standing)) co_return co_await refuse(attempt, std::move(*refusal));
  if (const auto* recorded = std::get_if<core::GatewayRecord>(&standing)) co_return json_body(identity_document(*recorded));

  // Connecting is harmless; nothing is recorded for a gateway that is not there.
  auto opened = co_await FccSession::open(request.address, request.port, settings_.times, parts_.codec);
  Status ready = opened ? Status() : tl::make_unexpected(opened.error());
  if (opened) attempt.session = std::move(*opened);
  if (ready) {
    auto keyed = co_await obtain_key(attempt);
    ready = std::move(keyed);
  }
  if (!ready) {
    core::Refusal refusal{core::RefusalReason::not_provisioned,
                          core::RefusalKind::unavailable,
                          ready.error().public_message,
                          ready.error().describe(),
                          request.serial_number,
                          {}};
    const auto outcome = co_await parts_.enroller.refuse(attempt.enrollment, refusal);
    co_return failure_response(request, std::get<core::Refusal>(outcome).public_text);
  }
  auto outcome = co_await parts_.enroller.enroll(attempt.enrollment);
  if (auto* refusal = std::get_if<core::Refusal>(&outcome)) co_return refusal_response(*refusal);
  const core::Enrolled& enrolled = std::get<core::Enrolled>(outcome);
  BIRTHMARK_CRASH_POINT("pep.after_enroll");
  co_return co_await inject(attempt, enrolled);
}

Task<Status> PepFace::obtain_key(Attempt& attempt) {
  core::GatewayRequest& gateway = *attempt.enrollment.gateway;
  if (settings_.factory.key_mode == KeyMode::by_device) co_return co_await request_csr(attempt);
  const bool external = settings_.factory.key_mode == KeyMode::externally_supplied;
  auto made = external ? settings_.external_key(gateway.serial_number) : parts_.tools.make_key();
  if (!made) co_return forward_error(made);
  attempt.key = std::move(made->der);
  gateway.made_key = std::move(made->facts);
  co_return Status();
}

// The first message of a conversation that goes on (protocol facts, pep 5.7).
Task<Status> PepFace::request_csr(Attempt& attempt) {
  std::array<std::uint8_t, 8> octets{};
  if (auto filled = parts_.random.fill(octets); !filled) co_return forward_error(filled);
  attempt.session_id = "birthmark-" + to_hex(octets);
  const std::string subject = subject_text(settings_.factory.subject, attempt.request.serial_number);
  SecretBytes message = encode_csr_request(attempt.session_id, subject);
  auto reply = co_await attempt.session->exchange(std::move(message));
  if (!reply) co_return forward_error(reply);
  if (reply->return_status != 0) co_return tl::make_unexpected(rejection(*reply));
  if (reply->csrs.size() != 1 || reply->csrs.front().key_name != kBootstrapKeyName)
    co_return fail(ErrorCode::invalid, "the Factory Configurator Client sent no certificate request for its bootstrap key");
  attempt.enrollment.csr_der = std::move(reply->csrs.front().der);
  co_return Status();
}

Task<Status> PepFace::send_identity(Attempt& attempt, const core::Enrolled& enrolled) {
  const auto now = parts_.clock.trusted_now();
  if (!now) co_return tl::make_unexpected(now.error());
  Injection injection;
  injection.serial_number = attempt.request.serial_number;
  injection.private_key = attempt.key.empty() ? nullptr : &attempt.key;
  injection.session = attempt.session_id;
  injection.certificate = enrolled.certificate_der;
  if (const auto* issuer = enrolled.trust->by_row(enrolled.issuer)) injection.issuers.push_back(issuer->record.der);
  if (enrolled.trust->root) injection.issuers.push_back(enrolled.trust->root->der);
  injection.now = *now;
  if (settings_.factory.entropy_mode == EntropyMode::externally_supplied) injection.entropy = settings_.factory.entropy;
  if (settings_.factory.entropy_mode == EntropyMode::by_tool) {
    injection.entropy.resize(kEntropyOctets);
    if (auto filled = parts_.random.fill(injection.entropy); !filled) co_return forward_error(filled);
  }
  if (auto good = check_injection(settings_.factory, injection, parts_.codec); !good) co_return forward_error(good);
  SecretBytes message = encode_injection(settings_.factory, injection);
  attempt.key = SecretBytes();  // wiped: the message is all that still has it, and is wiped once it is sent
  auto reply = co_await attempt.session->exchange(std::move(message));
  if (!reply) co_return forward_error(reply);
  BIRTHMARK_CRASH_POINT("pep.after_injection");
  if (reply->return_status != 0) co_return tl::make_unexpected(rejection(*reply));
  if (!attempt.session_id.empty() && reply->session != attempt.session_id)
    co_return fail(ErrorCode::invalid, "the Factory Configurator Client answered for another session");
  if (!reply->warnings.empty())
    log::warning("gateway provisioned with warnings", {{"id", injection.serial_number}, {"warnings", joined(reply->warnings)}});
  co_return Status();
}

Task<net::Response> PepFace::inject(Attempt& attempt, const core::Enrolled& enrolled) {
  const Status sent = co_await send_identity(attempt, enrolled);
  attempt.session.reset();
  if (!sent) {
    Error why = sent.error();
    co_return co_await give_up(attempt, enrolled, std::move(why));
  }
  const std::string id = enrollment_id(enrolled.fingerprint, settings_.id_case);
  const std::string target = attempt.request.target();
  auto settled = co_await parts_.keeper.provisioned_now(enrolled, id, target);
  if (!settled) {
    Error why = std::move(settled.error());
    co_return co_await give_up(attempt, enrolled, std::move(why));
  }
  BIRTHMARK_CRASH_POINT("pep.after_settle");
  log::info("gateway provisioned", {{"id", attempt.request.serial_number}, {"target", target}, {"station", settled->station}});
  co_return json_body(identity_document(*settled));
}

Task<net::Response> PepFace::give_up(Attempt& attempt, const core::Enrolled& enrolled, Error why) {
  log::error("gateway not provisioned",
             {{"id", attempt.request.serial_number}, {"target", attempt.request.target()}, {"error", why.describe()}});
  const Status freed = co_await parts_.keeper.failed(enrolled.identity, enrolled.certificate, why.public_message);
  // The next request for that serial number, or the next start, frees it.
  if (!freed) log::error("gateway not settled", {{"id", attempt.request.serial_number}, {"error", freed.error().describe()}});
  co_return failure_response(attempt.request, why.public_message);
}

}  // namespace birthmark::faces::izuma
