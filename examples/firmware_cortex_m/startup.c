/*
 * From reset to main on Arm's MPS2 boards, and what newlib-nano asks of a system: characters go to UART 0.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

extern char data_begin[], data_end[], data_image[], bss_begin[], bss_end[], heap_begin[], stack_top[];
int main(void);

#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define UART_DATA (*(volatile uint32_t *)0x40004000u)
#define UART_STATE (*(volatile uint32_t *)0x40004004u)
#define UART_CONTROL (*(volatile uint32_t *)0x40004008u)
#define UART_DIVIDER (*(volatile uint32_t *)0x40004010u)

_Noreturn void Reset_Handler(void);

_Noreturn void Reset_Handler(void) {
  CPACR |= 0xFu << 20; /* the FPU */
  __asm__ volatile("dsb\n\tisb");
  memcpy(data_begin, data_image, (size_t)(data_end - data_begin));
  memset(bss_begin, 0, (size_t)(bss_end - bss_begin));
  UART_DIVIDER = 16;
  UART_CONTROL = 1; /* transmit */
  main();
  for (;;)
    __asm__ volatile("wfi");
}

static _Noreturn void fault(void) {
  for (;;) {
  }
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))stack_top, Reset_Handler, fault, fault, fault, fault, fault};

int _write(int file, const char *text, int length) {
  (void)file;
  for (int i = 0; i < length; ++i) {
    while (UART_STATE & 1) { /* its buffer is full */
    }
    UART_DATA = (uint8_t)text[i];
  }
  return length;
}

/* printf takes its buffer from the heap. */
void *_sbrk(ptrdiff_t bytes) {
  static char *end = heap_begin;
  char *block = end;
  end += bytes;
  return block;
}

int _fstat(int file, struct stat *status) {
  (void)file;
  status->st_mode = S_IFCHR;
  return 0;
}

int _isatty(int file) {
  (void)file;
  return 1;
}

int _close(int file) {
  (void)file;
  return -1;
}

int _read(int file, char *buffer, int length) {
  (void)file, (void)buffer, (void)length;
  return 0;
}

int _lseek(int file, int offset, int from) {
  (void)file, (void)offset, (void)from;
  return 0;
}
