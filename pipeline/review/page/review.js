// The review page: the clip on the screen, its verdict, and what the keys do.

import { Boxes } from "./boxes.js";
import { keep, ownWindow, recall } from "./memory.js";
import { get, post, Trouble } from "./server.js";
import { $, able, listBoxes, listReasons, listSeen, press, tellEnd, tellProgress, words } from "./view.js";

const BEAT = 30000; // ms between two signs of life
const RETRY = 2000; // ms between two attempts while the server does not answer
const LOOK = 15000; // ms between two looks at an empty queue
const STEP = 0.01; // of the frame, for an arrow key
const FINE = 0.002;
const TRAIL = 200; // clips that "previous" can go back to
const SETTLE = 400; // ms that a clip's first picture is on the screen before it can be accepted
const LOADING = "This clip is still loading: it can be accepted once it shows.";
const WHY = "Say in the comment why, then press Enter.";

const video = $("video");
const state = {
  reviewer: "", window: "", reasons: [], clip: null, why: "", progress: null,
  trail: [], at: -1, // clips that were shown here, and which of them is
  busy: false, ready: false, gone: false, rejecting: false, wanting: "", // wanting: the reason that needs a comment
  era: 0, // of the reviewer: what was asked for one before is not for this one
  watched: null, seen: false, // the clip whose first picture has shown; whether it has for long enough
  words: "", // that the clip came with
  since: 0, spent: 0, // ms: when the clip was last seen to be on the screen, and for how long before that
};
const boxes = new Boxes($("boxes"), (what) => onBoxes(what));

// What survives a reload

const draftKey = (clip, reviewer = state.reviewer) => `draft:${JSON.stringify([reviewer, clip])}`;
const pendingKey = (reviewer = state.reviewer) => `pending:${reviewer}`;

// Keep what is not in the ledger: also the boxes of a verdict that was taken back, which the server would not give again.
function keepDraft() {
  const { clip } = state;
  if (!clip || !state.ready) return;
  const draft = { stand: clip.stand, base: clip.base, regions: boxes.list, comment: $("comment").value };
  const given = clip.base === (clip.given?.number ?? 0) && draft.comment === clip.comment;
  keep(draftKey(clip.id), given && JSON.stringify(draft.regions) === JSON.stringify(clip.regions) ? null : draft);
}

// Talking to the server

const seat = (more) => ({ reviewer: state.reviewer, window: state.window, ...more });
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Ask until there is an answer; what is asked meanwhile waits. A verdict is sent even if its reviewer has left.
async function insist(path, body) {
  const { era } = state;
  for (;;) {
    try {
      const answer = await post(path, body);
      tellGone(null);
      return { ...answer, era, reviewer: body.reviewer };
    } catch (trouble) {
      if (era !== state.era && path !== "/api/verdict") throw trouble;
      if (!(trouble instanceof Trouble) || (trouble.kind === "refused" && trouble.status !== 503)) {
        tellGone(null);
        throw trouble;
      }
      tellGone(trouble);
      await pause(RETRY);
    }
  }
}

// Do one thing after the other; returns what went wrong.
async function busily(work) {
  if (state.busy) return "";
  const { era } = state;
  let wrong = "";
  setBusy(true);
  try {
    await work();
  } catch (trouble) {
    wrong = trouble.message;
  }
  if (era !== state.era) return "";
  setBusy(false);
  if (wrong) notice(wrong);
  refresh();
  return wrong;
}

function setBusy(on) {
  state.busy = on;
  if (on) document.body.setAttribute("aria-busy", "true");
  else document.body.removeAttribute("aria-busy");
}

function tellGone(trouble) {
  if (!trouble && !state.gone) return;
  state.gone = trouble !== null;
  $("gone").hidden = !trouble;
  refresh();
  if (!trouble) {
    if (video.error && state.clip) startVideo(state.clip);
    return;
  }
  const safe = recall(pendingKey(), null) ? "Your verdict is kept in this tab, and sent then." : "Nothing is lost.";
  $("gone").textContent = {
    gone: `The server does not answer. Start \`vggss verify\` again where it ran: this page goes on, or says here what to open. ${safe}`,
    token: `Another server runs here now. Open the new address, the one that it printed, in this tab. ${safe}`,
    refused: `The server cannot go on: ${trouble.message}. This page goes on as soon as it can. ${safe}`,
  }[trouble.kind];
}

