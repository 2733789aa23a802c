// The boxes over the video: drawn, moved, resized and deleted, by pointer and by keyboard.
// Corners are fractions of the frame: x right, y down, [x0, y0, x1, y1].

const SVG = "http://www.w3.org/2000/svg";
const SMALLEST = 0.01; // of the frame; a side of a box that is drawn or resized
const EDGE = 2.5; // px, that an outline keeps from the frame's edge, so that all of it is seen
const TAG = 18; // px, the height of a box's number
const HANDLE = 9; // px, as seen
const GRIP = 22; // px, as felt
const HANDLES = [[0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1], [0.5, 1], [0, 1], [0, 0.5]];
const MOST = 100; // boxes on a clip
const REMEMBERED = 100; // changes that can be taken back

const within = (value, low, high) => Math.min(Math.max(value, low), high);
const ordered = ([x0, y0, x1, y1]) => [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];

function make(name, attributes, parent) {
  const found = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  parent.append(found);
  return found;
}

export class Boxes {
  constructor(svg, heard) {
    this.svg = svg;
    this.heard = heard; // called after every change and choice
    this.list = [];
    this.chosen = -1;
    this.drawing = false; // draw even on top of a box
    this.past = [];
    this.fresh = null; // the box that is being drawn
    this.locked = true;
    svg.addEventListener("pointerdown", (event) => this.#press(event));
    svg.addEventListener("pointermove", (event) => this.#drag(event));
    for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, (event) => this.#release(event));
    svg.parentElement.addEventListener("focusin", (event) => this.#focused(event)); // on the svg it would make that a stop for Tab
    new ResizeObserver(() => this.draw()).observe(svg);
  }

  show(regions) {
    this.list = structuredClone(regions);
    this.chosen = -1;
    this.past = [];
    this.#end();
    this.#changed();
  }

  // Choose a box. Like all that changes the list from outside, it ends what the pointer was doing.
  choose(place, focus = false) {
    this.#end();
    this.chosen = place >= 0 && place < this.list.length ? place : -1;
    this.draw();
    if (focus) this.focus();
    this.heard("choice");
  }

  focus() {
    this.svg.querySelector("g.chosen")?.focus({ preventScroll: true });
  }

  add(bbox = [0.35, 0.35, 0.65, 0.65]) {
    if (this.locked || this.list.length >= MOST) return;
    this.#end();
    this.#remember();
    this.list.push({ from: null, bbox, group: false, interaction: false, by: "you", was: "" });
    this.chosen = this.list.length - 1;
    this.#changed();
    this.focus();
  }

  remove() {
    if (this.locked || this.chosen < 0) return;
    this.#end();
    this.#remember();
    this.list.splice(this.chosen, 1);
    this.chosen = Math.min(this.chosen, this.list.length - 1);
    this.#changed();
    this.focus();
  }

  mark(name) {
    if (this.locked || this.chosen < 0) return;
    this.#remember();
    const one = this.list[this.chosen];
    one[name] = !one[name];
    this.#mine(one);
    this.#changed();
  }

  // Move the chosen box, or its lower right corner, by a share of the frame.
  nudge(dx, dy, resize) {
    if (this.locked || this.chosen < 0) return;
    this.#remember();
    const one = this.list[this.chosen];
    const box = this.#mine(one);
    one.bbox = resize
      ? [box[0], box[1], within(box[2] + dx, box[0] + SMALLEST, 1), within(box[3] + dy, box[1] + SMALLEST, 1)]
      : moved(box, dx, dy);
    this.#changed();
    this.focus();
  }

  revert() {
    const before = this.past.pop();
    if (!before || this.locked) return;
    this.#end();
    [this.list, this.chosen] = before;
    this.#changed();
  }

  draw() {
    const focused = this.svg.contains(document.activeElement);
    const { width, height } = this.svg.getBoundingClientRect();
    this.svg.replaceChildren();
    this.list.forEach((one, place) => this.#box(one, place, width, height));
    this.#tags(width, height);
    if (this.chosen >= 0) this.#handles(ordered(this.list[this.chosen].bbox), width, height);
    if (this.fresh) make("rect", { class: "fresh", ...corners(ordered(this.fresh), width, height) }, this.svg);
    this.svg.classList.toggle("drawing", this.drawing);
    if (focused) this.focus();
  }

  #box(one, place, width, height) {
    const chosen = place === this.chosen;
    const words = `Box ${place + 1} of ${this.list.length}, ${one.by}`;
    const group = make("g", { tabindex: 0, role: "button", "aria-pressed": chosen, "aria-label": words }, this.svg);
    group.dataset.place = place;
    group.classList.toggle("chosen", chosen);
    const shape = outline(ordered(one.bbox), width, height);
    make("rect", { class: "under", ...shape }, group);
    make("rect", { class: "over", ...shape }, group);
  }

  // The numbers, above all boxes: beside each other where corners meet, and the chosen one at its own corner, on top.
  #tags(width, height) {
    const order = this.list.map((_, place) => place).sort((a, b) => (b === this.chosen) - (a === this.chosen));
    const taken = [];
    const tags = order.map((place) => {
      const { x: left, y: top } = outline(ordered(this.list[place].bbox), width, height);
      const wide = 10 + 8 * String(place + 1).length;
      const tag = { x: within(left, 0, Math.max(width - wide, 0)), y: within(top, 0, Math.max(height - TAG, 0)), wide, place };
      for (let other; (other = taken.find((one) => meet(one, tag))) && other.x + other.wide + 1 + wide <= width;) tag.x = other.x + other.wide + 1;
      taken.push(tag);
      return tag;
    });
    for (const { x, y, wide, place } of tags.reverse()) {
      make("rect", { class: place === this.chosen ? "tag chosen" : "tag", x, y, width: wide, height: TAG }, this.svg);
      make("text", { x: x + 5, y: y + 14 }, this.svg).textContent = place + 1;
    }
  }

  #handles(box, width, height) {
    const shape = corners(box, width, height);
    for (const [at, [h, v]] of HANDLES.entries()) {
      const [x, y] = [shape.x + h * shape.width, shape.y + v * shape.height];
      const around = (size) => ({ x: x - size / 2, y: y - size / 2, width: size, height: size });
      make("rect", { class: "handle", ...around(HANDLE) }, this.svg);
      const grip = make("rect", { class: "grip", ...around(GRIP) }, this.svg);
      grip.dataset.handle = at;
      grip.style.cursor = h === 0.5 ? "ns-resize" : v === 0.5 ? "ew-resize" : h === v ? "nwse-resize" : "nesw-resize";
    }
  }

  #place(event) {
    const { left, top, width, height } = this.svg.getBoundingClientRect();
    return [within((event.clientX - left) / width, 0, 1), within((event.clientY - top) / height, 0, 1)];
  }

