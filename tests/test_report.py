"""The HTML reports: what they say, that they stand alone, and that strange names do no harm."""

from __future__ import annotations

import builtins
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import report_cases as cases

from vggss.annotations import published_results, references
from vggss.benchmark import Annotation, Benchmark
from vggss.boxes import Box
from vggss.errors import UsageError
from vggss.scoring.leaderboard import leaderboard
from vggss.scoring.protocol import PROTOCOLS, get_protocol
from vggss.scoring.report import leaderboard_report, score_report

# The page as a page


VARIANTS: dict[str, tuple[Benchmark, dict[str, Any]]] = {
    "plain": (cases.benchmark(), {}),
    "no intervals": (cases.benchmark(), {"resamples": 0}),
    "three clips": (cases.benchmark(3), {}),
    "one clip": (cases.benchmark(1), {}),
    "skip": (cases.benchmark(), {"leave_out": (1, 5), "missing": "skip"}),
    "zero": (cases.benchmark(), {"leave_out": (1, 5), "missing": "zero"}),
    "negatives": (cases.benchmark(12, (Annotation("silent", "none", ()),)), {"protocol": "slavc"}),
    **{name: (cases.benchmark(4), {"protocol": name}) for name in PROTOCOLS},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_report_is_a_well_formed_page_that_never_says_nan(name: str) -> None:
    part, options = VARIANTS[name]
    text = cases.page(*cases.scored(part, **options))
    tags = cases.Tags(text)
    assert tags.open == []
    assert text.startswith("<!doctype html>")
    assert tags.named("html")[0]["lang"] == "en"
    assert {"main", "header", "footer", "nav", "h1", "h2", "h3"} <= {tag for tag, _ in tags.found}
    assert not re.search(r"\b(nan|None|inf|Undefined)\b", re.sub(r"(?s)<script>.*?</script>", "", text))
    ids = [a["id"] for _, a in tags.found if "id" in a]
    assert len(ids) == len(set(ids)), "an id stands twice"
    targets = {a["href"][1:] for a in tags.named("a") if a["href"] and a["href"].startswith("#")}
    assert targets <= set(ids), "a link leads nowhere"


def test_a_report_loads_nothing(frames: Path) -> None:
    tags = cases.Tags(cases.page(*cases.scored(), frames))
    loads = [
        a[key] or "" for _, a in tags.found for key in ("src", "href", "srcset", "action", "data") if key in a
    ]
    assert [where for where in loads if not where.startswith(("#", "data:"))] == []
    styles = str([a.get("style") for _, a in tags.found])
    text = cases.page(*cases.scored(), frames)
    assert "@import" not in text and "url(" not in text and "url(" not in styles
    assert "http:" not in text and "https:" not in text


def test_a_report_forbids_what_it_does_not_need() -> None:
    policies = [a for a in cases.Tags(cases.page(*cases.scored())).named("meta") if a.get("http-equiv")]
    assert len(policies) == 1
    assert (policies[0]["content"] or "").startswith("default-src 'none'; img-src data:;")


def test_a_report_is_the_same_every_time(frames: Path) -> None:
    result, made = cases.scored()
    assert score_report(result, made, frames, cases.COMMAND) == score_report(
        result, made, frames, cases.COMMAND
    )


def test_every_drawing_has_a_name() -> None:
    found = cases.Tags(cases.page(*cases.scored())).found
    after = [found[i + 1][0] for i, (tag, a) in enumerate(found) if tag == "svg" and a.get("role") == "img"]
    assert len(after) > 10 and set(after) == {"title"}
    assert all(a.get("role") == "img" or a.get("aria-hidden") == "true" or "width" in a
               for tag, a in found if tag == "svg"), "a drawing is neither named, hidden, nor inside another"  # fmt: skip


@pytest.mark.parametrize("where", ["model", "command", "class", "origin", "slice"])
def test_a_malicious_name_is_only_text(where: str, tmp_path: Path) -> None:
    part, options, command = cases.benchmark(), {}, cases.COMMAND
    if where == "class":
        first, *rest = part.annotations
        part = replace(part, annotations=(replace(first, sound_class=cases.EVIL), *rest))
    if where == "origin":
        part = replace(part, origin=cases.EVIL)
    if where == "slice":
        table = tmp_path / "slices.csv"
        table.write_text("id,light\n" + "".join(f"{i},{cases.EVIL}\n" for i in part.ids))
        options["slices"] = table
    if where == "model":
        options["model"] = cases.EVIL
    if where == "command":
        command = cases.EVIL
    text = cases.page(*cases.scored(part, **options), command=command)
    tags = cases.Tags(text)
    assert len(tags.named("script")) == 1
    assert tags.named("img") == []
    assert "&lt;script&gt;" in text


def test_a_malicious_id_is_only_text() -> None:
    part = cases.benchmark(6, (Annotation(cases.EVIL, "baby crying", (Box(0, 0, 1, 1),)),))
    tags = cases.Tags(cases.page(*cases.scored(part, leave_out=(6,), missing="skip")))
    assert len(tags.named("script")) == 1 and tags.named("img") == []


# What it says


def test_the_headline_is_the_score_with_its_interval() -> None:
    result, made = cases.scored()
    text = cases.page(result, made)
    assert f"<strong>{100 * result.success.value:.2f} %</strong>" in text
    assert f"[{100 * result.success.low:.2f}, {100 * result.success.high:.2f}]" in text
    assert f"<strong>{result.auc.value:.4f}</strong>" in text
    assert f"[{result.auc.low:.4f}, {result.auc.high:.4f}]" in text


def test_ceiling_and_every_blind_row_stand_in_the_picture() -> None:
    result, made = cases.scored()
    text = cases.page(result, made)
    assert f">ceiling {100 * result.ceiling[0]:.2f}<" in text
    for row in result.blind:
        assert f">{row.name} {100 * row.success:.2f}<" in text


@pytest.mark.parametrize("p,value,words", [
    (0.001, 0.1, "Better than blind"),
    (0.001, -0.1, "Worse than blind"),
    (0.5, 0.1, "Not distinguishable from blind"),
])  # fmt: skip
def test_the_verdict_is_in_plain_words(p: float, value: float, words: str) -> None:
    result, made = cases.scored(resamples=0)
    ahead = replace(result.advantage, p=p, success=replace(result.advantage.success, value=value))
    assert words in cases.page(replace(result, advantage=ahead), made)


def test_without_intervals_the_report_says_so() -> None:
    text = cases.page(*cases.scored(resamples=0))
    assert text.count("no interval") == 2
    assert "none for the headline" in text


@pytest.mark.parametrize("protocol", ["adaptive", "best-threshold"])
def test_a_caution_stands_by_the_headline(protocol: str) -> None:
    text = cases.page(*cases.scored(protocol=protocol))
    header = text[text.index("<header>") : text.index("</header>")]
    assert get_protocol(protocol).caution in header


def test_every_missing_clip_is_listed() -> None:
    result, made = cases.scored(leave_out=(0, 7, 19), missing="skip")
    text = cases.page(result, made)
    assert all(f'<li class="id">{i}</li>' in text for i in result.missing) and len(result.missing) == 3
    assert "3 clips were not predicted and are left out" in text
    assert f"{100 * result.worst[0]:.2f} %" in text and f"{100 * result.best[0]:.2f} %" in text


def test_missing_clips_that_count_as_failures_are_said_to() -> None:
    assert "1 clip was not predicted and is counted as a failure" in cases.page(
        *cases.scored(leave_out=(3,), missing="zero")
    )
    assert "2 clips were not predicted and are counted as failures" in cases.page(
        *cases.scored(leave_out=(3, 4), missing="zero")
    )


def test_impossible_clips_and_defective_boxes_are_named() -> None:
    part = cases.benchmark(6, (Annotation("upside-down", "dog barking", (Box(0.9, 0.9, 0.1, 0.1),)),))
    text = cases.page(*cases.scored(part))
    assert "1 clip has no box that covers a pixel" in text and "upside-down" in text
    assert "1 defective box covers nothing" in text


def test_groups_of_ones_own_appear_and_large_ones_are_folded(tmp_path: Path) -> None:
    part = cases.benchmark(40)
    table = tmp_path / "slices.csv"
    table.write_text(
        "id,light,shot\n"
        + "".join(f"{c},{'dark' if i % 2 else 'day'},s{i}\n" for i, c in enumerate(part.ids))
    )
    text = cases.page(*cases.scored(part, slices=table))
    assert "<h3>By light</h3>" in text and ">dark</th>" in text
    assert "<summary><strong>shot</strong> (40 values)</summary>" in text


def test_classes_stand_by_falling_success() -> None:
    result, made = cases.scored()
    text = cases.page(result, made)
    shares = {row.value: row.success for row in result.slices if row.group == "class"}
    table = text[text.index('id="classes-title"') : text.index('id="benchmark-title"')]
    order = re.findall(r'<th scope="row">([^<]+)</th>', table)
    assert sorted(order) == sorted(cases.CLASSES)
    assert [shares[name] for name in order] == sorted(shares.values(), reverse=True)


def test_detection_numbers_are_there_where_the_protocol_has_them() -> None:
    part = cases.benchmark(12, tuple(Annotation(f"silent{i}", "none", ()) for i in range(4)))
    result, made = cases.scored(part, protocol="slavc")
    text = cases.page(result, made)
    assert result.detection is not None
    assert f"<dt>AP</dt><dd><strong>{100 * result.detection.average_precision:.2f}</strong>" in text
    assert "12 clips with a box and 4 without one" in text
    assert "<dt>AP</dt>" not in cases.page(*cases.scored())


def test_provenance_names_every_input() -> None:
    result, made = cases.scored()
    text = cases.page(replace(result, predictions_sha256="cd" * 32), made)
    for piece in ("ab" * 32, "cd" * 32, "mine.json", "made.json", result.protocol.settings, result.version, cases.COMMAND,
                  result.protocol.source, "Localizing Visual Sounds the Hard Way", "success rate"):  # fmt: skip
        assert piece in text


def test_notes_are_all_printed() -> None:
    result, made = cases.scored()
    text = cases.page(replace(result, notes=["first remark", "second & last"]), made)
    assert "<li>first remark</li>" in text and "<li>second &amp; last</li>" in text
    assert "2 notes" in text[: text.index("</header>")]


def test_a_report_without_jinja2_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    result, made = cases.scored()
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "jinja2":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=re.escape('pip install "vggss[report]"')):
        score_report(result, made, None, cases.COMMAND)
    with pytest.raises(UsageError, match="jinja2"):
        leaderboard_report([], cases.COMMAND)


