// SPDX-License-Identifier: Apache-2.0
// ZRegisterMsg from strangers, through to the serials and the certificate that policy looks at.
#include <eve.pb.h>

#include <cstdlib>

#include "core/onboarding_policy.h"
#include "crypto/certificate_reader.h"
#include "faces/eve/envelope.h"

using namespace birthmark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  eve::wire::ZRegisterMsg message;
  if (!message.ParseFromArray(data, static_cast<int>(size))) return 0;
  if (const auto der = faces::eve::read_wrapped_certificate(message.pemcert())) static_cast<void>(crypto::read_certificate(*der));
  const auto serials = core::read_serials(message.serial(), message.softserial());
  if (!serials) return 0;
  if (serials->hardware.size() > 256 || serials->soft.size() > 256) std::abort();
  const core::OnboardingRules rules;
  const auto telling = core::telling_serial(*serials, rules);
  if (telling && rules.is_placeholder(*telling) && *telling != serials->soft) std::abort();
  return 0;
}
