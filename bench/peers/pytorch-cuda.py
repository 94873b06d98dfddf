"""Training the paper's network in PyTorch on a GPU, as quick as it goes: bf16 autocast, channels last, LRN in few passes.

Protocol: prints one JSON line when ready; for each line on standard input runs --steps steps and prints the
milliseconds of one. Usage: python3 pytorch-cuda.py --batch 1024 [--compile]
"""
import argparse, json, sys
import torch
import torch.nn as nn
import torch.nn.functional as F

arguments = argparse.ArgumentParser()
arguments.add_argument("--batch", type=int, default=128)
arguments.add_argument("--steps", type=int, default=20)
arguments.add_argument("--compile", action="store_true")
options = arguments.parse_args()
if not torch.cuda.is_available():
    sys.exit("PyTorch finds no GPU")
torch.manual_seed(0)
torch.backends.cudnn.benchmark = True
torch.backends.cuda.matmul.allow_tf32 = True


class FusedLrn(nn.Module):
    def forward(self, x):
        total = F.avg_pool3d((x * x).unsqueeze(1), (5, 1, 1), stride=1, padding=(2, 0, 0)).squeeze(1)
        s = 2 + 5e-4 * total
        return x * torch.rsqrt(s) * torch.rsqrt(torch.sqrt(s))


net = nn.Sequential(
    nn.Conv2d(3, 96, 11, stride=4), nn.ReLU(), FusedLrn(), nn.MaxPool2d(3, 2),
    nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), FusedLrn(), nn.MaxPool2d(3, 2),
    nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
    nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(),
    nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2),
    nn.Flatten(),
    nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(4096, 1000),
).cuda().to(memory_format=torch.channels_last)
pictures = torch.randint(0, 256, (options.batch, 3, 227, 227), dtype=torch.uint8, device="cuda")
pictures = pictures.contiguous(memory_format=torch.channels_last)
labels = torch.randint(0, 1000, (options.batch,), device="cuda")
optimiser = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9, weight_decay=0.0005, fused=True)
model = torch.compile(net, mode="max-autotune") if options.compile else net


def step():
    optimiser.zero_grad(set_to_none=True)
    with torch.autocast("cuda", dtype=torch.bfloat16):
        logits = model((pictures.float() - 127.5) / 58)
    F.cross_entropy(logits.float(), labels).backward()
    optimiser.step()


for _ in range(5):
    step()
torch.cuda.synchronize()
print(json.dumps({"version": f"PyTorch {torch.__version__}"}), flush=True)
for line in sys.stdin:
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(options.steps):
        step()
    end.record()
    torch.cuda.synchronize()
    print(json.dumps({"milliseconds": start.elapsed_time(end) / options.steps}), flush=True)
