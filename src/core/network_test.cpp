// SPDX-License-Identifier: Apache-2.0
#include "core/network.h"

#include <gtest/gtest.h>

namespace birthmark::core {
namespace {

bool holds(std::string_view network, std::string_view address) {
  const auto parsed = Network::parse(network);
  EXPECT_TRUE(parsed) << network;
  return parsed && contains(std::vector<Network>{*parsed}, address);
}

TEST(Network, ContainsItsFirstAndLastAddressAndNoNeighbour) {
  EXPECT_TRUE(holds("172.16.0.0/12", "172.16.0.0"));
  EXPECT_TRUE(holds("172.16.0.0/12", "172.31.255.255"));
  EXPECT_FALSE(holds("172.16.0.0/12", "172.32.0.0"));
  EXPECT_FALSE(holds("172.16.0.0/12", "172.15.255.255"));
  EXPECT_TRUE(holds("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(holds("10.1.2.3/32", "10.1.2.2"));
  EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(holds("fe80::/10", "fe80::1%eth0"));
}

TEST(Network, ZeroBitsHoldEveryAddressOfTheirFamily) {
  EXPECT_TRUE(holds("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(holds("::/0", "2001:db8::1"));
}

TEST(Network, AnIPv4AddressInIPv6FormIsTheSameAddress) {
  EXPECT_TRUE(holds("10.0.0.0/8", "::ffff:10.9.8.7"));
}

TEST(Network, RefusesWhatIsNone) {
  for (const char* text : {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0/8", "::/129", "10.0.0.0/8x", "10.0.0.0/-1",
                           "localhost", "fe80::1%eth0/10", "2001:db8::1/32", "10.0.0.0 /8"})
    EXPECT_FALSE(Network::parse(text)) << text;
}

TEST(Network, WhatIsNoAddressIsNowhere) {
  for (const char* text : {"", "localhost", "10.0.0", "10.0.0.0/8", "::ffff:10.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"}) {
    EXPECT_FALSE(holds("0.0.0.0/0", text)) << text;
    EXPECT_FALSE(holds("::/0", text)) << text;
  }
}

TEST(Network, PrivateOnesAreLoopbackAndTheReservedRanges) {
  for (const char* address : {"127.0.0.1", "10.255.0.1", "172.20.0.1", "192.168.1.1", "169.254.1.1", "::1", "fd00::1", "fe80::1"})
    EXPECT_TRUE(contains(private_networks(), address)) << address;
  for (const char* address : {"8.8.8.8", "172.32.0.1", "192.169.0.1", "100.64.0.1", "2001:db8::1"})
    EXPECT_FALSE(contains(private_networks(), address)) << address;
}

}  // namespace
}  // namespace birthmark::core
