#include "test/device/driver/Settings.h"

#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace onnx_aot::fake {

static std::string variable(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

static std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);)
    parts.push_back(part);
  return parts;
}

[[noreturn]] static void refuse(const char *name, const std::string &part) {
  std::fprintf(stderr, "fake CUDA: %s has \"%s\", which is not understood\n", name, part.c_str());
  std::_Exit(2);
}

static uint64_t number(const char *name, const std::string &text) {
  char *end = nullptr;
  uint64_t value = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0')
    refuse(name, text);
  return value;
}

static void readDevice(Settings &settings) {
  constexpr const char *name = "ONNX_AOT_FAKE_CUDA_DEVICE";
  for (const std::string &part : split(variable(name), ',')) {
    size_t equals = part.find('=');
    if (equals == std::string::npos)
      refuse(name, part);
    std::string key = part.substr(0, equals);
    uint64_t value = number(name, part.substr(equals + 1));
    if (key == "cc")
      settings.capability = unsigned(value);
    else if (key == "memory")
      settings.memory = value;
    else if (key == "driver")
      settings.driver = int(value);
    else if (key == "count")
      settings.count = int(value);
    else
      refuse(name, part);
  }
}

Settings Settings::fromEnvironment() {
  Settings settings;
  settings.log = variable("ONNX_AOT_FAKE_CUDA_LOG");
  settings.checksRaces = variable("ONNX_AOT_FAKE_CUDA_RACES") == "1";
  settings.reportsLeaks = variable("ONNX_AOT_FAKE_CUDA_LEAKS") == "1";
  constexpr const char *fail = "ONNX_AOT_FAKE_CUDA_FAIL";
  for (const std::string &part : split(variable(fail), ',')) {
    std::vector<std::string> fields = split(part, ':');
    if (fields.size() != 3)
      refuse(fail, part);
    settings.failures.push_back({fields[0], number(fail, fields[1]), int(number(fail, fields[2]))});
  }
  readDevice(settings);
  return settings;
}

std::pair<unsigned, unsigned> Settings::ptxVersion() const {
  unsigned major = unsigned(driver) / 1000, minor = unsigned(driver) % 1000 / 10;
  // CUDA 12.6 brought no new version.
  return {major - 4, major == 12 && minor >= 6 ? minor - 1 : minor};
}

uint32_t Settings::sharedBytes() const {
  // "Maximum amount of shared memory per thread block" in the CUDA C++ Programming Guide.
  if (capability < 80)
    return 64 << 10;
  if (capability == 80 || capability == 87)
    return 163 << 10;
  if (capability < 90 || capability >= 120)
    return 99 << 10;
  return 227 << 10;
}

} // namespace onnx_aot::fake
