"""Draws small pictures and computes the tensors that the image step must make of them, with Pillow and numpy.

    pip install pillow==13.0.0 numpy==2.4.6
    python pictures_golden.py
"""

import base64
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

here = Path(__file__).parent
imagenet = {"scale": 1 / 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
plain = {"scale": 1.0, "mean": [0.0], "std": [1.0]}


def drawing(width: int, height: int) -> Image.Image:
    """Soft slopes, an edge, a circle and a little noise."""
    y, x = np.mgrid[0:height, 0:width]
    red = 255 * x / (width - 1)
    green = 255 * y / (height - 1)
    blue = 255 * ((x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2)
    noise = np.random.default_rng(5).integers(-12, 13, (height, width, 3))
    pixels = np.clip(np.stack([red, green, blue], axis=2) + noise, 0, 255)
    return Image.fromarray(pixels.astype(np.uint8), "RGB")


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    held = io.BytesIO()
    picture.save(held, kind, **options)
    return held.getvalue()


def tensor(data: bytes, step: dict) -> np.ndarray:
    picture = Image.open(io.BytesIO(data)).convert("L" if step["channels"] == 1 else "RGB")
    height, width = step["size"]
    if step["resize"] == "cover":
        picture = ImageOps.fit(picture, (width, height), Image.Resampling.BILINEAR)
    else:
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(picture, dtype=np.float64).reshape(height, width, step["channels"])
    values = (pixels * step["scale"] - np.array(step["mean"])) / np.array(step["std"])
    return values.transpose(2, 0, 1) if step["layout"] == "nchw" else values


def main() -> None:
    base = drawing(23, 17)
    alpha = base.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(base.size))
    photo = drawing(64, 48)
    files = {
        "PNG, 8-bit colour": encoded(base, "PNG"),
        "PNG, colour and alpha": encoded(alpha, "PNG"),
        "PNG, grey": encoded(base.convert("L"), "PNG"),
        "PNG, grey and alpha": encoded(alpha.convert("LA"), "PNG"),
        "PNG, palette": encoded(base.quantize(200), "PNG"),
        "PNG, palette of 4 bits": encoded(base.quantize(16), "PNG", bits=4),
        "PNG, palette of 2 bits with a transparent colour": encoded(base.quantize(4), "PNG", bits=2, transparency=1),
        "PNG, 1 bit": encoded(base.convert("1"), "PNG"),
        "JPEG, no subsampling": encoded(photo, "JPEG", quality=95, subsampling=0),
        "JPEG, progressive": encoded(photo, "JPEG", quality=90, subsampling=0, progressive=True),
        "JPEG, chroma halved": encoded(photo, "JPEG", quality=85, subsampling=2),
        "JPEG, grey": encoded(photo.convert("L"), "JPEG", quality=90),
        "JPEG, restart markers": encoded(photo, "JPEG", quality=90, subsampling=0, restart_marker_blocks=2),
    }
    shapes = [
        {"size": [17, 23], "resize": "stretch", "channels": 3, "layout": "nhwc", **plain},
        {"size": [6, 8], "resize": "stretch", "channels": 3, "layout": "nchw", **imagenet},
        {"size": [9, 5], "resize": "cover", "channels": 1, "layout": "nchw", **plain},
        {"size": [7, 7], "resize": "cover", "channels": 3, "layout": "nhwc", **plain},
        {"size": [20, 40], "resize": "stretch", "channels": 1, "layout": "nhwc", **plain},
    ]
    cases = []
    for name, data in files.items():
        chosen = shapes if name in ("PNG, 8-bit colour", "JPEG, no subsampling") else shapes[1:3]
        for step in chosen:
            values = tensor(data, step)
            cases.append({
                "file": name,
                "step": {"kind": "image", **step},
                "shape": list(values.shape),
                "values": [round(float(value), 5) for value in values.ravel()],
            })
    golden = {"files": {name: base64.b64encode(data).decode() for name, data in files.items()}, "cases": cases}
    (here / "pictures.golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
