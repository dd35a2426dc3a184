"""Writes a 150x70 PPM of smooth shapes with hard edges, or checks that a 450x210 one shows the same picture.

The enlarged picture, averaged over 3x3 pixels, must be near the small one (the network was trained on such averages),
and nearer to the true large picture than repeating each pixel is.
"""
import math
import sys

WIDTH, HEIGHT = 150, 70


def pixel(x, y):
    """The picture as a function of the plane, in pixels of the small size."""
    inside = math.hypot(x - 60, y - 35) < 25
    stripes = 0.5 + 0.5 * math.sin(0.35 * x + 0.2 * y)
    return (0.9 if inside else 0.25 + 0.2 * stripes, 0.2 + 0.6 * y / HEIGHT, 0.1 + 0.8 * x / WIDTH)


def sharp(scale):
    """The picture at WIDTH*scale, from one sample per pixel."""
    return [[pixel((x + 0.5) / scale, (y + 0.5) / scale) for x in range(WIDTH * scale)] for y in range(HEIGHT * scale)]


def shrink(rows):
    return [[tuple(sum(rows[3 * y + dy][3 * x + dx][c] for dy in range(3) for dx in range(3)) / 9 for c in range(3))
             for x in range(len(rows[0]) // 3)] for y in range(len(rows) // 3)]


def error(a, b):
    """Root of the mean square of the differences, over the inner pixels."""
    total = [(p - q) ** 2 for row, other in zip(a[9:-9], b[9:-9]) for s, t in zip(row[9:-9], other[9:-9])
             for p, q in zip(s, t)]
    return math.sqrt(sum(total) / len(total))


def main():
    action, path = sys.argv[1:]
    truth = sharp(3)
    small = shrink(truth)
    if action == "write":
        data = bytes(round(255 * c) for row in small for pixel in row for c in pixel)
        with open(path, "wb") as file:
            file.write(b"P6\n# a comment\n%d %d\n255\n" % (WIDTH, HEIGHT) + data)
        return
    with open(path, "rb") as file:
        header, data = file.read().split(b"\n255\n", 1)
    assert header == b"P6\n450 210", header
    large = [[tuple(c / 255 for c in data[3 * (450 * y + x) : 3 * (450 * y + x) + 3]) for x in range(450)]
             for y in range(210)]
    repeated = [[small[y // 3][x // 3] for x in range(450)] for y in range(210)]
    print(f"averaged: {error(shrink(large), small):.4f}, large: {error(large, truth):.4f}, "
          f"repeated pixels: {error(repeated, truth):.4f}")
    assert error(shrink(large), small) < 0.02
    assert error(large, truth) < error(repeated, truth)


main()
