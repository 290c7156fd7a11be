// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target once for every file of a folder: the regression test that each fuzz target is where libFuzzer is not linked.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: " << arguments[0] << " CORPUS_FOLDER\n";
    return 2;
  }
  std::error_code failure;
  std::filesystem::directory_iterator files(arguments[1], failure);
  if (failure) {
    std::cerr << arguments[1] << ": " << failure.message() << "\n";
    return 1;
  }
  std::size_t inputs = 0;
  for (const auto& entry : files) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> contents{std::istreambuf_iterator<char>(file), {}};
    std::cerr << entry.path().filename().string() << "\n";  // the last name printed is the one that failed
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(contents.data()), contents.size());
    ++inputs;
  }
  std::cerr << inputs << " inputs\n";
  return inputs == 0 ? 1 : 0;  // a target without a corpus tests nothing
}
