// SPDX-License-Identifier: Apache-2.0
// Every adapter of the ports that a store serves, fresh for each test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "digest_codec.h"
#include "store/memory/memory_registry.h"
#include "store/sqlite/sqlite_registry.h"

namespace birthmark::testing {

inline const DigestCodec kCodec;

// Keeps a registry and, where it has one, the directory under it.
class RegistryUnderTest {
 public:
  virtual ~RegistryUnderTest() = default;
  virtual core::Registry& registry() = 0;
  virtual core::Tokens& tokens() = 0;
  virtual core::SiteCertificates& site_certificates() = 0;
  virtual core::Outbox& outbox() = 0;
  virtual core::Intake& intake() = 0;
  virtual core::Orders& orders() = 0;
  virtual core::FieldLog& field() = 0;
  virtual core::KeyChanges& key_changes() = 0;
};

class MemoryUnderTest final : public RegistryUnderTest {
 public:
  core::Registry& registry() override { return *registry_; }
  core::Tokens& tokens() override { return *registry_; }
  core::SiteCertificates& site_certificates() override { return *registry_; }
  core::Outbox& outbox() override { return *registry_; }
  core::Intake& intake() override { return *registry_; }
  core::Orders& orders() override { return *registry_; }
  core::FieldLog& field() override { return *registry_; }
  core::KeyChanges& key_changes() override { return *registry_; }

 private:
  std::unique_ptr<store::MemoryRegistry> registry_ = store::make_memory_registry(kCodec);
};

class SqliteUnderTest final : public RegistryUnderTest {
 public:
  SqliteUnderTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "birthmark-contract-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    directory_ = pattern;
    store::SqliteOptions options;
    options.path = directory_ / "registry.db";
    auto opened = store::SqliteRegistry::open(options, kCodec);
    if (!opened) {
      ADD_FAILURE() << opened.error().describe();
      std::abort();
    }
    registry_ = std::move(*opened);
  }
  ~SqliteUnderTest() override {
    registry_.reset();
    std::filesystem::remove_all(directory_);
  }
  core::Registry& registry() override { return *registry_; }
  core::Tokens& tokens() override { return registry_->tokens(); }
  core::SiteCertificates& site_certificates() override { return registry_->site_certificates(); }
  core::Outbox& outbox() override { return registry_->outbox(); }
  core::Intake& intake() override { return registry_->intake(); }
  core::Orders& orders() override { return registry_->orders(); }
  core::FieldLog& field() override { return registry_->field(); }
  core::KeyChanges& key_changes() override { return registry_->key_changes(); }

 private:
  std::filesystem::path directory_;
  std::unique_ptr<store::SqliteRegistry> registry_;
};

struct Adapter {
  std::string name;
  std::function<std::unique_ptr<RegistryUnderTest>()> make;
};

inline auto every_adapter() {
  return ::testing::Values(Adapter{"memory", [] { return std::make_unique<MemoryUnderTest>(); }},
                           Adapter{"sqlite", [] { return std::make_unique<SqliteUnderTest>(); }});
}

inline std::string adapter_name(const ::testing::TestParamInfo<Adapter>& instance) {
  return instance.param.name;
}

}  // namespace birthmark::testing
