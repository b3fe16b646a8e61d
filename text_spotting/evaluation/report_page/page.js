
const OUTCOMES = ["missed", "misread", "false", "right", "ignored"];
const NAMES = { missed: "missed", misread: "misread", false: "false alarm", right: "right", ignored: "don't care" };
const BATCH = 24;

const state = { show: new Set(["missed", "misread", "false", "right"]), need: "errors", order: "errors", text: "", run: "after", limit: BATCH };

function described(word) {
  if (word.outcome === "misread") return `${word.truth} read as ${word.text}`;
  return word.text || "(no text)";
}

const wordsOf = (picture) => (state.run === "before" ? picture.before : picture.words);

function outline(word, index) {
  const title = draw("title", {}, `${NAMES[word.outcome]}: ${described(word)} (score ${word.score})`);
  const points = word.points.map((point) => point.join()).join(" ");
  const polygon = draw("polygon", { points, class: `outcome-${word.outcome}`, "data-word": index }, [title]);
  polygon.classList.toggle("hidden", !state.show.has(word.outcome));
  return polygon;
}

/** What was read, above its word; only the enlarged picture has room for it. */
function inscription(word, size) {
  const [x, y] = word.points.reduce((low, point) => [Math.min(low[0], point[0]), Math.min(low[1], point[1])], [Infinity, Infinity]);
  const text = draw("text", { x, y: Math.max(y - 3, size), "font-size": size, style: `font-size: ${size}px` }, described(word));
  text.classList.toggle("hidden", word.outcome === "ignored" || !state.show.has(word.outcome));
  return text;
}

function overlay(picture) {
  const [width, height] = picture.size;
  return draw("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" }, wordsOf(picture).map(outline));
}

function stage(picture, tag) {
  if (!picture.image) return make("span", { class: "stage" }, [make("span", { class: "missing" }, "image not included")]);
  const image = make("img", { src: picture.image, alt: `Image ${picture.name}`, loading: "lazy" });
  const attributes = { class: "stage" };
  if (tag === "button") Object.assign(attributes, { type: "button", "aria-label": `Enlarge ${picture.name}` });
  return make(tag, attributes, [image, overlay(picture)]);
}

function chip(word, index, figure) {
  const parts = word.outcome === "misread" ? [make("s", {}, word.truth), ` ${word.text}`] : [described(word)];
  const element = make("span", { class: `chip outcome-${word.outcome}`, title: NAMES[word.outcome], tabindex: 0 }, parts);
  const light = (on) => () => figure.querySelector(`[data-word="${index}"]`)?.classList.toggle("lit", on);
  for (const event of ["pointerenter", "focus"]) element.addEventListener(event, light(true));
  for (const event of ["pointerleave", "blur"]) element.addEventListener(event, light(false));
  return element;
}

function changeChip(change, kind) {
  const told = ([outcome, reading]) => (outcome === "missed" ? "missed" : reading);
  const text = `${change.truth}: ${told(change.before)} \u2192 ${told(change.after)}`;
  return make("span", { class: `chip ${kind === "better" ? "improved" : "outcome-missed"}`, title: `got ${kind}` }, text);
}

function pictureFigure(picture) {
  const figure = make("figure", { "data-name": picture.name });
  const opener = stage(picture, "button");
  opener.addEventListener("click", () => enlarge(picture));
  const words = wordsOf(picture);
  const count = (outcome) => words.filter((word) => word.outcome === outcome).length;
  const tally = ["missed", "misread", "false", "right"].map((outcome) => `${count(outcome)} ${NAMES[outcome]}`).join(" \u00b7 ");
  const chips = words.map((word, index) => [word, index])
    .filter(([word]) => word.outcome !== "ignored" && state.show.has(word.outcome))
    .sort(([a], [b]) => OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome))
    .map(([word, index]) => chip(word, index, figure));
  const caption = [make("b", {}, picture.name), make("div", { class: "tally" }, tally), make("div", { class: "chips" }, chips)];
  if (picture.better) {
    const changes = [...picture.better.map((one) => changeChip(one, "better")), ...picture.worse.map((one) => changeChip(one, "worse"))];
    const alarms = `false alarms ${picture.false[0]} \u2192 ${picture.false[1]}`;
    caption.push(make("div", { class: "tally" }, `changes: ${alarms}`), make("div", { class: "chips changes" }, changes));
  }
  figure.append(opener, make("figcaption", {}, caption));
  return figure;
}

