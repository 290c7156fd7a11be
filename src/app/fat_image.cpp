// SPDX-License-Identifier: Apache-2.0
#include "app/fat_image.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace birthmark::app {
namespace {

constexpr std::size_t kTarBlock = 512, kTarNameLength = 100;

constexpr std::size_t kSector = 512;
constexpr std::size_t kClusterSectors = 2;
constexpr std::size_t kReservedSectors = 1;
constexpr std::size_t kTables = 2;
constexpr std::size_t kRootEntries = 512;
constexpr std::size_t kEntry = 32;
constexpr std::size_t kLongNamePart = 13;  // UTF-16 units in one entry
constexpr std::size_t kClusterBytes = kClusterSectors * kSector;

void put(std::string& to, std::size_t at, std::uint64_t value, std::size_t octets) {
  for (std::size_t i = 0; i < octets; ++i) to[at + i] = static_cast<char>((value >> (8 * i)) & 0xffU);
}

void put_text(std::string& to, std::size_t at, std::string_view text) {
  std::copy(text.begin(), text.end(), to.begin() + static_cast<std::ptrdiff_t>(at));
}

std::string octal(std::uint64_t value, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i > 0; --i, value >>= 3U) text[i - 1] = static_cast<char>('0' + (value & 7U));
  return text;
}

Status check_files(const std::vector<PackedFile>& files) {
  for (const PackedFile& file : files) {
    const bool plain = std::all_of(file.name.begin(), file.name.end(), [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != '\\'; });
    if (file.name.empty() || file.name.size() >= kTarNameLength || !plain)
      return fail(ErrorCode::invalid, "'" + file.name + "' cannot be a file's name here");
  }
  return {};
}

struct DosTime {
  std::uint16_t date = 0, time = 0;
};

DosTime dos_time(Instant at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(at - day));
  const int years = std::clamp(static_cast<int>(date.year()) - 1980, 0, 127);
  DosTime dos;
  dos.date = static_cast<std::uint16_t>((static_cast<unsigned>(years) << 9U) | (static_cast<unsigned>(date.month()) << 5U) |
                                        static_cast<unsigned>(date.day()));
  dos.time = static_cast<std::uint16_t>((static_cast<unsigned>(clock.hours().count()) << 11U) |
                                        (static_cast<unsigned>(clock.minutes().count()) << 5U) |
                                        static_cast<unsigned>(clock.seconds().count() / 2));
  return dos;
}

// The volume while it is filled.
class Volume {
 public:
  Volume(std::size_t sectors, std::string_view label, Instant at) : image_(sectors * kSector, '\0'), time_(dos_time(at)) {
    const std::size_t fixed = kReservedSectors + kRootEntries * kEntry / kSector;
    table_sectors_ = 1;
    while (table_sectors_ * kSector / 2 < (sectors - fixed - kTables * table_sectors_) / kClusterSectors + 2) ++table_sectors_;
    clusters_ = (sectors - fixed - kTables * table_sectors_) / kClusterSectors;
    root_ = (kReservedSectors + kTables * table_sectors_) * kSector;
    data_ = root_ + kRootEntries * kEntry;
    write_boot_sector(sectors, label);
    set_table(0, 0xfff8);
    set_table(1, 0xffff);
    add_entry(padded(label, 11), 0x08, 0, 0);
  }

  [[nodiscard]] bool add(const PackedFile& file) {
    const std::size_t wanted = (file.contents.size() + kClusterBytes - 1) / kClusterBytes;
    if (next_cluster_ - 2 + wanted > clusters_ || entries_ + 22 > kRootEntries) return false;
    const std::size_t first = wanted == 0 ? 0 : next_cluster_;
    for (std::size_t i = 0; i < wanted; ++i) set_table(first + i, i + 1 == wanted ? 0xffff : first + i + 1);
    if (wanted > 0) put_text(image_, data_ + (first - 2) * kClusterBytes, file.contents);
    next_cluster_ += wanted;
    // The short name is only a handle: every file has its long name.
    char number[9];
    std::snprintf(number, sizeof number, "F%06zu~", ++files_ % 1'000'000);
    const std::string short_name = std::string(number, 8) + "   ";
    add_long_name(file.name, short_name);
    add_entry(short_name, 0x20, first, file.contents.size());
    return true;
  }

  [[nodiscard]] std::string finish() { return std::move(image_); }

 private:
  static std::string padded(std::string_view text, std::size_t size) {
    std::string name(text.substr(0, size));
    name.resize(size, ' ');
    return name;
  }

