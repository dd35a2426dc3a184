/*
 * Reads an image of one handwritten digit (PNG, PGM or PPM) and says which digit it is.
 *
 * The network (train.py) wants what UCI's digits are: 8x8 cells, bright ink on a dark ground, the digit filling the
 * frame. So the image is inverted when its border is bright, cropped to the ink, centred in a square and averaged down.
 */
#include "digits.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Image {
  int width, height;
  unsigned char *grey;
} Image;

static int readPng(const char *path, Image *image) {
  png_image png;
  memset(&png, 0, sizeof png);
  png.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_file(&png, path))
    return 0;
  png.format = PNG_FORMAT_GRAY;
  png_color white = {255, 255, 255}; /* what lies behind transparent pixels */
  image->width = (int)png.width;
  image->height = (int)png.height;
  image->grey = malloc(PNG_IMAGE_SIZE(png));
  if (image->grey && png_image_finish_read(&png, &white, image->grey, 0, NULL))
    return 1;
  png_image_free(&png);
  return 0;
}

/* The next number of a PGM or PPM header; comments run from # to the end of the line. */
static int readNumber(FILE *file) {
  int c = fgetc(file);
  while (c == '#' || c == ' ' || c == '\t' || c == '\r' || c == '\n') {
    if (c == '#')
      while (c != '\n' && c != EOF)
        c = fgetc(file);
    c = fgetc(file);
  }
  int value = 0, digits = 0;
  for (; c >= '0' && c <= '9' && digits < 9; c = fgetc(file), ++digits)
    value = value * 10 + (c - '0');
  return digits ? value : -1;
}

static int readPnm(const char *path, Image *image) {
  FILE *file = fopen(path, "rb");
  if (!file)
    return 0;
  int channels = 0, ok = 0;
  if (fgetc(file) == 'P') {
    int kind = fgetc(file);
    channels = kind == '5' ? 1 : kind == '6' ? 3 : 0;
  }
  if (channels) {
    image->width = readNumber(file);
    image->height = readNumber(file);
    int maximum = readNumber(file);
    ok = image->width > 0 && image->height > 0 && image->width <= 16384 && image->height <= 16384 && maximum > 0 &&
         maximum <= 255;
    size_t pixels = ok ? (size_t)image->width * (size_t)image->height : 0;
    image->grey = ok ? malloc(pixels) : NULL;
    ok = image->grey != NULL;
    for (size_t i = 0; ok && i < pixels; ++i) {
      unsigned char rgb[3];
      ok = fread(rgb, 1, (size_t)channels, file) == (size_t)channels;
      int grey = channels == 1 ? rgb[0] : (299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2]) / 1000;
      image->grey[i] = (unsigned char)(grey * 255 / maximum);
    }
  }
  fclose(file);
  return ok;
}

/* Ink of a pixel from 0 to 255; outside of the image there is none. */
static int ink(const Image *image, int inverted, int x, int y) {
  if (x < 0 || y < 0 || x >= image->width || y >= image->height)
    return 0;
  int grey = image->grey[(size_t)y * (size_t)image->width + (size_t)x];
  return inverted ? 255 - grey : grey;
}

/* Crops to the ink and averages down to 8x8 cells, the fullest of which is 1. Returns 0 when there is no ink. */
static int prepare(const Image *image, float cells[64]) {
  long border = 0, count = 0;
  for (int y = 0; y < image->height; ++y)
    for (int x = 0; x < image->width; ++x)
      if (x == 0 || y == 0 || x == image->width - 1 || y == image->height - 1) {
        border += ink(image, 0, x, y);
        ++count;
      }
  int inverted = border > 127 * count;

  int left = image->width, right = -1, top = image->height, bottom = -1;
  for (int y = 0; y < image->height; ++y)
    for (int x = 0; x < image->width; ++x)
      if (ink(image, inverted, x, y) > 127) {
        left = x < left ? x : left;
        right = x > right ? x : right;
        top = y < top ? y : top;
        bottom = y;
      }
  if (right < 0)
    return 0;

  int width = right - left + 1, height = bottom - top + 1, side = width > height ? width : height;
  int x0 = left - (side - width) / 2, y0 = top - (side - height) / 2;
  enum { samples = 16 }; /* per cell and direction */
  float fullest = 0;
  for (int cell = 0; cell < 64; ++cell) {
    long sum = 0;
    for (int sample = 0; sample < samples * samples; ++sample) {
      int column = cell % 8 * samples + sample % samples, row = cell / 8 * samples + sample / samples;
      sum += ink(image, inverted, x0 + column * side / (8 * samples), y0 + row * side / (8 * samples));
    }
    cells[cell] = (float)sum;
    fullest = cells[cell] > fullest ? cells[cell] : fullest;
  }
  if (fullest == 0)
    return 0;
  for (int cell = 0; cell < 64; ++cell)
    cells[cell] /= fullest;
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: digits IMAGE.png|.pgm|.ppm\n");
    return 2;
  }
  Image image = {0, 0, NULL};
  if (!readPng(argv[1], &image) && !readPnm(argv[1], &image)) {
    fprintf(stderr, "digits: %s: not a PNG, PGM or PPM image\n", argv[1]);
    return 1;
  }
  float cells[64], probabilities[10];
  if (!prepare(&image, cells)) {
    fprintf(stderr, "digits: %s: the image is empty\n", argv[1]);
    return 1;
  }

  static _Alignas(DIGITS_ARENA_ALIGN) unsigned char arena[DIGITS_ARENA_BYTES];
  onnx_aot_status status = digits_run(cells, probabilities, arena);
  if (status != ONNX_AOT_OK) {
    char text[256];
    onnx_aot_status_text(&digits_model, status, text, sizeof text);
    fprintf(stderr, "digits: %s\n", text);
    return 1;
  }

  int best = 0;
  for (int digit = 1; digit < 10; ++digit)
    if (probabilities[digit] > probabilities[best])
      best = digit;
  for (int row = 0; row < 8; ++row) {
    for (int column = 0; column < 8; ++column) {
      int level = (int)(cells[row * 8 + column] * 4.999f);
      printf("%c%c", " .:*#"[level], " .:*#"[level]);
    }
    putchar('\n');
  }
  printf("digit %d (%.1f %%)\n", best, 100 * (double)probabilities[best]);
  free(image.grey);
  return 0;
}
