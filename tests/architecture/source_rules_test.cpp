// SPDX-License-Identifier: Apache-2.0
// The rules fed with bad examples: a rule that finds nothing in these would find nothing in the tree either.
#include "source_rules.h"

#include <gtest/gtest.h>

#include "source_text.h"

namespace birthmark::architecture {
namespace {

struct Example {
  const char* path;
  const char* text;
};

std::string first_problem(const Findings& findings) {
  return findings.empty() ? std::string() : findings.front().problem;
}

TEST(IncludeDirection, ForbiddenOnesAreFound) {
  const Example forbidden[] = {
      {"src/base/text.cpp", "#include \"core/identity.h\"\n"},
      {"src/core/enroller.cpp", "#include \"crypto/x509_codec.h\"\n"},
      {"src/core/enroller.cpp", "  #  include   \"store/sqlite/sqlite_registry.h\"\n"},
      {"src/core/ports/clock.h", "#include \"net/http.h\"\n"},
      {"src/net/server.cpp", "#include \"core/identity.h\"\n"},
      {"src/crypto/x509_codec.cpp", "#include \"net/http.h\"\n"},
      {"src/crypto/x509_codec_test.cpp", "#include \"store/memory/memory_registry.h\"\n"},
      {"src/store/sqlite/sqlite_registry.cpp", "#include \"crypto/x509_codec.h\"\n"},
      {"src/faces/foundries/sign.cpp", "#include \"store/memory/memory_registry.h\"\n"},
      {"src/faces/foundries/sign.cpp", "#include \"crypto/private_key.h\"\n"},
      {"src/faces/foundries/sign.cpp", "#include \"faces/eve/onboard.h\"\n"},
      {"src/upstream/courier.cpp", "#include \"net/server.h\"\n"},
      {"src/device/register.cpp", "#include \"core/identity.h\"\n"},
      {"src/cli/device_list.cpp", "#include \"faces/foundries/sign.h\"\n"},
      {"src/core/enroller.h", "#include \"app/config.h\"\n"},
      {"src/misc/tool.cpp", "int x;\n"},
      {"src/core/enroller.h", "#include <base/result.h>\n"},
  };
  for (const Example& example : forbidden) {
    EXPECT_EQ(check_include_direction({example.path, example.text}).size(), 1U) << example.path << ": " << example.text;
  }
}

TEST(IncludeDirection, AllowedOnesPass) {
  const Example allowed[] = {
      {"src/core/enroller.cpp", "#include \"base/result.h\"\n#include \"core/ports/clock.h\"\n"},
      {"src/core/enroller_test.cpp", "#include \"crypto/x509_codec.h\"\n#include \"store/memory/memory_registry.h\"\n"},
      {"src/faces/foundries/sign.cpp",
       "#include \"faces/all_faces.h\"\n#include \"faces/foundries/sota_toml.h\"\n#include \"net/http.h\"\n"},
      {"src/faces/all_faces.cpp", "#include \"faces/foundries/sign.h\"\n#include \"faces/eve/onboard.h\"\n"},
      {"src/upstream/courier.cpp", "#include \"net/client.h\"\n#include \"core/ports/clock.h\"\n"},
      {"src/app/wiring.cpp", "#include \"store/sqlite/sqlite_registry.h\"\n#include \"faces/all_faces.h\"\n#include \"cli/command.h\"\n"},
      {"src/base/log.cpp", "// #include \"core/identity.h\"\n#include <vector>\n#include \"boost/asio/post.hpp\"\n"},
      {"tests/e2e/sign_test.cpp", "#include \"app/config.h\"\n"},
  };
  for (const Example& example : allowed) {
    const Findings findings = check_include_direction({example.path, example.text});
    EXPECT_TRUE(findings.empty()) << example.path << ": " << first_problem(findings);
  }
}

TEST(ForeignHeaders, EachHasItsOwners) {
  const Example forbidden[] = {
      {"src/core/issuer.cpp", "#include <openssl/evp.h>\n"},     {"src/net/server.cpp", "#include <openssl/ssl.h>\n"},
      {"src/store/memory/a.cpp", "#include <sqlite3.h>\n"},      {"src/faces/eve/a.cpp", "#include <boost/beast/http.hpp>\n"},
      {"src/core/a.cpp", "#include <spdlog/spdlog.h>\n"},        {"src/faces/eve/a.cpp", "#include <CLI/CLI.hpp>\n"},
      {"src/net/http.h", "#include <boost/asio.hpp>\n"},         {"src/net/http.h", "#include <boost/beast/http/parser.hpp>\n"},
      {"src/store/sqlite/a.cpp", "#include \"database.cpp\"\n"},
  };
  for (const Example& example : forbidden) {
    const SourceFile file{example.path, std::string(example.text) + "#pragma once\n"};
    EXPECT_EQ(check_foreign_headers(file).size(), 1U) << example.path << ": " << example.text;
  }
  EXPECT_TRUE(check_foreign_headers({"src/net/tls_context.cpp", "#include <openssl/ssl.h>\n"}).empty());
  EXPECT_TRUE(check_foreign_headers({"src/crypto/openssl.h", "#include <openssl/evp.h>\n"}).empty());
  EXPECT_TRUE(check_foreign_headers({"src/store/sqlite/database.cpp", "#include <sqlite3.h>\n"}).empty());
}

TEST(CoAwait, OnlyThreeShapesPass) {
  const char* const allowed[] = {
      "void f() { auto x = co_await g(named); }",
      "void f() { const auto x = co_await object.member_.g(named, other.part, *pointer); }",
      "void f() { auto& x = co_await pointer->g(); }",
      "void f() { co_await g(named); }",
      "void f() { const Result<a::B> x = co_await g(*named.part->other, std::move(*named)); }",
      "void f() { co_return co_await g(std::move(named)); }",
      "void f() {\n  auto answer =\n      co_await suspend<Result<Recorded>>(start);\n}",
      "void f() { if (ready(now)) co_await g(named); }",
      "// co_await f(a());\nconst char* x = \"co_await f(a())\";",
  };
  for (const char* text : allowed) {
    const Findings findings = check_co_await({"src/core/a.cpp", text});
    EXPECT_TRUE(findings.empty()) << text << "\n" << first_problem(findings);
  }
  const char* const forbidden[] = {
      "void f() { if (co_await g(named)) h(); }",
      "void f() { auto x = co_await g(h()); }",
      "void f() { auto x = co_await g(Aggregate{1}); }",
      "void f() { auto x = co_await g({1, 2}); }",
      "void f() { auto x = c ? co_await a() : b; }",
      "void f() { auto x = Aggregate{co_await a(), 1}; }",
      "void f() { h(co_await g(named)); }",
      "void f() { x = co_await g(named); }",
      "void f() { co_return (co_await g(named)).value(); }",
      "void f() { auto x = co_await g(named).then(); }",
      "void f() { auto x = co_await g([&] { return 1; }); }",
      "void f() { while (co_await g(named)) {} }",
      "void f() { auto x = co_await g(\"literal\"); }",
      "void f() { x = co_await g(named) + 1; }",
  };
  for (const char* text : forbidden) EXPECT_EQ(check_co_await({"src/core/a.cpp", text}).size(), 1U) << text;
}

TEST(BannedCalls, AreFoundWithTheirReplacement) {
  const char* const forbidden[] = {
      "int x = system(command);",   "auto* p = popen (command, mode);",   "sprintf(buffer, format);",
      "std::strcpy(a, b);",         "int r = std::rand() % 6;",           "using namespace std;",
      "void f() { std::exit(1); }", "auto t = std::localtime(&seconds);", "auto s = std::strerror(errno);",
  };
  for (const char* text : forbidden) EXPECT_EQ(check_banned_calls({"src/core/a.cpp", text}).size(), 1U) << text;
  EXPECT_NE(first_problem(check_banned_calls({"src/core/a.cpp", "int r = rand();"})).find("core::Random"), std::string::npos);
  const char* const allowed[] = {
      "// system(command)",
      "using namespace std::chrono_literals;",
      "auto t = \"system(x)\";",
      "clock.system(now);",
      "std::chrono::system_clock::now();",
      "widgets(1);",
      "pointer->exit(1);",
      "std::snprintf(a, b, c);",
  };
  for (const char* text : allowed) {
    const Findings findings = check_banned_calls({"src/core/a.cpp", text});
    EXPECT_TRUE(findings.empty()) << text << "\n" << first_problem(findings);
  }
  EXPECT_TRUE(check_banned_calls({"src/app/main.cpp", "std::exit(2);"}).empty());
}

TEST(Opening, SpdxThenAPurpose) {
  EXPECT_TRUE(check_opening({"src/a/b.cpp", "// SPDX-License-Identifier: Apache-2.0\n// What it is.\n"}).empty());
  EXPECT_TRUE(check_opening({"src/a/b.cpp", "// SPDX-License-Identifier: Apache-2.0\n#include \"a/b.h\"\n"}).empty());
  EXPECT_TRUE(check_opening({"src/a/b_test.cpp", "// SPDX-License-Identifier: Apache-2.0\n#include \"a/b.h\"\n"}).empty());
  EXPECT_EQ(check_opening({"src/a/c_test.cpp", "// SPDX-License-Identifier: Apache-2.0\n#include \"a/b.h\"\n"}).size(), 1U);
  EXPECT_EQ(check_opening({"src/a/b.cpp", "#include <vector>\n"}).size(), 1U);
  EXPECT_EQ(check_opening({"src/a/b.cpp", "// SPDX-License-Identifier: Apache-2.0\n#include <vector>\n"}).size(), 1U);
  EXPECT_EQ(check_opening({"src/a/b.cpp", ""}).size(), 1U);
  EXPECT_EQ(check_opening({"src/a/b.h", "// SPDX-License-Identifier: Apache-2.0\n// What it is.\n"}).size(), 1U);
}

TEST(Sql, StaysInTheStore) {
  EXPECT_EQ(check_sql_stays_home({"src/cli/list.cpp", "auto q = \"SELECT id FROM device\";\n"}).size(), 1U);
  EXPECT_TRUE(check_sql_stays_home({"src/store/sqlite/list.cpp", "auto q = \"SELECT id FROM device\";\n"}).empty());
  EXPECT_TRUE(check_sql_stays_home({"src/cli/list.cpp", "auto q = \"select a device\"; // \"SELECT \"\n"}).empty());
}

TEST(HeavyHeaders, AreRecognised) {
  EXPECT_TRUE(includes_heavy_header({"src/net/a.cpp", "#include <boost/beast/http/parser.hpp>\n"}));
  EXPECT_TRUE(includes_heavy_header({"src/net/a.cpp", "#include <boost/asio.hpp>\n"}));
  EXPECT_FALSE(includes_heavy_header({"src/net/a.cpp", "#include <boost/asio/post.hpp>\n"}));
}

TEST(FunctionLengths, AreMeasuredAtNamespaceScope) {
  const SourceFile file{"src/a/b.cpp",
                        "namespace a {\n\nint f() {\n  return 1;\n}\n\nint g(int a,\n      int b) {\n  if (a) {\n  }\n  return b;\n}\n\n"
                        "constexpr int kTable[] = {\n    1,\n};\n\nclass C {\n  int h() {\n    return 1;\n  }\n};\n}  // namespace a\n"};
  const auto functions = measure_functions(file);
  ASSERT_EQ(functions.size(), 2U);
  EXPECT_EQ(functions[0].line, 3U);
  EXPECT_EQ(functions[0].lines, 3U);
  EXPECT_EQ(functions[1].lines, 5U);
}

TEST(SourceText, BlanksCommentsAndLiteralsInPlace) {
  EXPECT_EQ(without_comments_and_literals("a /* b */ c // d\ne"), "a         c     \ne");
  EXPECT_EQ(without_comments_and_literals("f(\"a\\\"b\", 'c', 1'000)"), "f(\"    \", ' ', 1'000)");
  EXPECT_EQ(without_comments("f(\"// kept\"); // gone"), "f(\"// kept\");        ");
  const std::string raw = "R\"x(a\")\")x\" b";
  EXPECT_EQ(without_comments_and_literals(raw).size(), raw.size());
  EXPECT_EQ(without_comments_and_literals(raw).substr(raw.size() - 2), " b");
}

}  // namespace
}  // namespace birthmark::architecture
