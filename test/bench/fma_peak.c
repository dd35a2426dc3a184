// What the machine's multiply-add units can do: prints GFLOP/s of one thread for the widest vectors of the CPU that
// this is compiled for, and the bits of one. Twelve chains hide a latency of four cycles on up to three units.
#include <stdio.h>
#include <time.h>

#if defined(__AVX512F__)
#define BYTES 64
#define WIDE __attribute__((min_vector_width(512))) // Clang prefers shorter vectors on some CPUs
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif
#ifndef WIDE
#define WIDE
#endif
enum { kChains = 12, kSteps = 4000000, kRounds = 9 };
typedef float vector __attribute__((vector_size(BYTES)));

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

WIDE int main(void) {
  vector sums[kChains], factor, term;
  for (unsigned lane = 0; lane < BYTES / 4; ++lane) {
    factor[lane] = 0.999f;
    term[lane] = 0.001f;
    for (int chain = 0; chain < kChains; ++chain)
      sums[chain][lane] = (float)chain;
  }
  double best = 1e30;
  for (int round = 0; round < kRounds; ++round) {
    double start = seconds();
    for (int step = 0; step < kSteps; ++step)
      for (int chain = 0; chain < kChains; ++chain)
        sums[chain] = sums[chain] * factor + term;
    double elapsed = seconds() - start;
    best = elapsed < best ? elapsed : best;
  }
  volatile float kept = 0;
  for (int chain = 0; chain < kChains; ++chain)
    kept += sums[chain][0];
  printf("%.1f %d\n", 2.0 * kSteps * kChains * (BYTES / 4) / best * 1e-9, 8 * BYTES);
  return 0;
}
