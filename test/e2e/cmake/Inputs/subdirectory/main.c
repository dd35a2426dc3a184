#include "my_net.h"
#include <math.h>

int main(void) {
  static const float x[6] = {1, 2, 3, -1, 0.5f, 0.25f};
  static _Alignas(MY_NET_ARENA_ALIGN) unsigned char arena[MY_NET_ARENA_BYTES + 1];
  float y[8];
  if (my_net_run(x, y, arena) != ONNX_AOT_OK)
    return 1;
  return fabsf(y[0] - 1.1f) < 1e-5f && fabsf(y[3] - 10.25f) < 1e-5f && y[4] == 0 ? 0 : 2;
}
