"""Spot words with an exported model, with numpy and onnxruntime alone:

    python spot.py [--recognizer] EXPORT_DIR photo.ppm

The folder holds the .onnx files and manifest.json; the photo is a binary PPM, which every image program writes.
With --recognizer, words are read from the photo's own pixels, where the model has the graph for that.
Prints one JSON object a word: text, score, and the box x1, y1, x2, y2 in pixels of the photo.
"""

import argparse
import json
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


WIDTHS = (32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)


def reading_frames(boxes, masks, threshold):
    """Corner, side along the text and side across [N, 3, 2] of the rectangles with the masks' moments."""
    frames = []
    for box, mask in zip(boxes.astype(float), masks > threshold, strict=True):
        cell = (box[2:4] - box[:2]) / mask.shape
        rows, columns = np.nonzero(mask if mask.any() else ~mask)
        points = np.stack([columns + 0.5, rows + 0.5], axis=1) * cell
        centre = box[:2] + points.mean(axis=0)
        # A cell is not a point: it spreads by a twelfth of its size squared.
        (xx, xy), (_, yy) = np.cov(points.T, bias=True) + np.diag(cell**2 / 12)
        spread = np.hypot(xx - yy, 2 * xy)
        longer, shorter = np.sqrt(6 * np.maximum([xx + yy + spread, xx + yy - spread], 0))
        angle = np.arctan2(2 * xy, xx - yy) / 2
        if abs(angle) > np.pi / 4 and longer < 2 * shorter:  # a short word that is higher than wide
            angle, longer, shorter = angle - np.copysign(np.pi / 2, angle), shorter, longer
        along = longer * np.array([np.cos(angle), np.sin(angle)])
        across = shorter * np.array([-np.sin(angle), np.cos(angle)])
        frames.append([centre - (along + across) / 2, along, across])
    return np.array(frames)


def cut_out(image, frame, height, width):
    """The pixels of a frame: each the mean of four bilinear samples, the image's edge going on beyond it."""
    corner, along, across = frame
    down, right = (np.arange(2 * height) + 0.5) / (2 * height), (np.arange(2 * width) + 0.5) / (2 * width)
    last = np.array([image.shape[1] - 1, image.shape[0] - 1])
    places = np.clip(corner + right[:, None] * along + down[:, None, None] * across - 0.5, 0, last)
    left, top = np.moveaxis(places.astype(int), 2, 0)
    right, bottom = np.minimum(left + 1, last[0]), np.minimum(top + 1, last[1])
    x, y = np.moveaxis(places % 1, 2, 0)[..., None]
    above = image[top, left] * (1 - x) + image[top, right] * x
    below = image[bottom, left] * (1 - x) + image[bottom, right] * x
    fine = above * (1 - y) + below * y
    return np.rint(fine.reshape(height, 2, width, 2, 3).mean(axis=(1, 3)))


def recognize_words(recognizer, image, frames, manifest):
    """Texts and their confidences of the words in N frames [N, 3, 2] of the photo."""
    ordered, texts, scores = image if manifest["to_rgb"] else image[:, :, ::-1], [], []
    for corner, along, across in frames:
        length, height = np.maximum([np.hypot(*along), np.hypot(*across)], 1e-3)
        margin = manifest["read_margin"] * height
        left, up = along * margin / length, across * margin / height
        shape = (length + 2 * margin) / (height + 2 * margin)
        stretch = np.clip((height + 2 * margin) / 24, 0.75, manifest["read_stretch"])
        width = min(WIDTHS, key=lambda one: abs(one - 32 * stretch * shape))
        crop = cut_out(ordered, (corner - left - up, along + 2 * left, across + 2 * up), 32, width)
        normalised = (crop - manifest["mean"]) / manifest["std"]
        (probs,) = recognizer.run(["probs"], {"input": normalised.transpose(2, 0, 1)[None].astype(np.float32)})
        text, score = best_path(probs[0], manifest)
        texts.append(text)
        scores.append(score)
    return texts, np.array(scores)


def best_path(columns, manifest):
    """Text and confidence of columns [T, classes]: equal neighbours are one character, the start symbol is none."""
    columns = np.where(np.arange(columns.shape[1]) == manifest["stop"], 0, columns)
    columns /= columns.sum(axis=1, keepdims=True)
    path, chosen = columns.argmax(axis=1), columns.max(axis=1)
    runs = np.split(np.arange(len(path)), np.flatnonzero(np.diff(path)) + 1)
    runs = [run for run in runs if path[run[0]] != manifest["start"]]
    if not runs:  # as sure as that the most doubtful column holds a character
        return "", 1 - columns[:, manifest["start"]].min()
    return "".join(manifest["symbols"][path[run[0]]] for run in runs), np.prod([chosen[run].max() for run in runs])


def main(folder, photo, by_recognizer):
    """Print the words of a photo."""

    def graph(role):
        return onnxruntime.InferenceSession(folder / manifest[role])

    manifest = json.loads((folder / "manifest.json").read_text())["onnx"]
    if by_recognizer and not manifest["recognizer"]:
        raise SystemExit(f"{folder}: the model has no recognizer")
    image = read_ppm(photo)
    tensor, (factor_x, factor_y) = prepare(image, manifest)
    boxes, masks, features = graph("detector").run(["boxes", "masks", "text_features"], {"image": tensor})
    kept = boxes[:, 4] > manifest["score_thr"]
    boxes, masks, features = boxes[kept], masks[kept], features[kept]
    if not len(boxes):
        return
    boxes[:, :4] /= [factor_x, factor_y, factor_x, factor_y]
    if by_recognizer:
        frames = reading_frames(boxes, masks, manifest["mask_thr"])
        texts, confidences = recognize_words(graph("recognizer"), image, frames, manifest)
    else:
        texts, confidences = read_words(graph("encoder"), graph("decoder"), features, manifest)
    weight = manifest["text_weight"]
    for box, text, confidence in zip(boxes, texts, confidences, strict=True):
        score = box[4] ** (1 - weight) * confidence**weight
        if score >= manifest["word_thr"]:
            shown = text if confidence >= manifest["text_thr"] else ""
            print(json.dumps({"text": shown, "score": round(float(score), 4), "box": box[:4].round(1).tolist()}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--recognizer", action="store_true", help="read words from the photo's own pixels")
    args = parser.parse_args()
    main(args.folder, args.photo, args.recognizer)
