// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace birthmark {
namespace {

class Files : public ::testing::Test {
 protected:
  Files() {
    std::string name = (std::filesystem::temp_directory_path() / "birthmark-files.XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  ~Files() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory_), std::filesystem::directory_iterator()));
  }
  static mode_t mode_of(const std::filesystem::path& path) {
    struct stat found{};
    EXPECT_EQ(::stat(path.c_str(), &found), 0);
    return found.st_mode & 07777;
  }
  std::filesystem::path directory_;
};

TEST_F(Files, CreateHasExactlyTheModeWhateverTheUmask) {
  const mode_t before = ::umask(0);
  ASSERT_TRUE(create_file(directory_ / "key", "secret", 0400));
  ::umask(before);
  EXPECT_EQ(mode_of(directory_ / "key"), 0400U);
  EXPECT_EQ(*read_file(directory_ / "key"), "secret");
}

TEST_F(Files, CreateNeverOverwritesNotEvenAsRoot) {
  ASSERT_TRUE(create_file(directory_ / "key", "first", 0400));
  const auto second = create_file(directory_ / "key", "second", 0400);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  EXPECT_EQ(*read_file(directory_ / "key"), "first");
  EXPECT_EQ(entries(), 1U);  // and no temporary file stays
}

TEST_F(Files, ReplaceIsOneStep) {
  ASSERT_TRUE(replace_file(directory_ / "head", "1", 0644));
  ASSERT_TRUE(replace_file(directory_ / "head", "2", 0644));
  EXPECT_EQ(*read_file(directory_ / "head"), "2");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, ErrorsNameThePathAndTheReason) {
  const auto missing = read_file(directory_ / "nothing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_NE(missing.error().public_message.find("nothing"), std::string::npos);
  EXPECT_NE(missing.error().public_message.find("No such file"), std::string::npos);
}

TEST_F(Files, ReadRefusesWhatIsTooLarge) {
  ASSERT_TRUE(create_file(directory_ / "big", std::string(100, 'x'), 0600));
  EXPECT_EQ(read_file(directory_ / "big", 99).error().code, ErrorCode::too_large);
  EXPECT_TRUE(read_file(directory_ / "big", 100));
}

TEST_F(Files, ALockIsHeldOnce) {
  auto held = lock_file(directory_ / "lock");
  ASSERT_TRUE(held);
  EXPECT_EQ(lock_file(directory_ / "lock").error().code, ErrorCode::unavailable);
  held->reset(-1);
  EXPECT_TRUE(lock_file(directory_ / "lock"));
}

}  // namespace
}  // namespace birthmark