  #press(event) {
    if (this.locked || event.button !== 0) return;
    event.preventDefault();
    this.svg.setPointerCapture(event.pointerId);
    const [x, y] = this.#place(event);
    const handle = event.target.dataset.handle;
    const group = event.target.closest("g");
    if (handle !== undefined && !this.drawing) {
      this.action = { kind: "resize", handle: HANDLES[handle], begun: false };
    } else if (group && !this.drawing) {
      this.choose(Number(group.dataset.place), true);
      this.action = { kind: "move", at: [x, y], begun: false };
    } else {
      this.action = { kind: "draw" };
      this.fresh = [x, y, x, y];
      document.activeElement?.blur?.();
    }
  }

  #drag(event) {
    if (!this.action) return;
    const [x, y] = this.#place(event);
    const { kind, handle, at } = this.action;
    if (kind === "draw") {
      this.fresh = [this.fresh[0], this.fresh[1], x, y];
      this.draw();
      return;
    }
    if (!this.action.begun) this.#remember();
    this.action.begun = true;
    const one = this.list[this.chosen];
    const box = this.#mine(one);
    if (kind === "move") {
      one.bbox = moved(box, x - at[0], y - at[1]);
      this.action.at = [x, y];
    } else {
      one.bbox = pulled(box, handle, x, y);
    }
    this.#changed();
  }

  #release(event) {
    if (!this.action) return;
    const { kind } = this.action;
    this.action = null;
    if (kind !== "draw") return;
    const box = ordered(this.fresh);
    this.fresh = null;
    const large = box[2] - box[0] >= SMALLEST && box[3] - box[1] >= SMALLEST;
    if (large && event.type === "pointerup") {
      this.drawing = false;
      this.add(box);
    } else {
      this.choose(-1);
    }
  }

  #focused(event) {
    const group = event.target.closest("g");
    if (group && Number(group.dataset.place) !== this.chosen) this.choose(Number(group.dataset.place), true);
  }

  // A box that is changed is the reviewer's, and inside the frame from then on.
  #mine(one) {
    if (one.by !== "you") [one.was, one.by] = [one.was || one.by, "you"];
    one.bbox = ordered(one.bbox.map((value) => within(value, 0, 1)));
    return one.bbox;
  }

  // What the pointer was doing is over: a key, or another clip, came in between.
  #end() {
    this.action = null;
    this.fresh = null;
  }

  #remember() {
    this.past.push([structuredClone(this.list), this.chosen]);
    if (this.past.length > REMEMBERED) this.past.shift();
  }

  #changed() {
    this.draw();
    this.heard("change");
  }
}

function corners([x0, y0, x1, y1], width, height) {
  return { x: x0 * width, y: y0 * height, width: (x1 - x0) * width, height: (y1 - y0) * height };
}

function outline(box, width, height) {
  const inside = (value, size) => within(value * size, Math.min(EDGE, size / 2), Math.max(size - EDGE, size / 2));
  const [x, y, right, low] = [inside(box[0], width), inside(box[1], height), inside(box[2], width), inside(box[3], height)];
  return { x, y, width: Math.max(right - x, 0), height: Math.max(low - y, 0) };
}

const meet = (one, other) => one.x < other.x + other.wide && other.x < one.x + one.wide && Math.abs(one.y - other.y) < TAG;

function moved([x0, y0, x1, y1], dx, dy) {
  const [x, y] = [within(dx, -x0, 1 - x1), within(dy, -y0, 1 - y1)];
  return [x0 + x, y0 + y, x1 + x, y1 + y].map((value) => within(value, 0, 1));
}

function pulled([x0, y0, x1, y1], [h, v], x, y) {
  return [
    h === 0 ? within(x, 0, x1 - SMALLEST) : x0,
    v === 0 ? within(y, 0, y1 - SMALLEST) : y0,
    h === 1 ? within(x, x0 + SMALLEST, 1) : x1,
    v === 1 ? within(y, y0 + SMALLEST, 1) : y1,
  ].map((value) => within(value, 0, 1)); // a box may be smaller than what is drawn here, and lie at the edge
}
