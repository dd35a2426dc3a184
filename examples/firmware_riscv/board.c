/*
 * What picolibc needs of QEMU's board `virt`: characters go to its UART, and the end of the program to the device that
 * switches the board off.
 */
#include <stdint.h>
#include <stdio.h>

#define UART_DATA (*(volatile uint8_t *)0x10000000u)
#define UART_STATE (*(volatile uint8_t *)0x10000005u)
#define POWER (*(volatile uint32_t *)0x00100000u)

static int putCharacter(char character, FILE *file) {
  (void)file;
  while (!(UART_STATE & 0x20)) { /* the transmitter is busy */
  }
  UART_DATA = (uint8_t)character;
  return (unsigned char)character;
}

static FILE uart = FDEV_SETUP_STREAM(putCharacter, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdout = &uart;
FILE *const stderr = &uart;
FILE *const stdin = &uart;

_Noreturn void _exit(int status);

_Noreturn void _exit(int status) {
  POWER = status == 0 ? 0x5555u : 0x3333u | (uint32_t)status << 16;
  for (;;) {
  }
}
