/* Runs the digits model on an empty image, on a bare Linux process: probabilities must add up to one. */
#include "digits.h"

void *memcpy(void *to, const void *from, size_t n) {
  for (size_t i = 0; i < n; ++i)
    ((volatile unsigned char *)to)[i] = ((const unsigned char *)from)[i];
  return to;
}

void *memmove(void *to, const void *from, size_t n) {
  if ((uintptr_t)to <= (uintptr_t)from)
    return memcpy(to, from, n);
  while (n-- > 0)
    ((volatile unsigned char *)to)[n] = ((const unsigned char *)from)[n];
  return to;
}

void *memset(void *to, int value, size_t n) {
  for (size_t i = 0; i < n; ++i)
    ((volatile unsigned char *)to)[i] = (unsigned char)value;
  return to;
}

int memcmp(const void *a, const void *b, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (((const unsigned char *)a)[i] != ((const unsigned char *)b)[i])
      return ((const unsigned char *)a)[i] < ((const unsigned char *)b)[i] ? -1 : 1;
  return 0;
}

static int check(void) {
  static const float image[64];
  static float probabilities[10];
  static _Alignas(DIGITS_ARENA_ALIGN) unsigned char arena[DIGITS_ARENA_BYTES];
  if (digits_run(image, probabilities, arena) != ONNX_AOT_OK)
    return 1;
  float sum = 0;
  for (int i = 0; i < 10; ++i)
    sum += probabilities[i];
  return sum > 0.999f && sum < 1.001f ? 0 : 2;
}

__attribute__((noreturn, force_align_arg_pointer)) void _start(void) {
  long status = check();
  __asm__ volatile("syscall" : : "a"(60L), "D"(status) : "rcx", "r11", "memory");
  __builtin_unreachable();
}
