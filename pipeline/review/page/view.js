// What is written on the page: lists, counts, words.

export const $ = (id) => document.getElementById(id);

function node(tag, text = "", more = {}) {
  return Object.assign(document.createElement(tag), { textContent: text, ...more });
}

// What a reviewer should know of a clip before they judge it.
// restored: "" (nothing), "all" that was changed, or the "comment" alone.
export function words(clip, restored) {
  const said = [];
  if (clip.given) said.push(`You said: ${clip.given.action}${clip.given.reason ? `, ${clip.given.reason}` : ""}. A new verdict replaces it.`);
  if (clip.changed) said.push("The class or the boxes are others than when somebody judged this clip before.");
  if (clip.skipped) said.push("You skipped this clip before.");
  if (restored === "all") said.push("Your unsaved changes are back.");
  if (restored === "comment") said.push("Stage 2 has changed this clip since: your comment is back, the boxes are those of stage 2.");
  if (!clip.sound) said.push("This clip has no sound track.");
  return said.join(" ");
}

// The classes that stage 1 saw, with the best score of each.
export function listSeen(candidates) {
  $("seen").replaceChildren(...candidates.map((one) => {
    const score = one.score.toFixed(2);
    const row = node("li");
    row.classList.toggle("proposed", Boolean(one.proposed));
    const meter = node("meter", "", { min: 0, max: 1, value: one.score, title: `score ${score}` });
    row.append(node("span", one.count > 1 ? `${one.name} × ${one.count}` : one.name), meter, node("span", score));
    return row;
  }));
}

// The boxes by number, each a button that selects it.
export function listBoxes(boxes) {
  const focused = [...$("list").children].findIndex((item) => item.contains(document.activeElement));
  $("list").replaceChildren(...boxes.list.map((one, place) => {
    const marks = [one.group && "one box for a group", one.interaction && "point of interaction"].filter(Boolean);
    const more = [one.was && `was ${one.was}`, ...marks].filter(Boolean).join("; ");
    const [item, text, button] = [node("li"), node("span", one.by), node("button", "", { type: "button" })];
    if (more) text.append(node("small", more));
    button.setAttribute("aria-pressed", place === boxes.chosen);
    button.append(node("b", place + 1), text);
    button.addEventListener("click", () => boxes.choose(place, true));
    item.append(button);
    return item;
  }));
  if (focused >= 0) $("list").children[focused]?.firstElementChild.focus();
}

// The reasons for a rejection, by number.
export function listReasons(reasons, pick, back) {
  const all = reasons.map(({ reason, meaning }, place) => {
    const [button, why] = [node("button", "", { type: "button" }), node("span", "", { className: "why" })];
    why.append(node("kbd", place + 1), node("span", reason));
    button.append(why, node("small", reason === "other" ? "say why in the comment" : meaning));
    button.addEventListener("click", () => pick(reason));
    return button;
  });
  const last = node("button", "", { type: "button", className: "back" });
  last.append(node("kbd", "Esc"), "Back");
  last.addEventListener("click", back);
  $("reasons").replaceChildren(...all, last);
}

export function tellProgress({ clips, done, mine, seconds_left: left }) {
  const bar = $("bar");
  bar.setAttribute("aria-valuemax", clips);
  bar.setAttribute("aria-valuenow", done);
  bar.firstElementChild.style.width = `${(100 * done) / Math.max(clips, 1)}%`;
  const parts = [`${done.toLocaleString("en")} of ${clips.toLocaleString("en")} clips done`, `${mine.toLocaleString("en")} by you`];
  if (left !== null && left > 0) parts.push(`about ${lasting(left)} left`);
  $("progress").textContent = parts.join(" · ");
}

function lasting(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export function press(name, on, label = "") {
  for (const button of document.querySelectorAll(`[data-do="${name}"]`)) {
    button.setAttribute("aria-pressed", on);
    if (label) button.querySelector("span").textContent = label;
  }
}

export function able(name, on) {
  for (const button of document.querySelectorAll(`[data-do="${name}"]`)) button.disabled = !on;
}

// There is no clip to show: why, and what comes next. Words between backquotes are commands.
export function tellEnd(done, { clips, left, mine }, seconds) {
  $("end-title").textContent = done ? "All clips are reviewed" : "Nothing is left for you at the moment";
  $("end-text").textContent = done
    ? `${clips} clips, ${mine} of them by you. Stop the server with Ctrl-C where it runs.`
    : `${left} ${left === 1 ? "verdict is" : "verdicts are"} still to be given by others: clips on their screens, or second opinions on clips that you have reviewed. This page looks again every ${seconds} s.`;
  const next = done
    ? ["`vggss verify status` shows what was accepted, and how well reviewers agree", "`vggss release` publishes the accepted clips"]
    : ["another reviewer opens this page under another name, or runs `vggss verify` on the same data folder", "`vggss verify status` shows who has what"];
  $("end-next").replaceChildren(...next.map((line) => {
    const item = node("li");
    item.append(...line.split("`").map((part, place) => (place % 2 ? node("code", part) : part)));
    return item;
  }));
}
