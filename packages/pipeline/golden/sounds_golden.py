"""Makes short sounds and computes the tensors that the audio step must make of them, with numpy alone.

    pip install numpy==2.4.6
    python sounds_golden.py
"""

import base64
import json
import math
import struct
from pathlib import Path

import numpy as np

here = Path(__file__).parent


def wav(samples: np.ndarray, rate: int, kind: str) -> bytes:
    """`samples` is [frames, channels], −1 to 1."""
    channels = samples.shape[1]
    flat = samples.ravel()
    if kind.startswith("float"):
        bits, tag, data = int(kind[5:]), 3, flat.astype("<f4" if kind == "float32" else "<f8").tobytes()
    else:
        bits, tag = int(kind[3:]), 1
        whole = np.clip(np.round(flat * 2 ** (bits - 1)), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1).astype(np.int64)
        if bits == 8:
            whole = whole + 128
        data = b"".join(int(value).to_bytes(bits // 8, "little", signed=bits > 8) for value in whole)
    head = struct.pack("<HHIIHH", tag, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
    note = b"LIST" + struct.pack("<I", 3) + b"abc\0"  # An odd chunk that readers must pass over.
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + note + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def read_back(samples: np.ndarray, kind: str) -> np.ndarray:
    """What the samples are after they were written, mixed to one channel."""
    if kind.startswith("float"):
        stored = samples.astype(np.float32 if kind == "float32" else np.float64).astype(np.float64)
    else:
        scale = 2 ** (int(kind[3:]) - 1)
        stored = np.clip(np.round(samples * scale), -scale, scale - 1) / scale
    return stored.mean(axis=1).astype(np.float32).astype(np.float64)


def resample(x: np.ndarray, source: int, target: int) -> np.ndarray:
    """Every output as one whole sum over a windowed sinc: the definition, not a fast way."""
    if source == target:
        return x
    divisor = math.gcd(source, target)
    source, target = source // divisor, target // divisor
    base = min(source, target) * 0.99
    out = np.zeros(math.ceil(len(x) * target / source))
    for n in range(len(out)):
        t = (np.arange(len(x)) / source - n / target) * base
        window = np.where(np.abs(t) <= 6, np.cos(t * np.pi / 12) ** 2, 0)
        out[n] = np.sum(x * np.sinc(t) * window * base / source)
    return out


def log_mel(x: np.ndarray, rate: int, window: int, hop: int, bands: int, lowest: float, highest: float, frames: int):
    size = 1 << (window - 1).bit_length()
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    mel = lambda hertz: 2595 * np.log10(1 + hertz / 700)
    points = 700 * (10 ** (np.linspace(mel(lowest), mel(highest), bands + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(size, 1 / rate)
    rising = (bins[None, :] - points[:-2, None]) / (points[1:-1] - points[:-2])[:, None]
    falling = (points[2:, None] - bins[None, :]) / (points[2:] - points[1:-1])[:, None]
    filters = np.maximum(0, np.minimum(rising, falling))
    padded = np.concatenate([x, np.zeros(window + hop * frames)])
    rows = []
    for frame in range(frames):
        power = np.abs(np.fft.rfft(padded[frame * hop : frame * hop + window] * hann, size)) ** 2
        rows.append(np.log(np.maximum(filters @ power, 1e-10)))
    return np.array(rows)


def sound(rate: int, seconds: float, channels: int) -> np.ndarray:
    t = np.arange(round(rate * seconds)) / rate
    tones = 0.4 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * (300 + 4000 * t) * t)
    noise = np.random.default_rng(rate + channels).uniform(-0.1, 0.1, (len(t), channels))
    return tones[:, None] * np.linspace(1, 0.5, channels)[None, :] + noise


def main() -> None:
    raw = {"kind": "raw"}
    mel = {"kind": "log-mel", "window": 200, "hop": 80, "bands": 12, "lowest": 60.0, "highest": 3800.0}
    plan = [
        ("pcm16", 8000, 1, 0.05, 8000, 4000, False, raw),
        ("pcm16", 8000, 2, 0.05, 8000, 600, True, raw),
        ("pcm8", 11025, 1, 0.04, 8000, 4000, False, raw),
        ("pcm24", 44100, 2, 0.03, 16000, 4000, False, raw),
        ("pcm32", 8000, 3, 0.03, 12000, 4000, False, raw),
        ("float32", 22050, 1, 0.03, 16000, 300, False, raw),
        ("float64", 48000, 1, 0.03, 8000, 4000, True, mel),
        ("pcm16", 8000, 1, 0.2, 8000, 4000, False, mel),
        ("pcm16", 8000, 1, 0.01, 8000, 4000, False, mel),
    ]
    cases = []
    for kind, rate, channels, seconds, target, most, pad, features in plan:
        samples = sound(rate, seconds, channels)
        x = resample(read_back(samples, kind), rate, target)[:most]
        tokens = len(x)
        if pad:
            x = np.concatenate([x, np.zeros(most - len(x))])
        if features["kind"] == "log-mel":
            frames = 1 if len(x) < 200 else 1 + (len(x) - 200) // 80
            values = log_mel(x, target, 200, 80, 12, 60.0, 3800.0, frames)
        else:
            values = x
        cases.append({
            "name": f"{kind}, {rate} Hz, {channels} channels, to {features['kind']} at {target} Hz{', padded' if pad else ''}",
            "wav": base64.b64encode(wav(samples, rate, kind)).decode(),
            "step": {"kind": "audio", "sampleRate": target, "samplesMax": most, "pad": pad, "features": features},
            "tokens": tokens,
            "shape": list(values.shape),
            "values": [round(float(value), 5) for value in values.ravel()],
        })
    (here / "sounds.golden.json").write_text(json.dumps({"cases": cases}, separators=(",", ":"), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