# The leaderboard


def test_the_leaderboard_is_a_well_formed_page_that_loads_nothing() -> None:
    text = cases.boards()
    tags = cases.Tags(text)
    assert tags.open == []
    assert len(tags.named("script")) == 1 and tags.named("img") == []
    assert "http:" not in text and "https:" not in text


def test_every_published_result_has_a_row_on_one_board() -> None:
    kinds = [a.get("class") for a in cases.Tags(cases.boards()).named("tr")]
    assert kinds.count("published") == len(published_results())
    assert kinds.count("yours") == 1 and "blind" in kinds and "ceiling" in kinds


def test_a_row_of_yours_has_its_interval() -> None:
    mine, _ = cases.scored()
    text = leaderboard_report(leaderboard([], [], [mine]), "vggss").decode()
    assert f"[{100 * mine.success.low:.2f}, {100 * mine.success.high:.2f}]" in text
    assert "(yours)" in text


def test_the_leaderboard_forbids_ranking_across_boards_and_prints_every_mark() -> None:
    found = leaderboard(published_results(), references())
    text = leaderboard_report(found, "vggss leaderboard").decode()
    assert "Never rank across boards" in text
    marks = [row.mark for board in found for row in board.rows if row.mark]
    assert text.count('class="mark"') == len(marks) > 0
