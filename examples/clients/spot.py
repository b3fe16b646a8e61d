"""Spot words with an exported model, with numpy and onnxruntime alone:

    python spot.py EXPORT_DIR photo.ppm

The folder holds the .onnx files and manifest.json; the photo is a binary PPM, which every image program writes.
Prints one JSON object a word: text, score, and the box x1, y1, x2, y2 in pixels of the photo.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime


def read_ppm(path):
    """(H, W, 3) uint8 RGB."""
    fields, content = [], Path(path).read_bytes()
    start = 0
    while len(fields) < 4:
        end = min(content.index(mark, start) for mark in (b" ", b"\n", b"\t") if mark in content[start:])
        if content[start:end]:
            fields.append(content[start:end])
        start = end + 1
    kind, width, height, most = fields
    assert (kind, most) == (b"P6", b"255"), "a binary PPM of 8 bits is expected"
    return np.frombuffer(content, np.uint8, offset=start).reshape(int(height), int(width), 3)


def resize(image, width, height):
    """Bilinear, pixels taken at their centres, borders repeated: what OpenCV's INTER_LINEAR does."""

    def places(old, new):
        where = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        low = np.floor(where).astype(int)
        return low, np.minimum(low + 1, old - 1), (where - low)[:, None]

    top, bottom, down = places(image.shape[0], height)
    left, right, across = places(image.shape[1], width)
    rows = image[top] * (1 - down[:, None]) + image[bottom] * down[:, None]
    return np.rint(rows[:, left] * (1 - across) + rows[:, right] * across)


def prepare(image, manifest):
    """The detector's input [1, 3, H, W], and the factors (x, y) from the photo to it."""
    width, height = manifest["input_size"]
    rows, columns = image.shape[:2]
    canvas = np.tile(np.rint(np.float64(manifest["mean"])), (height, width, 1))
    new_width, new_height = width, height
    if manifest["keep_aspect"]:
        factor = min(width / columns, height / rows)
        new_width, new_height = round(columns * factor), round(rows * factor)
    ordered = image if manifest["to_rgb"] else image[:, :, ::-1]
    canvas[:new_height, :new_width] = resize(ordered, new_width, new_height)
    normalised = (canvas - manifest["mean"]) / manifest["std"]
    return normalised.transpose(2, 0, 1)[None].astype(np.float32), (new_width / columns, new_height / rows)


def read_words(encoder, decoder, features, manifest):
    """Texts and their confidences of N words."""
    count = len(features)
    (encoded,) = encoder.run(["output"], {"input": features})
    memory = encoded.reshape(count, encoded.shape[1], -1).transpose(0, 2, 1)
    size = next(port.shape[2] for port in decoder.get_inputs() if port.name == "prev_hidden")
    hidden = np.zeros((1, count, size), np.float32)
    symbols = np.full(count, manifest["start"], np.int64)
    texts, scores, alive = [""] * count, np.ones(count), np.ones(count, bool)
    for _ in range(manifest["max_length"]):
        feeds = {"prev_symbol": symbols, "prev_hidden": hidden, "encoder_outputs": memory}
        logits, hidden = decoder.run(["output", "hidden"], feeds)
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        symbols = logits.argmax(axis=1)
        scores[alive] *= (raised.max(axis=1) / raised.sum(axis=1))[alive]
        alive &= symbols != manifest["stop"]
        for word in np.flatnonzero(alive & (symbols != manifest["start"])):
            texts[word] += manifest["symbols"][symbols[word]]
        if not alive.any():
            break
    return texts, scores


def main(folder, photo):
    """Print the words of a photo."""
    folder = Path(folder)
    manifest = json.loads((folder / "manifest.json").read_text())["onnx"]
    detector, encoder, decoder = (
        onnxruntime.InferenceSession(folder / manifest[role]) for role in ("detector", "encoder", "decoder")
    )
    tensor, (factor_x, factor_y) = prepare(read_ppm(photo), manifest)
    boxes, features = detector.run(["boxes", "text_features"], {"image": tensor})
    kept = boxes[:, 4] > manifest["score_thr"]
    boxes, features = boxes[kept], features[kept]
    if not len(boxes):
        return
    weight = manifest["text_weight"]
    texts, confidences = read_words(encoder, decoder, features, manifest)
    for box, text, confidence in zip(boxes, texts, confidences, strict=True):
        score = box[4] ** (1 - weight) * confidence**weight
        if score >= manifest["word_thr"]:
            place = (box[:4] / [factor_x, factor_y, factor_x, factor_y]).round(1).tolist()
            shown = text if confidence >= manifest["text_thr"] else ""
            print(json.dumps({"text": shown, "score": round(float(score), 4), "box": place}))


if __name__ == "__main__":
    main(*sys.argv[1:])
