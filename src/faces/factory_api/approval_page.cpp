// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/approval_page.h"

namespace birthmark::faces::factory_api {
namespace {

constexpr std::string_view kStyle =
    "body{font:1.1rem/1.5 system-ui,sans-serif;margin:0;color:#1b1b1b;background:#fff}"
    "main{max-width:34rem;margin:2rem auto;padding:0 1rem}h1{font-size:1.5rem}"
    "label{display:block;font-weight:600;margin-top:1rem}"
    "input{font:inherit;padding:.5rem;width:100%;box-sizing:border-box;border:2px solid #555;border-radius:.3rem}"
    "button{font:inherit;font-weight:600;padding:.6rem 1.4rem;margin:1.2rem 1rem 0 0;border:2px solid #14508c;border-radius:.3rem;"
    "background:#14508c;color:#fff}button.no{background:#fff;color:#9b1c1c;border-color:#9b1c1c}"
    ":focus-visible{outline:3px solid #e08a00;outline-offset:2px}"
    ".problem{border-left:.4rem solid #9b1c1c;padding:.4rem .8rem;background:#fbeaea}"
    "dt{font-weight:600;margin-top:.6rem}dd{margin:0;overflow-wrap:anywhere}.hint{color:#444}";

constexpr const char* kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

std::string hidden(std::string_view name, std::string_view value) {
  return "<input type=\"hidden\" name=\"" + std::string(name) + "\" value=\"" + html_escaped(value) + "\">";
}

std::string term(std::string_view name, std::string_view value) {
  return "<dt>" + html_escaped(name) + "</dt><dd>" + html_escaped(value) + "</dd>";
}

std::string footer(std::string_view who, std::string_view proof) {
  return "<form method=\"post\" action=\"/oauth/device\">" + hidden("proof", proof) + "<p class=\"hint\">You act as " + html_escaped(who) +
         ". <button class=\"no\" name=\"action\" value=\"leave\">Log out</button></p></form>";
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

net::Response approval_page(int status, std::string_view heading, std::string_view problem, const std::string& content) {
  net::Response page;
  page.status = status;
  page.content_type = "text/html; charset=utf-8";
  page.body = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>" + html_escaped(heading) +
              "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>" + std::string(kStyle) +
              "</style>\n</head>\n<body>\n<main>\n<h1>" + html_escaped(heading) + "</h1>\n";
  if (!problem.empty()) page.body += "<p class=\"problem\" role=\"alert\">" + html_escaped(problem) + "</p>\n";
  page.body += content + "\n</main>\n</body>\n</html>\n";
  page.headers.emplace_back("Content-Security-Policy", kPolicy);
  page.headers.emplace_back("X-Frame-Options", "DENY");
  page.headers.emplace_back("X-Content-Type-Options", "nosniff");
  page.headers.emplace_back("Referrer-Policy", "same-origin");  // with less, a browser would not say where a form comes from
  page.headers.emplace_back("Cache-Control", "no-store");
  return page;
}

std::string login_form(std::string_view factory, std::string_view code) {
  return "<p>A device wants to register with the factory <strong>" + html_escaped(factory) +
         "</strong>. Log in with an API token that may create devices.</p>\n"
         "<form method=\"post\" action=\"/oauth/device\">" +
         hidden("action", "login") + hidden("user_code", code) +
         "<label for=\"token\">API token</label>"
         "<input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"off\" required autofocus>"
         "<button>Log in</button></form>";
}

std::string code_form(std::string_view code, std::string_view proof, std::string_view who) {
  return "<form method=\"post\" action=\"/oauth/device\">" + hidden("action", "look") + hidden("proof", proof) +
         "<label for=\"code\">The code that the device shows</label>"
         "<input id=\"code\" name=\"user_code\" value=\"" +
         html_escaped(code) +
         "\" autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\" maxlength=\"20\" required autofocus "
         "aria-describedby=\"hint\"><p id=\"hint\" class=\"hint\">Eight letters, like BCDF-GHJK.</p><button>Continue</button></form>\n" +
         footer(who, proof);
}

std::string decision_form(const core::AuthorizationRecord& asked, std::string_view proof, std::string_view who, Instant now) {
  const auto left = std::chrono::duration_cast<std::chrono::minutes>(asked.expires_at - now).count();
  return "<p>Does the device in front of you show this code? Approve nothing that you did not start.</p>\n<dl>" +
         term("Code", asked.user_code) + term("Device", asked.device) + term("Asks from", asked.address) + term("Factory", asked.factory) +
         term("Since", format_rfc3339(asked.created_at)) + term("Time left", std::to_string(left) + " minutes") +
         "</dl>\n<form method=\"post\" action=\"/oauth/device\">" + hidden("user_code", asked.user_code) + hidden("proof", proof) +
         "<button name=\"action\" value=\"approve\">Approve</button>"
         "<button class=\"no\" name=\"action\" value=\"refuse\">Refuse</button></form>\n<p class=\"hint\">You act as " +
         html_escaped(who) + ".</p>";
}

std::string outcome_text(const core::AuthorizationRecord& decided) {
  const bool approved = decided.state == core::AuthorizationState::approved;
  return "<p role=\"status\">Device <strong>" + html_escaped(decided.device) + "</strong> " +
         (approved ? "may register now; it goes on by itself within seconds." : "was refused; it is told so within seconds.") +
         "</p>\n<p><a href=\"/oauth/device\">Another device</a></p>";
}

}  // namespace birthmark::faces::factory_api
