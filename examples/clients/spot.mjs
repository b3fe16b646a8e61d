// Spot words with an exported model, with onnxruntime-node alone:
//
//     npm install onnxruntime-node
//     node spot.mjs EXPORT_DIR photo.ppm
//
// The folder holds the .onnx files and manifest.json; the photo is a binary PPM, which every image program writes.
// Prints one JSON object a word: text, score, and the box x1, y1, x2, y2 in pixels of the photo.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import ort from "onnxruntime-node";

function readPpm(path) {
  const content = readFileSync(path);
  const head = content.subarray(0, 64).toString("latin1").match(/^P6\s+(\d+)\s+(\d+)\s+255\s/);
  if (!head) throw new Error(`${path}: a binary PPM of 8 bits is expected`);
  return { width: +head[1], height: +head[2], pixels: content.subarray(head[0].length) };
}

// Where each new pixel lies between two old ones: bilinear, pixels taken at their centres, borders repeated.
function places(from, to) {
  return Array.from({ length: to }, (_, index) => {
    const where = Math.min(Math.max(((index + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(where);
    return [low, Math.min(low + 1, from - 1), where - low];
  });
}

// The detector's input [1, 3, H, W], and the factors from the photo to it.
function prepare(photo, manifest) {
  const [width, height] = manifest.input_size;
  let [newWidth, newHeight] = [width, height];
  if (manifest.keep_aspect) {
    const factor = Math.min(width / photo.width, height / photo.height);
    [newWidth, newHeight] = [Math.round(photo.width * factor), Math.round(photo.height * factor)];
  }
  const [columns, rows] = [places(photo.width, newWidth), places(photo.height, newHeight)];
  const data = new Float32Array(3 * height * width);
  for (let channel = 0; channel < 3; channel++) {
    const source = manifest.to_rgb ? channel : 2 - channel;
    const at = (y, x) => photo.pixels[3 * (y * photo.width + x) + source];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let value = Math.round(manifest.mean[channel]);
        if (y < newHeight && x < newWidth) {
          const [[top, bottom, down], [left, right, across]] = [rows[y], columns[x]];
          const above = at(top, left) * (1 - across) + at(top, right) * across;
          const below = at(bottom, left) * (1 - across) + at(bottom, right) * across;
          value = Math.round(above * (1 - down) + below * down);
        }
        data[(channel * height + y) * width + x] = (value - manifest.mean[channel]) / manifest.std[channel];
      }
    }
  }
  const factors = [newWidth / photo.width, newHeight / photo.height];
  return { image: new ort.Tensor("float32", data, [1, 3, height, width]), factors };
}

function softmaxOfLargest(logits) {
  const largest = logits.reduce((one, other) => Math.max(one, other), -Infinity);
  const sum = logits.reduce((total, value) => total + Math.exp(value - largest), 0);
  return [logits.indexOf(largest), 1 / sum];
}

// Text and confidence of one word's features [1, C, h, w].
async function readWord(encoder, decoder, features, manifest) {
  const { output } = await encoder.run({ input: features });
  const [, depth, rows, columns] = output.dims;
  const positions = rows * columns;
  const memory = new Float32Array(output.data.length);
  for (let channel = 0; channel < depth; channel++)
    for (let place = 0; place < positions; place++)
      memory[place * depth + channel] = output.data[channel * positions + place];
  const encoderOutputs = new ort.Tensor("float32", memory, [1, positions, depth]);
  let hidden = new ort.Tensor("float32", new Float32Array(manifest.hidden_size), [1, 1, manifest.hidden_size]);
  let [symbol, text, confidence] = [manifest.start, "", 1];
  for (let length = 0; length < manifest.max_length; length++) {
    const step = await decoder.run({
      prev_symbol: new ort.Tensor("int64", BigInt64Array.from([BigInt(symbol)]), [1]),
      prev_hidden: hidden,
      encoder_outputs: encoderOutputs,
    });
    hidden = step.hidden;
    let probability;
    [symbol, probability] = softmaxOfLargest(step.output.data);
    confidence *= probability;
    if (symbol === manifest.stop) break;
    if (symbol !== manifest.start) text += [...manifest.symbols][symbol];
  }
  return [text, confidence];
}

const [folder, photoPath] = process.argv.slice(2);
const beside = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
const manifest = { ...beside.onnx, hidden_size: beside.hidden_size };
const [detector, encoder, decoder] = await Promise.all(
  ["detector", "encoder", "decoder"].map((role) => ort.InferenceSession.create(join(folder, manifest[role]))),
);
const { image, factors } = prepare(readPpm(photoPath), manifest);
const { boxes, text_features } = await detector.run({ image });
const shape = text_features.dims.slice(1);
const size = shape.reduce((product, side) => product * side, 1);
for (let row = 0; row < boxes.dims[0]; row++) {
  const [x1, y1, x2, y2, found] = boxes.data.subarray(5 * row, 5 * row + 5);
  if (!(found > manifest.score_thr)) continue;
  const features = new ort.Tensor("float32", text_features.data.slice(row * size, (row + 1) * size), [1, ...shape]);
  const [text, confidence] = await readWord(encoder, decoder, features, manifest);
  const score = found ** (1 - manifest.text_weight) * confidence ** manifest.text_weight;
  if (score < manifest.word_thr) continue;
  const box = [x1, y1, x2, y2].map((value, index) => +(value / factors[index % 2]).toFixed(1));
  const shown = confidence >= manifest.text_thr ? text : "";
  console.log(JSON.stringify({ text: shown, score: +score.toFixed(4), box }));
}
