// Enlarges a PNG or PPM image by three: the luminance by a small network (train.py), the colours by interpolation.
//
// The network is compiled for one tile size. Tiles overlap by a margin as wide as what an output pixel depends on, and
// beyond the edges of the image its outermost pixels are repeated, so that no seams show.

#include "superres.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <onnx_aot/model.hpp>
#include <png.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int scale = 3, tile = 64, margin = 4, core = tile - 2 * margin;

struct Image {
  int width = 0, height = 0;
  std::vector<unsigned char> rgb;
};

/// One channel of an image, as floats from 0 to 1.
struct Plane {
  int width, height;
  std::vector<float> values;

  Plane(int width, int height) : width(width), height(height), values(size_t(width) * height) {}
  float &at(int x, int y) { return values[size_t(y) * width + x]; }
  float clamped(int x, int y) const {
    return values[size_t(std::clamp(y, 0, height - 1)) * width + std::clamp(x, 0, width - 1)];
  }
};

bool endsWith(const std::string &text, const std::string &suffix) {
  return text.size() >= suffix.size() && text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

Image readPpm(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  Image image;
  std::string magic;
  int maximum = 0;
  auto skipComments = [&]() -> std::istream & {
    while ((file >> std::ws) && file.peek() == '#')
      file.ignore(1 << 16, '\n');
    return file;
  };
  file >> magic;
  skipComments() >> image.width;
  skipComments() >> image.height;
  skipComments() >> maximum;
  file.get();
  if (!file || magic != "P6" || maximum != 255 || std::min(image.width, image.height) < 1 ||
      std::max(image.width, image.height) > 16384)
    throw std::runtime_error(path + ": not a PNG, nor a binary PPM of 8 bits");
  image.rgb.resize(size_t(image.width) * image.height * 3);
  if (!file.read(reinterpret_cast<char *>(image.rgb.data()), std::streamsize(image.rgb.size())))
    throw std::runtime_error(path + ": the file is cut off");
  return image;
}

Image readImage(const std::string &path) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_file(&png, path.c_str()))
    return readPpm(path);
  png.format = PNG_FORMAT_RGB;
  Image image{int(png.width), int(png.height), std::vector<unsigned char>(PNG_IMAGE_SIZE(png))};
  png_color white{255, 255, 255};
  if (!png_image_finish_read(&png, &white, image.rgb.data(), 0, nullptr))
    throw std::runtime_error(path + ": " + png.message);
  return image;
}

void writeImage(const std::string &path, const Image &image) {
  if (endsWith(path, ".ppm")) {
    std::ofstream file(path, std::ios::binary);
    file << "P6\n" << image.width << ' ' << image.height << "\n255\n";
    file.write(reinterpret_cast<const char *>(image.rgb.data()), std::streamsize(image.rgb.size()));
    if (!file)
      throw std::runtime_error(path + ": cannot write");
    return;
  }
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = png_uint_32(image.width);
  png.height = png_uint_32(image.height);
  png.format = PNG_FORMAT_RGB;
  if (!png_image_write_to_file(&png, path.c_str(), 0, image.rgb.data(), 0, nullptr))
    throw std::runtime_error(path + ": " + png.message);
}

/// Bilinear interpolation with pixel centres at halves, as the network's Resize has it.
Plane interpolate(const Plane &low) {
  Plane high(low.width * scale, low.height * scale);
  for (int y = 0; y < high.height; ++y)
    for (int x = 0; x < high.width; ++x) {
      float sourceX = (x + 0.5f) / scale - 0.5f, sourceY = (y + 0.5f) / scale - 0.5f;
      int x0 = int(sourceX + 1) - 1, y0 = int(sourceY + 1) - 1;
      float fx = sourceX - x0, fy = sourceY - y0;
      high.at(x, y) = (1 - fy) * ((1 - fx) * low.clamped(x0, y0) + fx * low.clamped(x0 + 1, y0)) +
                      fy * ((1 - fx) * low.clamped(x0, y0 + 1) + fx * low.clamped(x0 + 1, y0 + 1));
    }
  return high;
}

/// The network, tile by tile.
Plane enlarge(const Plane &low) {
  Plane high(low.width * scale, low.height * scale);
  onnx_aot::Model model(superres_model);
  std::vector<float> input(tile * tile), output(tile * tile * scale * scale);
  for (int top = 0; top < low.height; top += core)
    for (int left = 0; left < low.width; left += core) {
      for (int y = 0; y < tile; ++y)
        for (int x = 0; x < tile; ++x)
          input[y * tile + x] = low.clamped(left - margin + x, top - margin + y);
      onnx_aot::Status status = model.run({onnx_aot::input(input)}, {onnx_aot::output(output)});
      if (!status)
        throw std::runtime_error(status.text());
      int bottom = std::min((top + core) * scale, high.height), right = std::min((left + core) * scale, high.width);
      for (int y = top * scale; y < bottom; ++y)
        for (int x = left * scale; x < right; ++x)
          high.at(x, y) = output[(y - (top - margin) * scale) * tile * scale + x - (left - margin) * scale];
    }
  return high;
}

Image superResolution(const Image &image) {
  Plane luma(image.width, image.height), blue = luma, red = luma;
  for (int i = 0; i < image.width * image.height; ++i) {
    const unsigned char *rgb = &image.rgb[size_t(i) * 3];
    luma.values[i] = (0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2]) / 255;
    blue.values[i] = rgb[2] / 255.0f - luma.values[i];
    red.values[i] = rgb[0] / 255.0f - luma.values[i];
  }
  luma = enlarge(luma);
  blue = interpolate(blue);
  red = interpolate(red);

  Image result{luma.width, luma.height, std::vector<unsigned char>(luma.values.size() * 3)};
  for (size_t i = 0; i < luma.values.size(); ++i) {
    float r = red.values[i] + luma.values[i], b = blue.values[i] + luma.values[i];
    float g = luma.values[i] - (0.299f * red.values[i] + 0.114f * blue.values[i]) / 0.587f;
    float rgb[] = {r, g, b};
    for (int c = 0; c < 3; ++c)
      result.rgb[i * 3 + c] = static_cast<unsigned char>(std::clamp(rgb[c], 0.0f, 1.0f) * 255 + 0.5f);
  }
  return result;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: superres IN.png|.ppm OUT.png|.ppm\n");
    return 2;
  }
  try {
    Image result = superResolution(readImage(argv[1]));
    writeImage(argv[2], result);
    std::printf("%s: %d x %d\n", argv[2], result.width, result.height);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "superres: %s\n", error.what());
    return 1;
  }
}
