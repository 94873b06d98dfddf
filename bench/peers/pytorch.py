"""The paper's network in PyTorch, as a side of bench/compare: the same layers, batch and update rule on the CPU.

Protocol: prints one JSON line when ready; for each line on standard input runs one step and prints its milliseconds.
Needs torch (current). Usage: python3 pytorch.py --mode train --batch 128 --lrn module [--channels-last] [--compile] [--bf16]
"""
import argparse, json, sys, time
import torch
import torch.nn as nn
import torch.nn.functional as F

arguments = argparse.ArgumentParser()
arguments.add_argument("--mode", choices=["train", "predict"], default="train")
arguments.add_argument("--batch", type=int, default=128)
arguments.add_argument("--threads", type=int, default=torch.get_num_threads())
arguments.add_argument("--lrn", choices=["module", "fused", "none"], default="module")
arguments.add_argument("--channels-last", action="store_true")
arguments.add_argument("--compile", action="store_true")
arguments.add_argument("--bf16", action="store_true", help="autocast: products in bfloat16")
options = arguments.parse_args()
torch.set_num_threads(options.threads)
torch.manual_seed(0)


class FusedLrn(nn.Module):
    """The same function in few passes: a window sum over channels as an average pool, then x * rsqrt(s) * rsqrt(sqrt(s))."""

    def forward(self, x):
        square = (x * x).unsqueeze(1)
        total = F.avg_pool3d(square, (5, 1, 1), stride=1, padding=(2, 0, 0)).squeeze(1)
        s = 2 + 5e-4 * total
        return x * torch.rsqrt(s) * torch.rsqrt(torch.sqrt(s))


def lrn():
    if options.lrn == "none":
        return nn.Identity()
    return FusedLrn() if options.lrn == "fused" else nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)


net = nn.Sequential(
    nn.Conv2d(3, 96, 11, stride=4), nn.ReLU(), lrn(), nn.MaxPool2d(3, 2),
    nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), lrn(), nn.MaxPool2d(3, 2),
    nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
    nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(),
    nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2),
    nn.Flatten(),
    nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(4096, 1000),
)
pictures = torch.randint(0, 256, (options.batch, 3, 227, 227), dtype=torch.uint8)
labels = torch.randint(0, 1000, (options.batch,))
if options.channels_last:
    net = net.to(memory_format=torch.channels_last)
optimiser = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9, weight_decay=0.0005)
model = torch.compile(net) if options.compile else net


def inputs():
    x = (pictures.float() - 127.5) / 58
    return x.contiguous(memory_format=torch.channels_last) if options.channels_last else x


def logits():
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.bf16):
        return model(inputs()).float()


def train():
    optimiser.zero_grad(set_to_none=True)
    F.cross_entropy(logits(), labels).backward()
    optimiser.step()


@torch.inference_mode()
def predict():
    return logits().softmax(1)


step = train if options.mode == "train" else predict
net.train(options.mode == "train")
for _ in range(2):
    step()
print(json.dumps({"version": f"PyTorch {torch.__version__}"}), flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    step()
    print(json.dumps({"milliseconds": 1000 * (time.perf_counter() - start)}), flush=True)
