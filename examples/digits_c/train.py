"""Trains the classifier of this example and writes digits.onnx.

On Debian 12: apt-get install python3-torch python3-sklearn python3-onnx; /usr/bin/python3 train.py

Data: the handwritten digits of UCI (8x8, 16 grey levels) that come with scikit-learn. The network sees each of them
slightly moved, turned and scaled, so that images which the C program scales down itself are inside what it knows.
The seed is fixed; a tenth of the data is held out and its accuracy is printed.
"""
import math
import pathlib

import numpy
import sklearn.datasets
import torch
from torch import nn

torch.manual_seed(1)
torch.set_num_threads(1)


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(128, 10))

    def forward(self, image):
        logits = self.layers(image)
        return logits if self.training else torch.softmax(logits, 1)


def jitter(images):
    """A random small affine map per image."""
    n = len(images)
    angle = (torch.rand(n) - 0.5) * math.radians(20)
    scale = 1 + (torch.rand(n, 2) - 0.5) * 0.3
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = torch.cos(angle) * scale[:, 0]
    theta[:, 0, 1] = -torch.sin(angle)
    theta[:, 1, 0] = torch.sin(angle)
    theta[:, 1, 1] = torch.cos(angle) * scale[:, 1]
    theta[:, :, 2] = (torch.rand(n, 2) - 0.5) * 0.35
    return nn.functional.grid_sample(images, nn.functional.affine_grid(theta, images.shape, False), align_corners=False)


def main():
    data = sklearn.datasets.load_digits()
    images = torch.tensor(data.images[:, None] / 16.0, dtype=torch.float32)
    labels = torch.tensor(data.target)
    order = torch.randperm(len(images))
    held_out, training = order[: len(order) // 10], order[len(order) // 10 :]

    model = Digits()
    optimizer = torch.optim.Adam(model.parameters(), 4e-3)
    epochs, batch = 60, 64
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for epoch in range(epochs):
        model.train()
        for rows in training[torch.randperm(len(training))].split(batch):
            loss = nn.functional.cross_entropy(model(jitter(images[rows])), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()

    model.eval()
    with torch.no_grad():
        right = (model(images[held_out]).argmax(1) == labels[held_out]).sum().item()
    print(f"held out: {right} of {len(held_out)} right")
    torch.onnx.export(model, torch.zeros(1, 1, 8, 8), pathlib.Path(__file__).with_name("digits.onnx"),
                      input_names=["image"], output_names=["probabilities"], opset_version=13)


if __name__ == "__main__":
    main()
