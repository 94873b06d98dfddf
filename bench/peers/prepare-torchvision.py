"""Picture preparation as torchvision on Pillow does it, as a side of bench/compare-preparing.

Every picture of a folder: Resize(256), CenterCrop(256), written as JPEG of quality 95 with full colour resolution, over
some processes that are started once. Protocol: prints one JSON line when ready; for each line on standard input prepares
the whole folder and prints the milliseconds. Needs torchvision (current). Usage: python3 prepare-torchvision.py FOLDER
"""
import argparse, json, multiprocessing, os, pathlib, sys, tempfile, time

sys.path.pop(0)  # pytorch.py beside this file is not what a package below means by that name
import PIL.Image, torch, torchvision
from torchvision.transforms import CenterCrop, Compose, Resize

transform = Compose([Resize(256), CenterCrop(256)])


def prepare(task):
    source, out = task
    with PIL.Image.open(source) as picture:
        transform(picture.convert("RGB")).save(out, quality=95, subsampling=0)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--processes", type=int, default=2)
    options = arguments.parse_args()
    torch.set_num_threads(1)  # processes are what works in parallel
    files = sorted(path for path in options.folder.rglob("*") if path.is_file())
    with multiprocessing.Pool(options.processes) as pool:
        pool.map(os.path.getsize, files[: options.processes])
        version = f"torchvision {torchvision.__version__}, Pillow {PIL.__version__}"
        print(json.dumps({"version": version}), flush=True)
        for line in sys.stdin:
            with tempfile.TemporaryDirectory() as out:
                tasks = [(path, f"{out}/{number}.jpg") for number, path in enumerate(files)]
                start = time.perf_counter()
                for _ in pool.imap_unordered(prepare, tasks, chunksize=16):
                    pass
                print(json.dumps({"milliseconds": 1000 * (time.perf_counter() - start)}), flush=True)
