/*
 * threads.c: two models in one program, run from two threads at once.
 *
 * Compiled with -DHEADER_A, -DHEADER_B, -DMODEL_A and -DMODEL_B. usage: threads DATASET_A DATASET_B [race]
 * Each thread runs both models many times with buffers of its own, and checks every answer. With `race` both threads
 * work in the same buffers instead: a data race inside the emitted code, planted so that ThreadSanitizer must find it.
 */
#include HEADER_A
#include HEADER_B
#include "harness.h"
#include <pthread.h>

enum { rounds = 20 };

typedef struct Work {
  Case a, b;
  int check;
} Work;

static void *runBoth(void *argument) {
  Work *work = (Work *)argument;
  for (int round = 0; round < rounds; ++round) {
    runCase(&work->a);
    runCase(&work->b);
    if (work->check) {
      checkOutputs(&work->a);
      checkOutputs(&work->b);
    }
  }
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 3 && argc != 4)
    fail("usage: threads DATASET_A DATASET_B [race]");
  int race = argc == 4;
  Work work[2];
  for (int i = 0; i < 2; ++i) {
    work[i].a = loadCase(&MODEL_A, argv[1]);
    work[i].b = loadCase(&MODEL_B, argv[2]);
    work[i].check = !race;
  }
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i)
    if (pthread_create(&threads[i], NULL, runBoth, &work[race ? 0 : i]) != 0)
      fail("cannot start a thread");
  for (int i = 0; i < 2; ++i)
    pthread_join(threads[i], NULL);
  for (int i = 0; i < 2; ++i) {
    freeCase(&work[i].a);
    freeCase(&work[i].b);
  }
  return 0;
}