function enlarge(picture) {
  if (!picture.image) return;
  const viewer = document.getElementById("viewer");
  viewer.style.setProperty("--ratio", picture.size[0] / picture.size[1]);
  const enlarged = stage(picture, "div");
  const size = Math.max(...picture.size) / 90;
  enlarged.querySelector("svg").append(...wordsOf(picture).map((word) => inscription(word, size)));
  viewer.replaceChildren(enlarged);
  viewer.showModal();
}

const errors = (picture) => picture.counts.missed + picture.counts.misread + picture.counts.false;
const NEEDS = {
  errors: ["any error", (picture) => errors(picture) > 0],
  missed: ["missed words", (picture) => picture.counts.missed > 0],
  misread: ["misread words", (picture) => picture.counts.misread > 0],
  false: ["false alarms", (picture) => picture.counts.false > 0],
  better: ["words that got better", (picture) => picture.better?.length > 0],
  worse: ["words that got worse", (picture) => picture.worse?.length > 0],
  all: ["all images", () => true],
};
const ORDERS = {
  errors: ["most errors first", (a, b) => errors(b) - errors(a)],
  name: ["by name", (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })],
  worse: ["worst change first", (a, b) => a.gain - b.gain],
  better: ["best change first", (a, b) => b.gain - a.gain],
};

function wanted() {
  const text = state.text.toLowerCase();
  const holds = (picture) => [...wordsOf(picture).flatMap((word) => [word.text, word.truth]), picture.name].some((one) => one.toLowerCase().includes(text));
  return DATA.pictures.filter(NEEDS[state.need][1]).filter((picture) => !text || holds(picture)).sort(ORDERS[state.order][1]);
}

function showGallery() {
  const pictures = wanted();
  const shown = pictures.slice(0, state.limit);
  const gallery = document.getElementById("gallery");
  gallery.replaceChildren(...shown.map(pictureFigure));
  const bare = shown.filter((picture) => !picture.image).length;
  const missing = bare ? `; ${bare} of these without pixels, which only the images with most errors carry` : "";
  document.getElementById("gallery-count").textContent = `${pictures.length} of ${DATA.pictures.length} images, ${shown.length} shown${missing}`;
  if (pictures.length > shown.length) {
    const more = make("button", { type: "button", id: "more" }, "Show more");
    more.addEventListener("click", () => { state.limit += BATCH; showGallery(); });
    gallery.append(more);
  }
}

function select(id, label, options, key) {
  const element = make("select", { id, "aria-label": label }, Object.entries(options).map(([value, [title]]) => make("option", { value }, title)));
  element.value = state[key];
  element.addEventListener("change", () => { state[key] = element.value; state.limit = BATCH; showGallery(); });
  return element;
}

function toggle(outcome) {
  const box = make("input", { type: "checkbox", id: `show-${outcome}` });
  box.checked = state.show.has(outcome);
  box.addEventListener("change", () => { state.show[box.checked ? "add" : "delete"](outcome); showGallery(); });
  return make("label", {}, [box, make("span", { class: "swatch", style: `background: var(--${outcome})` }), NAMES[outcome]]);
}

function buildFilters() {
  const compared = DATA.before !== null;
  const fitting = (options) => Object.fromEntries(Object.entries(options).filter(([key]) => compared || !["better", "worse"].includes(key)));
  const search = make("input", { type: "search", id: "search", placeholder: "word or image", "aria-label": "Search word or image" });
  search.addEventListener("input", () => { state.text = search.value; state.limit = BATCH; showGallery(); });
  const controls = [select("need", "Pictures with", fitting(NEEDS), "need"), select("order", "Order", fitting(ORDERS), "order"), search, ...OUTCOMES.map(toggle)];
  if (compared) controls.push(select("run", "Run", { after: [`this run: ${DATA.title}`], before: [`before: ${DATA.before}`] }, "run"));
  document.getElementById("filters").append(...controls);
}

function build() {
  const { pictures, words } = DATA.set;
  const versus = DATA.before === null ? "" : `, compared with ${DATA.before}`;
  document.getElementById("subtitle").textContent = `${DATA.title}${versus}: ${pictures} images with ${words} annotated words`;
  document.getElementById("figures").append(...distinct(DATA.figures).map(figureCard));
  document.getElementById("curves").append(...DATA.curves.map(curveCard));
  document.getElementById("slices").append(...DATA.slices.map(sliceCard));
  const { words: found, accuracy, error_rate: rate, characters } = DATA.readings;
  document.getElementById("reading-score").textContent = `Of ${found} words found, ${percent(accuracy)} % are read right, case apart; ${percent(rate)} errors in 100 of their ${characters} characters.`;
  document.getElementById("confusions").append(confusionTable(DATA.readings));
  document.getElementById("viewer").addEventListener("click", (event) => event.currentTarget.close());
  buildFilters();
  showGallery();
}

build();
