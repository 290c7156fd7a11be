// SPDX-License-Identifier: Apache-2.0
// The words and markup of the approval page. Everything that is put into it is escaped here.
#pragma once

#include <string>
#include <string_view>

#include "core/ports/api_access.h"
#include "net/http.h"

namespace birthmark::faces::factory_api {

[[nodiscard]] std::string html_escaped(std::string_view text);

// A whole page with headers that keep other sites, caches and scripts out. `heading` and `problem` are texts, `content` is markup.
[[nodiscard]] net::Response approval_page(int status, std::string_view heading, std::string_view problem, const std::string& content);

[[nodiscard]] std::string login_form(std::string_view factory, std::string_view code);
[[nodiscard]] std::string code_form(std::string_view code, std::string_view proof, std::string_view who);
[[nodiscard]] std::string decision_form(const core::AuthorizationRecord& asked, std::string_view proof, std::string_view who, Instant now);
[[nodiscard]] std::string outcome_text(const core::AuthorizationRecord& decided);

}  // namespace birthmark::faces::factory_api
