"""A page that plays the sounds of a batch, for VIA 2 cannot: one file, no network, no scripts from elsewhere."""

from __future__ import annotations

import html
import urllib.parse

from vggss.pipeline.manual.batches import Batch, Given

_STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 25%, transparent); }
body { font: 16px/1.4 system-ui, sans-serif; max-width: 60rem; margin: 1rem auto; padding: 0 1rem; }
ol:not(.how) { list-style: none; padding: 0; }
li[id] { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; padding: .5rem; border-top: 1px solid var(--line); }
li[id]:focus { outline: 3px solid Highlight; }
li img { width: 10rem; height: auto; }
li div { flex: 1 1 16rem; min-width: 0; overflow-wrap: anywhere; }
li audio { width: 100%; }
.note { opacity: .8; }
kbd { border: 1px solid var(--line); border-radius: 3px; padding: 0 .3em; }
"""

_SCRIPT = """
const items = [...document.querySelectorAll('li[id]')];
let at = 0;
function go(place, play) {
  items.forEach(item => item.querySelector('audio')?.pause());
  at = Math.min(Math.max(place, 0), items.length - 1);
  items[at].focus();
  items[at].scrollIntoView({block: 'nearest'});
  location.replace('#' + (at + 1));
  if (play) again();
}
function again() {
  const sound = items[at].querySelector('audio');
  if (sound) { sound.currentTime = 0; sound.play(); }
}
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.('button, a, details, summary, input, select, textarea')) return;
  const key = event.key;
  if (key === 'n' || key === 'ArrowDown') go(at + 1, true);
  else if (key === 'p' || key === 'ArrowUp') go(at - 1, true);
  else if (key === ' ' || key === 'r') again();
  else if (key === 's') items[at].querySelector('audio')?.pause();
  else return;
  event.preventDefault();
});
items.forEach((item, place) => item.addEventListener('click', () => { at = place; }));
document.querySelectorAll('audio').forEach((sound, _, all) => sound.addEventListener('play', () =>
  all.forEach(other => other !== sound && other.pause())));
if (items.length) go((parseInt(location.hash.slice(1)) || 1) - 1, false);
"""

_HOW = """
<details><summary>How to annotate</summary>
<ol class="how">
<li>Open VIA 2 (via.html in this folder; it must lie here to find the pictures), Project, Load: project.json.</li>
<li>Listen here, then look there: box what makes the sound of the class, all of what is visible, nothing else.</li>
<li>Fewer than five that can be told apart: a box each. Five or more, or one heap: one box over all, tick group_box.</li>
<li>Two things make the sound together (a hammer on a nail): a tight box where they meet, tick interaction_point.</li>
<li>No box can be drawn: delete the boxes and choose why in not_localisable: not visible, too small, diffuse, unclear, other.</li>
<li>Boxes that are right already stay as they are. Tick done on every picture that you have looked at.</li>
<li>Project, Save, as often as you like, and hand in the last file.</li>
</ol></details>
"""

_POLICY = (
    "default-src 'none'; img-src 'self' file:; media-src 'self' file:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)


def page(batch: Batch) -> bytes:
    """Write the page: the pictures of a batch in the order in which VIA lists them, each with its sound.

    By keyboard: n, p (or down, up) next and previous with sound, space or r again, s silence.
    """
    title = html.escape(f"Sounds of {batch.folder}")
    items = "\n".join(_item(number, one) for number, one in enumerate(batch.given, 1))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(_POLICY)}">\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        f"<p>The numbers are those of VIA's list. Five seconds round the frame.\n"
        f"Keys: <kbd>n</kbd> next, <kbd>p</kbd> previous, <kbd>space</kbd> again, <kbd>s</kbd> silence.</p>\n"
        f"{_HOW}<ol>\n{items}\n</ol>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    ).encode()


def _item(number: int, one: Given) -> str:
    picture = html.escape(_link("images", one.picture))
    heard = (
        f'<audio controls preload="none" src="{html.escape(_link("sounds", one.sound))}"></audio>'
        if one.sound
        else '<span class="note">no sound was exported</span>'
    )
    note = f'<br><span class="note">{html.escape(one.note)}</span>' if one.note else ""
    return (
        f'<li id="{number}" tabindex="0"><img src="{picture}" alt="" loading="lazy">'
        f"<div><b>{number}. {html.escape(one.sound_class) or 'no class'}</b>"
        f"<br>{html.escape(one.clip)}{note}<br>{heard}</div></li>"
    )


def _link(folder: str, name: str) -> str:
    return f"{folder}/{urllib.parse.quote(name)}"
