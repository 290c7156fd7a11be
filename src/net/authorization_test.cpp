// SPDX-License-Identifier: Apache-2.0
#include "net/authorization.h"

#include <gtest/gtest.h>

namespace birthmark::net {
namespace {

std::string_view token_of(std::vector<std::pair<std::string_view, std::string_view>> headers) {
  Request request;
  request.headers = std::move(headers);
  return presented_token(request);
}

TEST(PresentedToken, IsTakenFromEitherHeader) {
  EXPECT_EQ(token_of({{"OSF-TOKEN", "abc"}}), "abc");
  EXPECT_EQ(token_of({{"osf-token", "abc"}}), "abc");
  EXPECT_EQ(token_of({{"Authorization", "Bearer abc"}}), "abc");
  EXPECT_EQ(token_of({{"authorization", "bearer  abc "}}), "abc");
}

TEST(PresentedToken, BearerComesFirstAndOtherSchemesAreNoTokens) {
  EXPECT_EQ(token_of({{"OSF-TOKEN", "na"}, {"Authorization", "Bearer abc"}}), "abc");
  EXPECT_EQ(token_of({{"OSF-TOKEN", "abc"}, {"Authorization", "Basic eHg6eXk="}}), "abc");
  EXPECT_EQ(token_of({{"Authorization", "Basic eHg6eXk="}}), "");
  EXPECT_EQ(token_of({{"Authorization", "Bearer "}}), "");
  EXPECT_EQ(token_of({{"Authorization", "Bearer"}}), "");
  EXPECT_EQ(token_of({}), "");
}

}  // namespace
}  // namespace birthmark::net