async function beat() {
  if (!state.reviewer || state.busy || $("start").open) return;
  const { era } = state;
  try {
    const answer = await post("/api/beat", seat({ clip: state.clip?.id ?? "" }));
    if (era !== state.era) return;
    if (state.gone) tellGone(null);
    state.progress = answer.progress;
    if (answer.by) notice(`${answer.by} has this clip on the screen too now; a verdict of yours counts beside theirs.`);
    refresh();
  } catch (trouble) {
    if (trouble.kind !== "refused") tellGone(trouble);
  }
}

// Clips

function take(answer, place = -1) {
  if (answer.era !== state.era) { // for a reviewer who has left: the clip is free again
    const { reviewer, clip } = answer;
    if (clip) post("/api/leave", { ...seat({ clip: clip.id }), reviewer }).catch(() => {});
    return;
  }
  state.progress = answer.progress;
  state.why = answer.why ?? "";
  state.clip = answer.clip;
  closeReasons();
  if (answer.clip) {
    const id = answer.clip.id;
    if (place < 0) {
      if (state.trail[state.trail.length - 1] !== id) state.trail.push(id);
      state.trail = state.trail.slice(-TRAIL);
      place = state.trail.length - 1;
    }
    state.at = place;
    showClip(answer.clip);
  } else {
    state.at = state.trail.length;
    showEnd();
  }
  keep("place", { clip: state.clip?.id ?? "", trail: state.trail, at: state.at, again: Boolean(state.clip?.given) });
  refresh();
}

function showClip(clip) {
  const draft = recall(draftKey(clip.id), null);
  const restored = draft && draft.stand === clip.stand;
  const kept = restored ? "all" : draft?.comment && draft.comment !== clip.comment ? "comment" : "";
  if (restored) clip.base = draft.base;
  if (!restored && draft) keep(draftKey(clip.id), null);
  state.ready = false;
  state.spent = 0;
  state.since = performance.now();
  $("end").hidden = true;
  $("room").hidden = false;
  $("broken").hidden = true;
  $("resume").hidden = true;
  $("class").textContent = clip.class || "(no class)";
  $("comment").value = kept ? draft.comment : clip.comment;
  boxes.locked = false;
  boxes.drawing = false;
  boxes.show(restored ? draft.regions : clip.regions);
  state.ready = true;
  keepDraft();
  document.activeElement?.blur?.();
  state.words = words(clip, kept);
  notice(state.words);
  $("how").textContent = `Boxes: ${[clip.how, clip.why].filter(Boolean).join("; ")}`;
  $("clip").textContent = `${clip.id}, ${clip.start.toFixed(1)}–${(clip.start + clip.seconds).toFixed(1)} s${clip.pair ? ", a still picture with its sound" : ""}`;
  listSeen(clip.candidates);
  fit(clip.width, clip.height);
  $("moment").style.left = `${(100 * clip.frame) / clip.seconds}%`;
  startVideo(clip);
}

function showEnd() {
  state.ready = false;
  boxes.locked = true;
  video.removeAttribute("src");
  video.load();
  $("room").hidden = true;
  $("end").hidden = false;
  tellEnd(state.why === "done", state.progress, LOOK / 1000);
  $("end-title").focus();
}

const known = (id) => id === state.clip?.id && Boolean(state.clip.given);

function next(leave = state.clip?.id ?? "") {
  return busily(async () => {
    if (state.at + 1 < state.trail.length && (await reopen(state.at + 1))) return;
    take(await insist("/api/next", seat({ leave, skip: Boolean(leave) && !known(leave) })));
  });
}

function previous() {
  return busily(async () => {
    for (let at = Math.min(state.at, state.trail.length) - 1; at >= 0; at -= 1) {
      if (await reopen(at)) return;
    }
    notice("There is no clip before this one.");
  });
}

