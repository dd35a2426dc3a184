/*
 * npy.h: reads NumPy's .npy files and the io.txt of a dataset, for the C programs of the end-to-end tests.
 *
 * Every function ends the program with a message when a file is not what it should be: these are test programs.
 */
#ifndef ONNX_AOT_TEST_NPY_H
#define ONNX_AOT_TEST_NPY_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

/* NumPy's name of an element type, by ONNX's number; bool is |b1 and has ONNX's own number. */
static inline const char *npyType(int dtype) {
  static const char *const names[] = {0, "<f4", "|u1", "|i1", "<u2", "<i2", "<i4", "<i8",
                                      0, "|b1", "<f2", "<f8", "<u4", "<u8", "<c8", "<c16"};
  return dtype >= 0 && dtype < (int)(sizeof names / sizeof *names) ? names[dtype] : 0;
}

/* Opens an array and reads its header. */
static inline FILE *openNpy(const char *dir, const char *file, char *header, size_t size) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", dir, file);
  FILE *stream = fopen(path, "rb");
  if (!stream)
    fail("%s: cannot open", path);
  unsigned char start[12];
  if (fread(start, 1, 10, stream) != 10 || memcmp(start, "\x93NUMPY", 6) != 0)
    fail("%s: not a .npy file", path);
  size_t length = start[8] | (size_t)start[9] << 8;
  if (start[6] != 1 || length >= size || fread(header, 1, length, stream) != length)
    fail("%s: bad .npy header", path);
  header[length] = 0;
  return stream;
}

/* The extents of an array, which must be `rank` of them. */
static inline void readNpyShape(const char *dir, const char *file, int64_t *extents, int rank) {
  char header[4096];
  fclose(openNpy(dir, file, header, sizeof header));
  const char *shape = strstr(header, "'shape': (");
  if (!shape)
    fail("%s/%s: bad .npy header", dir, file);
  char *at = (char *)shape + strlen("'shape': (");
  int found = 0;
  for (; *at && *at != ')'; at += strspn(at, ", ")) {
    char *end;
    int64_t extent = strtoll(at, &end, 10);
    if (end == at || found == rank)
      break;
    extents[found++] = extent;
    at = end;
  }
  if (*at != ')' || found != rank)
    fail("%s/%s: %d dims are wanted: %s", dir, file, rank, header);
}

/* The data of an array that must have the given element type and number of bytes. The caller frees it. */
static inline void *readNpy(const char *dir, const char *file, int dtype, size_t bytes) {
  char header[4096];
  FILE *stream = openNpy(dir, file, header, sizeof header);
  const char *type = npyType(dtype);
  char quoted[16];
  snprintf(quoted, sizeof quoted, "'%s'", type ? type : "?");
  if (!type || !strstr(header, quoted) || strstr(header, "'fortran_order': True"))
    fail("%s/%s: element type or order is not the model's (dtype %d): %s", dir, file, dtype, header);
  /* malloc(0) may be NULL. */
  void *data = malloc(bytes + 1);
  if (!data || fread(data, 1, bytes + 1, stream) != bytes)
    fail("%s/%s: expected %zu bytes of data", dir, file, bytes);
  fclose(stream);
  return data;
}

/* The file that io.txt of `dir` names for an input ("in") or an output ("out") called `name`. */
static inline void datasetFile(const char *dir, const char *role, const char *name, char *file, size_t size) {
  char path[4096], line[4096], lineRole[8], lineFile[256];
  snprintf(path, sizeof path, "%s/io.txt", dir);
  FILE *stream = fopen(path, "r");
  if (!stream)
    fail("%s: cannot open", path);
  while (fgets(line, sizeof line, stream)) {
    int at = 0;
    line[strcspn(line, "\r\n")] = 0;
    if (sscanf(line, "%7s %255s %n", lineRole, lineFile, &at) == 2 && strcmp(lineRole, role) == 0 &&
        strcmp(line + at, name) == 0) {
      snprintf(file, size, "%s", lineFile);
      fclose(stream);
      return;
    }
  }
  fail("%s: no line `%s FILE %s`", path, role, name);
}

#endif /* ONNX_AOT_TEST_NPY_H */
