// SPDX-License-Identifier: Apache-2.0
#include "net/request_id.h"

#include <gtest/gtest.h>

#include <set>

namespace birthmark::net {
namespace {

TEST(RequestId, APlainNameIsKept) {
  EXPECT_EQ(request_id("line-1.run_7"), "line-1.run_7");
  EXPECT_EQ(request_id(std::string(64, 'a')), std::string(64, 'a'));
}

TEST(RequestId, WhatCouldForgeALogLineIsReplaced) {
  for (const std::string bad : {"", "a b", "a\"b", "a=b", "\xc3\xa9", "a\x1b[31m"}) {
    const std::string made = request_id(bad);
    EXPECT_NE(made, bad);
    EXPECT_EQ(request_id(made), made) << "ours pass our own rule";
  }
  EXPECT_NE(request_id(std::string(65, 'a')), std::string(65, 'a'));
}

TEST(RequestId, NoTwoAreAlike) {
  std::set<std::string> all;
  for (int i = 0; i < 1000; ++i) all.insert(request_id({}));
  EXPECT_EQ(all.size(), 1000U);
}

}  // namespace
}  // namespace birthmark::net