// Show a clip of the trail again; false if somebody else has it now, or it has left the queue.
async function reopen(at) {
  const { reviewer } = state;
  try {
    take(await insist("/api/open", seat({ clip: state.trail[at], leave: state.clip?.id ?? "" })), at);
    return true;
  } catch (trouble) {
    if (seat().reviewer !== reviewer) return true; // what was asked for is of no use now
    if (trouble.status === 409 || trouble.status === 404) return false;
    throw trouble;
  }
}

// Verdicts

function judge(action, reason = "") {
  if (!state.clip || state.busy) return;
  if (action === "accept" && !$("broken").hidden) {
    notice("A clip that cannot be watched cannot be accepted: reject it, or skip it.");
    return;
  }
  if (action === "accept" && !boxes.list.length) {
    notice("There is no box to accept: draw one, or reject the clip.");
    return;
  }
  if (action === "accept" && !state.seen) {
    if (state.watched !== state.clip) notice(LOADING); // else the key was hit twice
    return;
  }
  const body = seat({
    clip: state.clip.id, action, reason, comment: $("comment").value, base: state.clip.base, stand: state.clip.stand, seconds: seconds(),
    known: state.clip.given?.number ?? 0,
    regions: boxes.list.map(({ from, bbox, group, interaction }) => ({ from, bbox, group, interaction })),
  });
  keep(pendingKey(), body);
  send(body);
}

function send(body) {
  return busily(async () => {
    try {
      const answer = await insist("/api/verdict", body);
      keep(draftKey(body.clip, body.reviewer), null);
      keep(pendingKey(body.reviewer), null);
      take(answer);
    } catch (trouble) {
      keep(pendingKey(body.reviewer), null);
      if (trouble.status === 409 && body.reviewer === state.reviewer && body.clip === state.clip?.id) {
        take(await insist("/api/open", seat({ clip: body.clip })), state.at); // its class and boxes, as they are now
        if (state.clip?.id === body.clip && body.comment) $("comment").value = body.comment;
        keepDraft();
      }
      throw trouble;
    }
  });
}

function undo() {
  const number = state.progress?.last;
  if (!number) {
    notice("There is no verdict of yours to take back.");
    return undefined;
  }
  return busily(async () => {
    const answer = await insist("/api/undo", seat({ number, leave: state.clip?.id ?? "" }));
    const at = answer.clip ? state.trail.lastIndexOf(answer.clip.id) : -1;
    take(answer, at);
    if (answer.era !== state.era) return;
    const first = answer.clip?.given; // the verdict before the one that was taken back
    const again = first && `${first.action}${first.reason ? `, ${first.reason}` : ""}`;
    if (!answer.undone) notice("Your verdict is taken back. Its clip cannot be shown now: it is on another screen, or no longer in the queue.");
    else if (again) notice(`Your last verdict on this clip is taken back; the one before stands again: ${again}. The boxes are as you left them.`);
    else notice("Your verdict on this clip is taken back; its boxes are as you left them.");
  });
}

function seconds() {
  if (!document.hidden) state.spent += performance.now() - state.since;
  state.since = performance.now();
  return state.spent / 1000;
}

function openReasons() {
  if (!state.clip) return;
  state.rejecting = true;
  state.wanting = "";
  refresh();
  $("reasons").focus(); // none of its buttons: Space and Enter must not choose
}

function closeReasons() {
  state.rejecting = false;
  state.wanting = "";
  $("comment").classList.remove("wanted");
  $("comment").placeholder = "optional; Enter ends it";
  if ($("notice").textContent === WHY) notice(state.words);
}

function rejectFor(reason) {
  if (reason === "other" && !$("comment").value.trim()) {
    state.wanting = reason;
    $("comment").classList.add("wanted");
    $("comment").placeholder = "required: why is it rejected?";
    notice(WHY);
    $("comment").focus();
    return;
  }
  judge("reject", reason);
}

// The video

