/*
 * startup.c: from reset to main on any Cortex-M, with newlib's semihosting library (librdimon) for files and arguments.
 * A fault ends the program, so that a test sees it at once.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern char __stack[], __bss_start__[], __bss_end__[];
int main(int argc, char **argv);
void initialise_monitor_handles(void);
void _init(void);
void _fini(void);

/* There are no constructors; newlib's exit asks for these. */
void _init(void) {}
void _fini(void) {}

enum { writeText = 0x04, getCommandLine = 0x15, endProgram = 0x18 };

static int semihosting(int operation, const void *argument) {
  register int r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

/* The words of the command line, which the emulator separates by single blanks. */
static int readArguments(char **argv, int most) {
  static char text[1024];
  struct {
    char *text;
    uint32_t size;
  } block = {text, sizeof text};
  int argc = 0;
  if (semihosting(getCommandLine, &block) != 0)
    return 0;
  for (char *word = strtok(text, " "); word && argc < most; word = strtok(NULL, " "))
    argv[argc++] = word;
  return argc;
}

static void start(void) {
  static char *argv[32];
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: the coprocessors 10 and 11 are the FPU */
  __asm__ volatile("dsb\n\tisb");
#endif
  memset(__bss_start__, 0, (size_t)(__bss_end__ - __bss_start__));
  initialise_monitor_handles();
  exit(main(readArguments(argv, 31), argv));
}

static void fault(void) {
  semihosting(writeText, "the processor took a fault\n");
  semihosting(endProgram, (const void *)0x20023); /* a run-time error */
  for (;;) {
  }
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    __stack, (void *)start, (void *)fault, (void *)fault, (void *)fault, (void *)fault, (void *)fault};
