"""Writes test/formats/fixtures with PyTorch: python3 write-fixtures.py ../fixtures (needs torch, safetensors, numpy).

A narrow network of torchvision's alexnet's shape and names, in every form that torch.save has had, and the logits that
PyTorch gives for one picture.
"""

import json
import os
import pickle
import sys
from collections import OrderedDict

import numpy
import torch
from safetensors.torch import save_file
from torch import nn


def narrow_alexnet(maps=(4, 6, 8, 6, 4), hidden=(10, 9), classes=5):
    """torchvision.models.alexnet with fewer maps; module indices give torchvision's names."""
    c1, c2, c3, c4, c5 = maps

    class AlexNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(
                nn.Conv2d(3, c1, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
                nn.Conv2d(c1, c2, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
                nn.Conv2d(c2, c3, 3, padding=1), nn.ReLU(),
                nn.Conv2d(c3, c4, 3, padding=1), nn.ReLU(),
                nn.Conv2d(c4, c5, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
            )
            self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
            self.classifier = nn.Sequential(
                nn.Dropout(), nn.Linear(c5 * 36, hidden[0]), nn.ReLU(),
                nn.Dropout(), nn.Linear(hidden[0], hidden[1]), nn.ReLU(),
                nn.Linear(hidden[1], classes),
            )

        def forward(self, x):
            return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))

    return AlexNet().eval()


def picture():
    """The picture that formats.test.ts makes as well: 256x256 RGB by a formula."""
    y, x, c = numpy.meshgrid(numpy.arange(256), numpy.arange(256), numpy.arange(3), indexing="ij")
    return ((x * 3 + y * 5 + c * 70 + (x * y) // 16) % 256).astype(numpy.uint8)


class Evil:
    def __reduce__(self):
        return (os.system, ("touch alexnet-was-here",))


def main(folder):
    torch.manual_seed(20120930)
    model = narrow_alexnet()
    state = model.state_dict()
    path = lambda name: os.path.join(folder, name)
    torch.save(state, path("state-dict.pth"))
    torch.save(state, path("legacy.pth"), _use_new_zipfile_serialization=False)
    torch.save(state, path("protocol-4.pth"), pickle_protocol=4)
    torch.save(OrderedDict((k, v.half()) for k, v in state.items()), path("half.pth"))
    torch.save(OrderedDict((k, v.bfloat16()) for k, v in state.items()), path("bfloat16.pth"))
    torch.save({k: nn.Parameter(v) for k, v in state.items()}, path("parameters.pth"))
    wrapped = OrderedDict((k.replace("features.", "features.module."), v) for k, v in state.items())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    torch.save(
        {"epoch": 3, "arch": "alexnet", "best_acc1": 0.5, "step": torch.tensor(7), "state_dict": wrapped,
         "optimizer": optimizer.state_dict()},
        path("checkpoint.pth"),
    )
    # Views: every tensor in one storage, some transposed, so neither at its start nor row by row.
    flat = torch.cat([v.t().contiguous().flatten() if v.dim() == 2 else v.flatten() for v in state.values()])
    views, at = OrderedDict(), 0
    for k, v in state.items():
        part = flat[at : at + v.numel()]
        views[k] = part.view(v.shape[1], v.shape[0]).t() if v.dim() == 2 else part.view(v.shape)
        at += v.numel()
    torch.save(views, path("views.pth"))
    save_file(state, path("state-dict.safetensors"))
    torch.save(model.features[0], path("module.pth"))
    torch.save({"features.0.weight": Evil()}, path("evil.pth"))
    with open(path("evil.pkl.pth"), "wb") as file:
        pickle.dump(Evil(), file)
    with open(path("evil-protocol-0.pth"), "wb") as file:
        pickle.dump(Evil(), file, protocol=0)

    pixels = torch.from_numpy(picture()[16:240, 16:240].copy()).permute(2, 0, 1).double() / 255
    mean = torch.tensor([0.485, 0.456, 0.406]).double().view(3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).double().view(3, 1, 1)
    with torch.no_grad():
        logits = model.double()(((pixels - mean) / deviation)[None])[0]
    with open(path("expected.json"), "w") as file:
        json.dump({"torch": torch.__version__, "logits": logits.tolist(),
                   "conv1": state["features.0.weight"].flatten()[:4].tolist()}, file, indent=2)
        file.write("\n")


main(sys.argv[1])
