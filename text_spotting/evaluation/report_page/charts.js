"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";

/** Make an element; `content` is text or a list of elements. Text is never taken for markup. */
function make(tag, attributes = {}, content = []) {
  return fill(document.createElement(tag), attributes, content);
}

function draw(tag, attributes = {}, content = []) {
  return fill(document.createElementNS(SVG, tag), attributes, content);
}

function fill(element, attributes, content) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (Array.isArray(content)) element.append(...content);
  else element.textContent = content;
  return element;
}

const percent = (share, digits = 1) => (share * 100).toFixed(digits);
const signed = (share) => (share < 0 ? "\u2212" : "+") + percent(Math.abs(share), 2);

function figureCard(row) {
  const [matched, truth, predictions] = row.counts;
  const parts = [
    make("h3", {}, row.title),
    make("div", { class: "value" }, percent(row.hmean, 2)),
    make("div", { class: "range" }, `${percent(row.interval[0])} to ${percent(row.interval[1])}`),
    make("div", { class: "detail" }, `recall ${percent(row.recall)} \u00b7 precision ${percent(row.precision)}`),
    make("div", { class: "detail" }, `${matched} right of ${truth} words, ${predictions} predicted`),
  ];
  if (row.before !== undefined) {
    const change = row.hmean - row.before;
    const sure = row.change[0] > 0 || row.change[1] < 0;
    const direction = !sure ? "" : change > 0 ? " up" : " down";
    const range = `${signed(row.change[0])} to ${signed(row.change[1])}`;
    const text = `${signed(change)} (${range}${sure ? "" : ", may be chance"})`;
    parts.push(make("div", { class: `detail change${direction}` }, text));
  }
  return make("div", { class: "card" }, parts);
}

/** A phone: charts are drawn smaller, so that their letters stay as large. */
const NARROW = matchMedia("(max-width: 520px)").matches;

/** Metrics that count the same words are one figure with several names. */
function distinct(rows) {
  const kept = [];
  for (const row of rows) {
    const twin = kept.find((other) => other.hmean === row.hmean && String(other.counts) === String(row.counts));
    if (twin) twin.title += ` \u00b7 ${row.title}`;
    else kept.push({ ...row });
  }
  return kept;
}

