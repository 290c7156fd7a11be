// SPDX-License-Identifier: Apache-2.0
#include "api_server.h"

#include <sys/stat.h>

#include <charconv>

namespace birthmark::e2e {
namespace {

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace

ApiServer::ApiServer(Factory::Pki pki) : factory_(pki) {
  token_file_ = make_token("admin");
  token_ = trimmed(read_text(token_file_));
}

void ApiServer::serve(std::vector<std::string> listen) {
  server_.reset();
  ServerProcess::Options options;
  options.listen = std::move(listen);
  server_ = factory_.serve(options);
}

std::filesystem::path ApiServer::make_token(const std::string& scopes) {
  const std::filesystem::path file = factory_.scratch() / ("token" + std::to_string(++files_));
  write_text(file, factory_.command({"token", "create", "--scope", scopes, "--reason", "a test"}));
  require(::chmod(file.c_str(), 0600) == 0, "chmod");
  return file;
}

Answer ApiServer::ask(const std::string& method, const std::string& path, const std::string& body) {
  return ask_as(token_, method, path, body);
}

Answer ApiServer::ask_as(const std::string& token, const std::string& method, const std::string& path, const std::string& body) {
  std::string request = request_text(method, path, body);
  const bool unsized = !body.empty() && method != "POST";  // request_text() gives the others none
  if (unsized) request.insert(request.find("\r\n") + 2, "Content-Length: " + std::to_string(body.size()) + "\r\n");
  if (!token.empty()) request.insert(request.find("\r\n") + 2, "Osf-Token: " + token + "\r\n");
  const auto answer = e2e::ask(server_->port("api"), request, method == "HEAD");
  require(answer.has_value(), method + " " + path + ": no answer");
  return *answer;
}

Outcome ApiServer::ca(Arguments arguments) const {
  arguments.insert(arguments.begin(), "ca");
  for (const std::string& more :
       {std::string("--api"), url(), std::string("--factory"), std::string("acme"), std::string("--token-file"), token_file_.string()})
    arguments.push_back(more);
  return factory_.birthmark(arguments);
}

int ApiServer::visit_gateway(const std::string& certificate_pem, const std::string& key_pem, const std::filesystem::path& root) {
  const std::filesystem::path certificate = factory_.scratch() / ("visitor" + std::to_string(++files_) + ".pem");
  const std::filesystem::path key = certificate.string() + ".key";
  write_text(certificate, certificate_pem);
  write_text(key, key_pem);
  const std::string port = std::to_string(server_->port("gateway")), name = "x.ota-lite.example";
  const auto visit =
      run({"curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--max-time", "30", "--cacert", root, "--cert",
           certificate, "--key", key, "--resolve", name + ":" + port + ":127.0.0.1", "https://" + name + ":" + port + "/device"});
  int status = 0;
  std::from_chars(visit.output.data(), visit.output.data() + visit.output.size(), status);
  return status;
}

std::string ApiServer::gateway_certificate(const std::string& server_name) {
  const std::string port = std::to_string(server_->port("gateway"));
  const auto shown =
      run({"sh", "-c", "openssl s_client -connect 127.0.0.1:\"$0\" -servername \"$1\" </dev/null 2>/dev/null | openssl x509 -outform PEM",
           port, server_name});
  return shown.output;
}

}  // namespace birthmark::e2e
