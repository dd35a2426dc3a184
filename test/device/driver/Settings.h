// What the environment asks of the driver; see FakeCuda.h.
#ifndef ONNX_AOT_TEST_DEVICE_DRIVER_SETTINGS_H
#define ONNX_AOT_TEST_DEVICE_DRIVER_SETTINGS_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace onnx_aot::fake {

struct Failure {
  std::string function;
  uint64_t nth = 1; ///< 0: each call.
  int code = 0;
};

struct Settings {
  std::string log;
  std::vector<Failure> failures;
  unsigned capability = 80;
  uint64_t memory = uint64_t(8) << 30;
  int driver = 12040;
  int count = 1;
  bool checksRaces = false;
  bool reportsLeaks = false;

  /// Ends the program where a variable is not understood.
  static Settings fromEnvironment();

  /// The newest .version that the driver compiles.
  std::pair<unsigned, unsigned> ptxVersion() const;
  /// Bytes of shared memory that a kernel may ask for.
  uint32_t sharedBytes() const;
};

} // namespace onnx_aot::fake

#endif // ONNX_AOT_TEST_DEVICE_DRIVER_SETTINGS_H