  void write_boot_sector(std::size_t sectors, std::string_view label) {
    put_text(image_, 0, std::string_view("\xeb\x3c\x90MSWIN4.1", 11));
    put(image_, 11, kSector, 2);
    put(image_, 13, kClusterSectors, 1);
    put(image_, 14, kReservedSectors, 2);
    put(image_, 16, kTables, 1);
    put(image_, 17, kRootEntries, 2);
    put(image_, 19, sectors < 0x10000 ? sectors : 0, 2);
    put(image_, 21, 0xf8, 1);
    put(image_, 22, table_sectors_, 2);
    put(image_, 24, 32, 2);
    put(image_, 26, 64, 2);
    put(image_, 32, sectors < 0x10000 ? 0 : sectors, 4);
    put(image_, 36, 0x80, 1);
    put(image_, 38, 0x29, 1);
    put(image_, 39, (static_cast<std::uint64_t>(time_.date) << 16U) | time_.time, 4);
    put_text(image_, 43, padded(label, 11));
    put_text(image_, 54, "FAT16   ");
    put(image_, 510, 0xaa55, 2);
  }

  void set_table(std::size_t cluster, std::size_t value) {
    for (std::size_t table = 0; table < kTables; ++table)
      put(image_, (kReservedSectors + table * table_sectors_) * kSector + cluster * 2, value, 2);
  }

  void add_entry(const std::string& name, std::uint8_t attributes, std::size_t cluster, std::size_t size) {
    const std::size_t at = root_ + entries_++ * kEntry;
    put_text(image_, at, name);
    put(image_, at + 11, attributes, 1);
    put(image_, at + 14, time_.time, 2);
    put(image_, at + 16, time_.date, 2);
    put(image_, at + 18, time_.date, 2);
    put(image_, at + 22, time_.time, 2);
    put(image_, at + 24, time_.date, 2);
    put(image_, at + 26, cluster, 2);
    put(image_, at + 28, size, 4);
  }

  void add_long_name(const std::string& name, const std::string& short_name) {
    std::uint8_t checksum = 0;
    for (const char c : short_name)
      checksum = static_cast<std::uint8_t>((((checksum & 1U) << 7U) | (checksum >> 1U)) + static_cast<std::uint8_t>(c));
    const std::size_t parts = (name.size() + kLongNamePart - 1) / kLongNamePart;
    constexpr std::array<std::size_t, kLongNamePart> kPlaces{1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    for (std::size_t part = parts; part > 0; --part) {
      const std::size_t at = root_ + entries_++ * kEntry;
      put(image_, at, part | (part == parts ? 0x40U : 0U), 1);
      put(image_, at + 11, 0x0f, 1);
      put(image_, at + 13, checksum, 1);
      for (std::size_t i = 0; i < kLongNamePart; ++i) {
        const std::size_t index = (part - 1) * kLongNamePart + i;
        const std::uint64_t unit = index < name.size() ? static_cast<std::uint8_t>(name[index]) : index == name.size() ? 0 : 0xffff;
        put(image_, at + kPlaces[i], unit, 2);
      }
    }
  }

  std::string image_;
  const DosTime time_;
  std::size_t table_sectors_ = 0, clusters_ = 0, root_ = 0, data_ = 0, entries_ = 0, next_cluster_ = 2, files_ = 0;
};

}  // namespace

Result<std::string> make_tar(const std::vector<PackedFile>& files, Instant at) {
  BIRTHMARK_CHECK(check_files(files));
  std::string tar;
  const auto seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(to_unix_ms(at) / 1000, 0));
  for (const PackedFile& file : files) {
    std::string header(kTarBlock, '\0');
    put_text(header, 0, file.name);
    put_text(header, 100, file.name.ends_with(".key.pem") ? "0000600" : "0000644");
    put_text(header, 108, "0000000");
    put_text(header, 116, "0000000");
    put_text(header, 124, octal(file.contents.size(), 11));
    put_text(header, 136, octal(seconds, 11));
    put_text(header, 148, "        ");
    header[156] = '0';
    put_text(header, 257,
             std::string_view("ustar\0"
                              "00",
                              8));
    std::uint64_t sum = 0;
    for (const char c : header) sum += static_cast<std::uint8_t>(c);
    put_text(header, 148, octal(sum, 6));
    header[154] = '\0';
    tar += header + file.contents;
    tar.resize((tar.size() + kTarBlock - 1) / kTarBlock * kTarBlock, '\0');
  }
  tar.resize(tar.size() + 2 * kTarBlock, '\0');
  return tar;
}

Result<std::string> make_fat_image(const std::vector<PackedFile>& files, const std::string& label, unsigned megabytes, Instant at) {
  BIRTHMARK_CHECK(check_files(files));
  // FAT16 has at least 4,085 clusters: below 5 MB another FAT would be meant.
  if (megabytes < 5 || megabytes > 64) return fail(ErrorCode::invalid, "the image must have 5 to 64 MB");
  Volume volume(std::size_t{megabytes} * 1024 * 1024 / kSector, label, at);
  for (const PackedFile& file : files)
    if (!volume.add(file)) return fail(ErrorCode::too_large, "the files do not fit into the image");
  return volume.finish();
}

}  // namespace birthmark::app
