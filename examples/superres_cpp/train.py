"""Trains the network of this example, a small SRCNN for enlarging by three, and writes superres.onnx.

On Debian 12: apt-get install python3-torch python3-sklearn python3-onnx python3-pil; /usr/bin/python3 train.py

The network takes the luminance of a small image, enlarges it with a bilinear Resize and adds what three convolutions
find missing (9x9, 1x1, 5x5 as in Dong et al., "Image Super-Resolution Using Deep Convolutional Networks"). Data: the
two photographs that come with scikit-learn; one is for training, the other is held out, and the peak signal-to-noise
ratio on it is printed next to that of plain interpolation. The seed is fixed.
"""
import pathlib

import numpy
import sklearn.datasets
import torch
from torch import nn

torch.manual_seed(1)
torch.set_num_threads(1)
SCALE = 3


class SuperRes(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Conv2d(1, 24, 9, padding=4)
        self.mapping = nn.Conv2d(24, 12, 1)
        self.reconstruction = nn.Conv2d(12, 1, 5, padding=2)
        nn.init.zeros_(self.reconstruction.weight)

    def forward(self, low):
        base = nn.functional.interpolate(low, scale_factor=float(SCALE), mode="bilinear", align_corners=False)
        hidden = torch.relu(self.mapping(torch.relu(self.features(base))))
        return base + self.reconstruction(hidden)


def luminance(name):
    rgb = sklearn.datasets.load_sample_image(name).astype(numpy.float32) / 255
    y = rgb @ numpy.array([0.299, 0.587, 0.114], numpy.float32)
    height, width = (extent // SCALE * SCALE for extent in y.shape)
    return torch.tensor(y[None, None, :height, :width])


def shrink(high):
    return nn.functional.avg_pool2d(high, SCALE)


def psnr(a, b):
    # The border that the largest filter cannot see in full is left out.
    inner = (..., slice(8, -8), slice(8, -8))
    return -10 * torch.log10(((a.clamp(0, 1) - b)[inner] ** 2).mean()).item()


def main():
    photo, held_out = luminance("china.jpg"), luminance("flower.jpg")
    model = SuperRes()
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    steps, batch, patch = 5000, 12, 48
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        crops = []
        for _ in range(batch):
            y = torch.randint(photo.shape[2] - patch, (1,)).item()
            x = torch.randint(photo.shape[3] - patch, (1,)).item()
            crop = photo[0, :, y : y + patch, x : x + patch]
            turns, flip = torch.randint(4, (1,)).item(), torch.randint(2, (1,)).item()
            crop = torch.rot90(crop, turns, (1, 2))
            crops.append(crop.flip(2) if flip else crop)
        high = torch.stack(crops)
        loss = ((model(shrink(high)) - high) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()

    model.eval()
    low = shrink(held_out)
    with torch.no_grad():
        for mode in ("bilinear", "bicubic"):
            plain = nn.functional.interpolate(low, scale_factor=float(SCALE), mode=mode, align_corners=False)
            print(f"held out, {mode}: {psnr(plain, held_out):.2f} dB")
        print(f"held out, network: {psnr(model(low), held_out):.2f} dB")
    torch.onnx.export(model, torch.zeros(1, 1, 32, 32), pathlib.Path(__file__).with_name("superres.onnx"),
                      input_names=["luminance"], output_names=["enlarged"], opset_version=13,
                      dynamic_axes={"luminance": {2: "height", 3: "width"}, "enlarged": {2: "height3", 3: "width3"}})


if __name__ == "__main__":
    main()
