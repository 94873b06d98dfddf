"""What PyTorch, safetensors and ONNX's own tools make of files; python.test.ts compares.

    check.py write STATE_DICT PICTURES LOGITS   a torchvision alexnet with random weights, and its logits
    check.py state-dict FILE PICTURES LOGITS    loads FILE as users do, strictly, and runs it
    check.py onnx FILE PICTURES OUTPUTS         checks FILE and runs it on pictures as they are

PICTURES holds uint8 (pictures, 256, 256, 3); results are float32.
"""

import sys

import numpy
import torch
import torchvision


def pictures(path):
    return numpy.fromfile(path, dtype=numpy.uint8).reshape(-1, 256, 256, 3)


def logits(model, path):
    """As torchvision's weights are meant to be used: centre crop, 0 to 1, normalised."""
    pixels = torch.from_numpy(pictures(path)).permute(0, 3, 1, 2).float() / 255
    pixels = torchvision.transforms.functional.center_crop(pixels, [224, 224])
    pixels = torchvision.transforms.functional.normalize(pixels, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    with torch.no_grad():
        return model.eval()(pixels).numpy()


def write(state_dict, path, out):
    torch.manual_seed(1)
    model = torchvision.models.alexnet(weights=None)
    torch.save(model.state_dict(), state_dict)
    logits(model, path).tofile(out)


def state_dict(file, path, out):
    model = torchvision.models.alexnet(weights=None)
    if file.endswith(".safetensors"):
        from safetensors.torch import load_file

        state = load_file(file)
    else:
        state = torch.load(file, weights_only=True)
        mapped = torch.load(file, weights_only=True, mmap=True)
        assert all(torch.equal(state[name], mapped[name]) for name in state)
    model.load_state_dict(state, strict=True)
    logits(model, path).tofile(out)


def onnx(file, path, out):
    import onnx
    import onnxruntime

    onnx.checker.check_model(onnx.load(file), full_check=True)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    assert {"classes", "preprocessing"} <= set(metadata), metadata.keys()
    session.run(None, {"pictures": pictures(path)})[0].tofile(out)


{"write": write, "state-dict": state_dict, "onnx": onnx}[sys.argv[1]](*sys.argv[2:])
