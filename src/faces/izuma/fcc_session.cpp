// SPDX-License-Identifier: Apache-2.0
#include "faces/izuma/fcc_session.h"

#include <array>

#include "faces/izuma/fcc_frame.h"

namespace birthmark::faces::izuma {

Task<Result<std::unique_ptr<FccSession>>> FccSession::open(std::string address, std::uint16_t port, FccTimes times,
                                                           const core::X509Codec& codec) {
  const net::Deadline deadline = std::chrono::steady_clock::now() + times.connect;
  auto opened = co_await net::OutgoingConnection::open(address, port, deadline);
  if (!opened) co_return forward_error(opened);
  co_return std::unique_ptr<FccSession>(new FccSession(std::move(*opened), times, codec));
}

Task<Result<FccReply>> FccSession::exchange(SecretBytes message) {
  const net::Deadline deadline = std::chrono::steady_clock::now() + times_.exchange;
  const SecretBytes frame = frame_request(message, codec_);
  message = SecretBytes();  // wiped; the answer may take minutes
  const std::string_view octets = as_text(frame);
  auto sent = co_await connection_->send(octets, deadline);
  if (!sent) co_return forward_error(sent);
  co_return co_await receive(deadline);
}

Task<Result<FccReply>> FccSession::receive(net::Deadline deadline) {
  ResponseFrame frame;
  std::array<char, 2048> buffer{};
  const std::span<char> space(buffer);
  while (!frame.complete()) {
    auto got = co_await connection_->receive(space, deadline);
    if (!got) co_return forward_error(got);
    if (*got == 0) {
      const std::string_view when = frame.begun() ? "in the middle of its answer" : "without an answer";
      co_return fail(ErrorCode::unavailable, "the Factory Configurator Client closed the connection " + std::string(when));
    }
    if (auto fed = frame.feed({buffer.data(), *got}, codec_); !fed) co_return forward_error(fed);
  }
  co_return parse_fcc_reply(frame.message());
}

}  // namespace birthmark::faces::izuma
