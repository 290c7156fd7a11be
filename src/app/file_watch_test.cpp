// SPDX-License-Identifier: Apache-2.0
#include "app/file_watch.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/file.h"

namespace birthmark::app {
namespace {

class FileWatchTest : public ::testing::Test {
 protected:
  FileWatchTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "birthmark-watch-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    directory_ = pattern;
    std::filesystem::create_directory(directory_ / "keys");
    write("birthmark.toml", "one");
    watch_ = std::make_unique<FileWatch>(directory_);
  }
  ~FileWatchTest() override { std::filesystem::remove_all(directory_); }
  void write(const std::string& name, std::string_view text) { ASSERT_TRUE(replace_file(directory_ / name, text, 0600)); }

  std::filesystem::path directory_;
  std::unique_ptr<FileWatch> watch_;
};

TEST_F(FileWatchTest, SaysSoOnceAndOnlyWhenTheFilesAreStill) {
  EXPECT_FALSE(watch_->settled());
  write("birthmark.toml", "two");
  EXPECT_FALSE(watch_->settled()) << "it may not be finished";
  write("birthmark.toml", "three");
  EXPECT_FALSE(watch_->settled()) << "it was not";
  EXPECT_TRUE(watch_->settled());
  EXPECT_FALSE(watch_->settled());
}

TEST_F(FileWatchTest, SeesKeysAndCertificatesComeAndGo) {
  write("keys/tls.key", "key");
  EXPECT_FALSE(watch_->settled());
  EXPECT_TRUE(watch_->settled());
  write("admin.pem", "certificate");
  EXPECT_FALSE(watch_->settled());
  EXPECT_TRUE(watch_->settled());
  std::filesystem::remove(directory_ / "keys" / "tls.key");
  EXPECT_FALSE(watch_->settled());
  EXPECT_TRUE(watch_->settled());
}

TEST_F(FileWatchTest, WhatTheServerWritesAllTheTimeIsNoChange) {
  write("audit.head", "head");
  write("birthmark.db-wal", "log");
  EXPECT_FALSE(watch_->settled());
  EXPECT_FALSE(watch_->settled());
}

TEST_F(FileWatchTest, WhatWasTakenIsKnown) {
  write("birthmark.toml", "two");
  watch_->take();
  EXPECT_FALSE(watch_->settled());
  EXPECT_FALSE(watch_->settled());
}

}  // namespace
}  // namespace birthmark::app
