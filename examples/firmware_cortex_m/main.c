/*
 * Says which digits three pictures of 8x8 cells show. The model's weights stay in flash; all the memory that it works in
 * is one static arena, whose size the generated header says.
 */
#include "digits.h"

#include <stdio.h>

#include "pictures.h"

static _Alignas(DIGITS_ARENA_ALIGN) unsigned char arena[DIGITS_ARENA_BYTES];

int main(void) {
  printf("digits: %u bytes of arena\n", (unsigned)sizeof arena);
  for (unsigned i = 0; i < sizeof pictures / sizeof *pictures; ++i) {
    float cells[64], probabilities[10];
    for (int cell = 0; cell < 64; ++cell)
      cells[cell] = (float)(pictures[i][cell] - '0') / 8;

    onnx_aot_status status = digits_run(cells, probabilities, arena);
    if (status != ONNX_AOT_OK) {
      char text[128];
      onnx_aot_status_text(&digits_model, status, text, sizeof text);
      printf("%s\n", text);
      return 1;
    }
    int best = 0;
    for (int digit = 1; digit < 10; ++digit)
      if (probabilities[digit] > probabilities[best])
        best = digit;
    printf("picture %u: digit %d (%d %%)\n", i, best, (int)(100 * probabilities[best] + 0.5f));
  }
  printf("done\n");
  return 0;
}