async function play() {
  try {
    await video.play();
    $("resume").hidden = true;
  } catch (trouble) {
    $("resume").hidden = trouble.name !== "NotAllowedError";
  }
  refresh();
}

function startVideo(clip) {
  $("broken").hidden = true;
  video.src = clip.video;
  watch(clip);
  play();
}

// A clip can be accepted once its first picture has been on the screen for a moment: nobody can judge sooner, and a
// key that is hit twice must not judge the next clip too.
function watch(clip) {
  Object.assign(state, { watched: null, seen: false });
  delete video.dataset.seen;
  const source = new URL(clip.video, location.href).href;
  const look = () => {
    if (state.clip !== clip || state.watched === clip) return;
    if (video.readyState < 2 || !video.videoWidth || video.currentSrc !== source) {
      video.requestVideoFrameCallback?.(look);
      return;
    }
    state.watched = clip;
    setTimeout(() => {
      if (state.watched !== clip) return;
      state.seen = true;
      video.dataset.seen = "yes";
      if ($("notice").textContent === LOADING) notice(state.words);
      refresh();
    }, SETTLE);
  };
  if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(look);
  else video.ontimeupdate = () => video.currentTime > 0 && look();
}

function replay() {
  if (!$("broken").hidden && state.clip) {
    startVideo(state.clip);
    return;
  }
  video.currentTime = 0;
  play();
}

video.addEventListener("error", async () => {
  if (!state.clip || !video.getAttribute("src")) return;
  const { id, video: address } = state.clip;
  let why = "The browser cannot play it.";
  try {
    await get(address);
  } catch (trouble) {
    if (trouble.kind === "gone" && trouble.message === "no answer") return tellGone(trouble);
    if (trouble.kind === "refused") why = trouble.message;
  }
  if (state.clip?.id !== id) return undefined;
  $("broken").textContent = `This clip cannot be shown.\n${why}\nReject it (R), skip it (N), or try again (.).`;
  $("broken").hidden = false;
  refresh();
  return undefined;
});

for (const name of ["play", "pause", "volumechange", "ratechange"]) video.addEventListener(name, () => refresh());
video.addEventListener("loadedmetadata", () => {
  video.playbackRate = state.slow ? 0.5 : 1;
  if (video.videoWidth) fit(video.videoWidth, video.videoHeight);
});

function tick() {
  $("played").style.width = `${video.duration ? (100 * video.currentTime) / video.duration : 0}%`;
  requestAnimationFrame(tick);
}

// Make the screen as large as fits, in the shape of the frame.
function fit(width, height) {
  state.shape = [width, height];
  const { clientWidth, clientHeight } = $("stage");
  const scale = Math.min(clientWidth / width, clientHeight / height);
  $("screen").style.width = `${Math.floor(width * scale)}px`;
  $("screen").style.height = `${Math.floor(height * scale)}px`;
}

new ResizeObserver(() => state.shape && fit(...state.shape)).observe($("stage"));

// What is shown

function notice(text) {
  $("notice").textContent = text;
}

function onBoxes(what) {
  if (what === "change") keepDraft();
  refresh();
}

function refresh() {
  const { clip, progress } = state;
  listBoxes(boxes);
  for (const name of ["tools", "verdict"]) $(name).classList.toggle("veiled", state.rejecting);
  $("reasons").hidden = !state.rejecting;
  $("none").hidden = boxes.list.length > 0;
  press("play", !video.paused, video.paused ? "Play" : "Pause");
  press("mute", video.muted, video.muted ? "Muted" : "Mute");
  press("slow", Boolean(state.slow));
  press("draw", boxes.drawing);
  able("delete", boxes.chosen >= 0);
  able("revert", boxes.past.length > 0);
  able("undo", Boolean(progress?.last));
  able("previous", Math.min(state.at, state.trail.length) > 0);
  able("accept", Boolean(clip) && boxes.list.length > 0 && $("broken").hidden && state.seen);
  for (const name of ["accept", "reject", "next"]) if (state.busy) able(name, false);
  if (!state.busy) ["reject", "next"].forEach((name) => able(name, Boolean(clip)));
  $("who").textContent = state.reviewer;
  if (progress) tellProgress(progress);
}

