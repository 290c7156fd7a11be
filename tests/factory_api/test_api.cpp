// SPDX-License-Identifier: Apache-2.0
#include "test_api.h"

#include "base/file.h"
#include "core/token_keeper.h"
#include "crypto/x509_codec.h"
#include "faces/factory_api/certs_resource.h"
#include "store/sqlite/sqlite_registry.h"

namespace birthmark::testing {

// The port without a thread of its own.
class TestApi::Desk final : public core::FactoryPki {
 public:
  explicit Desk(crypto::PkiKeeper::Parts parts) : keeper_(std::move(parts)) {}
  Result<core::PkiStanding> standing() override { return keeper_.standing(); }
  Task<Result<core::CertificateRequests>> request(core::CertificateOrder order, std::string actor) override {
    co_return keeper_.request(order, actor);
  }
  Task<Status> submit(core::PkiSubmission submission, std::string actor) override { co_return keeper_.submit(submission, actor); }

 private:
  crypto::PkiKeeper keeper_;
};

TestApi::TestApi(Instant now, const std::string& owner) : clock(now), keys(directory.path() / "keys"), users_(owner) {
  if (!make_directory(directory.path() / "keys", 0700)) std::abort();
  codec = must(crypto::make_x509_codec());
  random = crypto::make_system_random();
  store::SqliteOptions options;
  options.path = directory.path() / "birthmark.db";
  auto opened = must(store::SqliteRegistry::open(options, *codec));
  tokens = &opened->tokens();
  registry = std::move(opened);
  cache_ = std::make_unique<core::TokenCache>(*tokens, *registry, *codec, "acme");
  const auto held = [this] {
    auto all = imported_keys;
    for (const crypto::HeldKey& key : keys.held()) all.emplace_back(key.file_name, key.spki);
    return all;
  };
  const auto reload = [this] {
    ++reloads;
    return Status();
  };
  desk_ = std::make_unique<Desk>(crypto::PkiKeeper::Parts{*registry,
                                                          *codec,
                                                          clock,
                                                          keys,
                                                          held,
                                                          reload,
                                                          "acme",
                                                          {"gw.acme.example", "ostree.acme.example", "est.acme.example"},
                                                          [this](std::string_view user) { return users_.knows(user); }});
  std::vector<std::unique_ptr<faces::factory_api::Authenticator>> authenticators;
  authenticators.push_back(std::make_unique<faces::factory_api::TokenAuthenticator>(*cache_, users_));
  std::vector<std::unique_ptr<faces::factory_api::Resource>> resources;
  resources.push_back(std::make_unique<faces::factory_api::CertsResource>(*desk_, "acme"));
  face_ = std::make_unique<faces::factory_api::FactoryApiFace>("acme", clock, std::move(authenticators), std::move(resources));
  token = make_token("admin");
}

TestApi::~TestApi() = default;

std::string TestApi::make_token(std::string_view scopes) {
  core::TokenKeeper keeper(*tokens, *codec, clock, *random);
  return must(run_task(keeper.create({"acme", must(core::Scopes::parse(scopes)), {}, {}}, {"a test", "test"}))).text;
}

std::string TestApi::Answer::text(std::string_view member) const {
  const auto* object = body.if_object();
  const auto* value = object == nullptr ? nullptr : object->if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

TestApi::Answer TestApi::ask(std::string_view method, std::string_view path, std::string_view body) {
  return ask_as(token, method, path, body);
}

TestApi::Answer TestApi::ask_as(const std::string& caller, std::string_view method, std::string_view path, std::string_view body,
                                std::string_view content_type) {
  net::Request request;
  request.method = method;
  const std::size_t question = path.find('?');
  request.path = path.substr(0, question);
  if (question != std::string_view::npos) request.query = path.substr(question + 1);
  request.body = body;
  if (!body.empty()) request.content_type = content_type;
  if (!caller.empty()) request.headers.emplace_back("Osf-Token", caller);
  request.peer.address = "127.0.0.1";
  net::Response response = run_task(face_->handle(request));
  Answer answer;
  answer.status = response.status;
  answer.headers = std::move(response.headers);
  boost::system::error_code failure;
  answer.body = boost::json::parse(response.body, failure);
  return answer;
}

crypto::CeremonyTools TestApi::tools() {
  return {*random, clock.now(), [](const std::string&) {}};
}

std::string TestApi::contents(const std::string& file) const {
  return must(read_file(pki() / file));
}

void TestApi::set_up_pki() {
  const Answer requests = ask("POST", certs, R"({"first-time-init":true,"ca-csr":true,"est-tls-csr":false,"tls-csr":true})");
  const auto csr_directory = directory.path() / "csr";
  if (!make_directory(csr_directory, 0700)) std::abort();
  if (!replace_file(csr_directory / "tls.csr", requests.text("tls-csr"), 0600)) std::abort();
  if (!replace_file(csr_directory / "online-ca.csr", requests.text("ca-csr"), 0600)) std::abort();
  crypto::CreateRequest create;
  create.directory = pki();
  create.factory = "acme";
  create.owner = kOwner;
  create.csr_directory = csr_directory;
  static_cast<void>(must(crypto::create_pki(tools(), create)));
  const Answer done = patch({{"root-crt", contents("factory_ca.pem")},
                             {"tls-crt", contents("tls-crt")},
                             {"ca-crt", contents("online-crt") + "\n" + contents("local-ca.pem")}});
  if (done.status == 200) return;
  std::fprintf(stderr, "test set-up failed: %d %s\n", done.status, done.message().c_str());
  std::abort();
}

}  // namespace birthmark::testing
