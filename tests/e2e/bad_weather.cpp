// SPDX-License-Identifier: Apache-2.0
#include "bad_weather.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "child_process.h"

namespace birthmark::e2e {

BadWeather::BadWeather(const std::filesystem::path& control) : control_(control) {
  write_text(control, std::string(sizeof(Weather), '\0'));
  const FileDescriptor file(::open(control.c_str(), O_RDWR | O_CLOEXEC));
  void* const mapped = ::mmap(nullptr, sizeof(Weather), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  require(mapped != MAP_FAILED, "cannot share memory with the server");
  weather_ = static_cast<volatile Weather*>(mapped);
}

BadWeather::~BadWeather() {
  ::munmap(const_cast<Weather*>(weather_), sizeof(Weather));
}

std::vector<std::string> BadWeather::environment() const {
  return {"LD_PRELOAD=" BIRTHMARK_BAD_WEATHER, "BIRTHMARK_BAD_WEATHER=" + control_.string()};
}

}  // namespace birthmark::e2e