// What the keys and buttons do

const keepSound = () => keep("sound", { muted: video.muted, slow: Boolean(state.slow) });
const deeds = {
  play: () => (video.paused ? play() : video.pause()),
  replay,
  frame: () => { video.pause(); video.currentTime = state.clip?.frame ?? 0; },
  slow: () => { state.slow = !state.slow; video.playbackRate = state.slow ? 0.5 : 1; keepSound(); refresh(); },
  mute: () => { video.muted = !video.muted; keepSound(); },
  draw: () => { boxes.drawing = !boxes.drawing; boxes.draw(); refresh(); },
  add: () => boxes.add(),
  delete: () => boxes.remove(),
  revert: () => boxes.revert(),
  group: () => boxes.mark("group"),
  interaction: () => boxes.mark("interaction"),
  accept: () => judge("accept"),
  reject: openReasons,
  next: () => next(),
  previous,
  undo,
  comment: () => $("comment").focus(),
  help: () => $("help").showModal(),
  who: () => begin(true),
};
const onEnd = new Set(["previous", "undo", "help", "who"]);
const keys = {
  " ": "play", ".": "replay", f: "frame", s: "slow", m: "mute", d: "draw", b: "add", Delete: "delete", Backspace: "delete",
  z: "revert", g: "group", i: "interaction", a: "accept", r: "reject", n: "next", p: "previous", u: "undo", c: "comment", "?": "help",
};
const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function run(name) {
  if (state.clip || onEnd.has(name)) deeds[name]();
}

document.addEventListener("keydown", (event) => {
  if ($("start").open || $("help").open) return;
  const { key, target } = event;
  if (target === $("comment")) return inComment(event);
  if (key === "Escape") return escape();
  if (event.ctrlKey || event.metaKey) {
    if (key.toLowerCase() !== "z") return undefined;
  } else if (event.altKey && !arrows[key]) {
    return undefined;
  }
  if (state.rejecting && (key === " " || (key === "Enter" && event.repeat))) return event.preventDefault();
  if ((key === " " || key === "Enter") && target.closest("button")) return undefined; // the button does it
  if (state.rejecting) return whileRejecting(event);
  if (arrows[key]) return onArrow(event);
  if (key === "Tab") return onTab(event);
  const name = keys[key] ?? keys[key.toLowerCase()];
  if (!name) return undefined;
  event.preventDefault();
  if (!event.repeat || name === "revert") run(name);
  return undefined;
});

document.addEventListener("keyup", (event) => { // where Space presses a button when it is let go
  if (state.rejecting && event.key === " " && event.target !== $("comment")) event.preventDefault();
});

function inComment(event) {
  if (event.key === "Escape") {
    closeReasons();
    refresh();
  } else if (event.key !== "Enter" || event.shiftKey || event.isComposing) {
    return;
  }
  event.preventDefault();
  $("comment").blur();
  if (event.key === "Enter" && state.wanting) rejectFor(state.wanting);
}

function escape() {
  if (state.rejecting) closeReasons();
  else if (boxes.drawing) boxes.drawing = false;
  else boxes.choose(-1);
  document.activeElement?.blur?.();
  boxes.draw();
  refresh();
}

function whileRejecting(event) {
  const reason = state.reasons[Number(event.key) - 1];
  if (reason) {
    event.preventDefault();
    rejectFor(reason.reason);
  } else if (arrows[event.key]) {
    event.preventDefault();
    const all = [...$("reasons").querySelectorAll("button")];
    const [dx, dy] = arrows[event.key];
    const at = all.indexOf(document.activeElement);
    all[at < 0 ? (dx + dy > 0 ? 0 : all.length - 1) : (at + dx + dy + all.length) % all.length].focus();
  }
}

