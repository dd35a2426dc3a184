/*
 * onnx2c_measure.c: one run of a model on a Cortex-M board of QEMU: instructions and stack.
 *
 * Built by onnx2c.py with CALL, the run, and CALL_H, a header that declares what the run needs. With `-icount shift=0` every
 * instruction takes a nanosecond of the emulator's time; the board's timer is calibrated by a loop of known length. The
 * stack is what lies below this function's when the run has returned and is not the pattern that was there before.
 */
#include CALL_H
#include <stdint.h>
#include <stdio.h>

extern char __bss_end__[];

/* The first timer of Arm's CMSDK on the MPS2 boards: it counts down. */
static volatile uint32_t *const timer = (volatile uint32_t *)0x40000000u;
enum { control, value, reload };

static uint32_t ticks(void) { return 0u - timer[value]; }

int main(void) {
  const uint32_t pattern = 0x5aa55aa5u, turns = 1000000u;
  timer[reload] = 0xffffffffu;
  timer[value] = 0xffffffffu;
  timer[control] = 1u;

  uint32_t count = turns, before = ticks();
  __asm__ volatile("1: subs %0, #1\n\tbne 1b" : "+r"(count) : : "cc");
  uint32_t calibration = ticks() - before;

  char *top;
  __asm__ volatile("mov %0, sp" : "=r"(top));
  volatile uint32_t *lowest = (volatile uint32_t *)__bss_end__;
  for (volatile uint32_t *word = lowest; (char *)word < top - 4; ++word)
    *word = pattern;
  before = ticks();
  CALL;
  uint32_t run = ticks() - before;
  while ((char *)lowest < top && *lowest == pattern)
    ++lowest;
  printf("{\"instructions\": %.0f, \"stack\": %lu}\n", 2.0 * turns * run / calibration,
         (unsigned long)(top - (char *)lowest));
  return 0;
}