const PLOT = { width: NARROW ? 330 : 460, height: NARROW ? 260 : 320, left: 44, right: 12, top: 10, bottom: 40 };
const plotX = (share) => PLOT.left + share * (PLOT.width - PLOT.left - PLOT.right);
const plotY = (share) => PLOT.height - PLOT.bottom - share * (PLOT.height - PLOT.top - PLOT.bottom);
const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${plotX(x).toFixed(1)} ${plotY(y).toFixed(1)}`).join("");

/** Recall and precision that have this harmonic mean. */
function isoLine(hmean) {
  const points = [];
  for (let recall = hmean / (2 - hmean); recall <= 1.0001; recall += 0.01) {
    points.push([Math.min(recall, 1), Math.min(1, (hmean * recall) / (2 * recall - hmean))]);
  }
  return points;
}

function axes() {
  const parts = [];
  for (const share of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
    parts.push(draw("line", { class: "grid", x1: plotX(share), x2: plotX(share), y1: plotY(0), y2: plotY(1) }));
    parts.push(draw("line", { class: "grid", x1: plotX(0), x2: plotX(1), y1: plotY(share), y2: plotY(share) }));
    parts.push(draw("text", { x: plotX(share), y: plotY(0) + 16, "text-anchor": "middle" }, percent(share, 0)));
    parts.push(draw("text", { x: plotX(0) - 6, y: plotY(share) + 4, "text-anchor": "end" }, percent(share, 0)));
  }
  for (const hmean of [0.2, 0.4, 0.6, 0.8]) {
    parts.push(draw("path", { class: "iso", d: path(isoLine(hmean)) }));
  }
  parts.push(draw("text", { x: plotX(0.5), y: PLOT.height - 6, "text-anchor": "middle" }, "recall, %"));
  const turn = `rotate(-90 12 ${plotY(0.5)})`;
  parts.push(draw("text", { x: 12, y: plotY(0.5), "text-anchor": "middle", transform: turn }, "precision, %"));
  return parts;
}

function curveCard(curve) {
  const [recall, precision, threshold, hmean] = curve.best;
  const told = make("div", { class: "detail" });
  const tell = ([r, p, t, h]) => {
    told.textContent = `threshold ${t.toFixed(3)}: recall ${percent(r)}, precision ${percent(p)}, harmonic mean ${percent(h, 2)}`;
  };
  const spot = draw("circle", { class: "best", r: 5, cx: plotX(recall), cy: plotY(precision) });
  const marks = curve.points.length ? [draw("path", { class: "curve", d: path(curve.points) }), spot] : [];
  const label = `${curve.title}: precision over recall; best harmonic mean ${percent(hmean)} at threshold ${threshold.toFixed(3)}`;
  const box = `0 0 ${PLOT.width} ${PLOT.height}`;
  const chart = draw("svg", { class: "chart", viewBox: box, role: "img", "aria-label": label }, [...axes(), ...marks]);
  if (curve.points.length) {
    tell(curve.best);
    chart.addEventListener("pointermove", (event) => {
      const bounds = chart.getBoundingClientRect();
      const x = ((event.clientX - bounds.left) / bounds.width) * PLOT.width;
      const y = ((event.clientY - bounds.top) / bounds.height) * PLOT.height;
      const distance = ([r, p]) => Math.hypot(plotX(r) - x, plotY(p) - y);
      tell(curve.points.reduce((best, point) => (distance(point) < distance(best) ? point : best)));
    });
    chart.addEventListener("pointerleave", () => tell(curve.best));
  } else {
    told.textContent = "There are no predictions.";
  }
  return make("div", { class: "card" }, [make("h3", {}, curve.title), chart, told]);
}

const SLICE = NARROW ? { bar: 90, width: 335 } : { bar: 240, width: 500 };

/** Two bars, one on the other: found, and of those read right. */
function sliceRow(row, y) {
  const left = 138, width = SLICE.bar, parts = [];
  parts.push(draw("text", { x: left - 8, y: y + 15, "text-anchor": "end" }, row.label));
  if (!row.words) return [...parts, draw("text", { x: left, y: y + 15 }, "none")];
  [["found", "var(--found-bar)", 2], ["right", "var(--right)", 11]].forEach(([key, color, top], index) => {
    const [low, high] = row.intervals[index];
    const attributes = { x: left, y: y + top, height: 8, rx: 2, width: (row[key] / row.words) * width, fill: color };
    const told = `${row.label}: ${row[key]} of ${row.words} ${index ? "read right" : "found"}`;
    parts.push(draw("rect", attributes, [draw("title", {}, told)]));
    const middle = y + top + 4;
    parts.push(draw("line", { class: "whisker", x1: left + low * width, x2: left + high * width, y1: middle, y2: middle }));
  });
  const shares = `${percent(row.found / row.words, 0)} / ${percent(row.right / row.words, 0)} %`;
  parts.push(draw("text", { x: left + width + 8, y: y + 15 }, `${shares}  of ${row.words}`));
  return parts;
}

function sliceCard(table) {
  const step = 27, height = table.rows.length * step;
  const rows = table.rows.flatMap((row, index) => sliceRow(row, index * step));
  const attributes = { class: "chart", viewBox: `0 0 ${SLICE.width} ${height}`, role: "img", "aria-label": table.title };
  return make("div", { class: "card" }, [make("h3", {}, table.title), draw("svg", attributes, rows)]);
}

function confusionTable(readings) {
  if (!readings.confusions.length) return make("p", {}, "No character was misread.");
  const most = readings.confusions[0].count;
  const shown = (letter, missing) => (letter === "" ? missing : letter);
  const rows = readings.confusions.map((row) => {
    const bar = make("span", { class: "bar", style: `width: ${Math.max(3, (row.count / most) * (NARROW ? 40 : 120))}px` });
    const examples = row.examples.map(([truth, read]) => `${truth} \u2192 ${read}`).join(",  ");
    const letters = `${shown(row.true, "nothing")} \u2192 ${shown(row.read, "nothing")}`;
    return make("tr", {}, [
      make("td", { class: "letters" }, letters),
      make("td", {}, [bar, String(row.count)]),
      make("td", {}, examples),
    ]);
  });
  const head = ["truth \u2192 read", "times", "for example"].map((title) => make("th", {}, title));
  return make("div", { class: "card" }, [make("table", {}, [make("tr", {}, head), ...rows])]);
}