function onArrow(event) {
  const [dx, dy] = arrows[event.key];
  if (boxes.chosen >= 0) {
    const step = event.altKey ? FINE : STEP;
    event.preventDefault();
    boxes.nudge(dx * step, dy * step, event.shiftKey);
  } else if (!event.altKey && !event.shiftKey && dx && !event.repeat) {
    event.preventDefault();
    run(dx > 0 ? "next" : "previous");
  }
}

// Tab goes through the boxes first, then through the buttons; Escape brings it back to the boxes.
function onTab(event) {
  const { activeElement } = document;
  const free = !activeElement || activeElement === document.body || !activeElement.checkVisibility();
  const inBoxes = $("boxes").contains(activeElement);
  if (event.shiftKey || !state.clip || !(free || inBoxes) || boxes.chosen + 1 >= boxes.list.length) return;
  event.preventDefault();
  boxes.choose(boxes.chosen + 1, true);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (!button) return;
  if (event.detail > 0) button.blur(); // by pointer: the keys stay with the page
  run(button.dataset.do);
});
$("resume").addEventListener("click", () => play());
$("comment").addEventListener("input", keepDraft);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) state.spent += performance.now() - state.since;
  state.since = performance.now();
});
window.addEventListener("pagehide", () => {
  if (state.reviewer && state.clip) post("/api/leave", seat({ clip: state.clip.id }), true).catch(() => {});
});
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

// The beginning

// Ask for a name (and for the gesture without which a browser plays no sound), then go on where it was.
function begin(ask) {
  if (!ask) return goOn();
  const leave = state.clip?.id ?? "";
  const at = state.reviewer;
  let begun = false;
  video.pause();
  $("name").value = state.reviewer;
  const show = () => {
    $("start").showModal();
    $(state.reviewer ? "begin" : "name").focus(); // with a name, Space begins too
  };
  $("start").oncancel = null;
  $("start").onclose = () => { // by Escape: without anybody there is nothing to go back to
    if (begun) return;
    if (state.progress) play();
    else show();
  };
  $("start-form").onsubmit = () => {
    const name = $("name").value.trim().replace(/\s+/g, " ");
    if (!name) return;
    begun = true;
    if (name === at && state.progress) return void play();
    if (at && leave) post("/api/leave", seat({ clip: leave })).catch(() => {});
    if (name !== at) {
      if (at) keep("place", null);
      state.era += 1;
      state.progress = null;
      setBusy(false);
    }
    state.reviewer = name;
    keep("reviewer", name);
    state.clip = null;
    refresh();
    goOn();
  };
  show();
  return undefined;
}

async function goOn() {
  const { era } = state;
  const pending = recall(pendingKey(), null);
  const { clip = "", trail = [], at = -1, again = false } = recall("place", {});
  Object.assign(state, { trail, at });
  const wrong = pending ? await send(pending) : "";
  if (era !== state.era || (pending && !wrong)) return;
  await busily(async () => {
    if (clip && again && (await reopen(at))) return;
    take(await insist("/api/next", seat({ prefer: clip })));
  });
  if (wrong && era === state.era) notice(`Your last verdict was not taken: ${wrong}.`);
}

async function open() {
  history.replaceState(null, "", location.pathname); // the token leaves the address
  let hello;
  while (!hello) {
    try {
      hello = await get("/api/hello");
      tellGone(null);
    } catch (trouble) {
      tellGone(trouble);
      await pause(RETRY);
    }
  }
  state.reasons = hello.reasons;
  listReasons(state.reasons, rejectFor, escape);
  state.window = await ownWindow();
  const { muted = false, slow = false } = recall("sound", {});
  video.muted = muted;
  state.slow = slow;
  const before = recall("reviewer", "");
  state.reviewer = before || hello.reviewer;
  $("start-clips").textContent = `${hello.clips.toLocaleString("en")} ${hello.clips === 1 ? "clip is" : "clips are"} in the queue.`;
  setInterval(() => (state.gone ? undefined : beat()), BEAT);
  setInterval(() => state.gone && !state.busy && beat(), RETRY);
  setInterval(() => state.reviewer && !state.clip && !state.busy && state.why === "waiting" && next(""), LOOK);
  requestAnimationFrame(tick);
  begin(!before);
}

open();
