// SPDX-License-Identifier: Apache-2.0
// What a test does to a server's surroundings while it runs: the clock jumps, the database's disk becomes read-only. Works by a small
// library that is preloaded (preload/bad_weather.cpp) and one page of memory shared with it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace birthmark::e2e {

struct Weather {
  std::int64_t clock_shift_seconds = 0;
  std::int64_t read_only = 0;  // 0 or 1
};

class BadWeather {
 public:
  // `control`: a file that this object makes.
  explicit BadWeather(const std::filesystem::path& control);
  ~BadWeather();
  BadWeather(const BadWeather&) = delete;
  BadWeather& operator=(const BadWeather&) = delete;

  // For the programs that are to stand in it.
  [[nodiscard]] std::vector<std::string> environment() const;
  void shift_clock(std::int64_t seconds) { weather_->clock_shift_seconds = seconds; }
  void make_read_only(bool read_only) { weather_->read_only = read_only ? 1 : 0; }

 private:
  std::filesystem::path control_;
  volatile Weather* weather_ = nullptr;
};

}  // namespace birthmark::e2e
