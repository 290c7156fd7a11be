// SPDX-License-Identifier: Apache-2.0
// The factory's PKI for faces: crypto/pki/pki_keeper on a thread of its own, since making keys, syncing files and reloading trust must not
// hold a network thread up.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "core/ports/factory_pki.h"
#include "crypto/pki/pki_keeper.h"

namespace birthmark::app {

class PkiDesk final : public core::FactoryPki {
 public:
  // The shelf must outlive it, as must everything in `parts`.
  explicit PkiDesk(crypto::PkiKeeper::Parts parts);
  ~PkiDesk() override;  // finishes what it was asked
  PkiDesk(const PkiDesk&) = delete;
  PkiDesk& operator=(const PkiDesk&) = delete;

  [[nodiscard]] Result<core::PkiStanding> standing() override { return keeper_.standing(); }
  [[nodiscard]] Task<Result<core::CertificateRequests>> request(core::CertificateOrder order, std::string actor) override;
  [[nodiscard]] Task<Status> submit(core::PkiSubmission submission, std::string actor) override;

 private:
  // Runs `work` on the desk's thread and answers on the caller's.
  template <class T>
  [[nodiscard]] Task<T> at_the_desk(std::function<T()> work);
  void run();

  crypto::PkiKeeper keeper_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace birthmark::app
