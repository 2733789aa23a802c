"""Makes docs/commands.md from the commands themselves: `make docs`. A test checks that the page is up to date."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from vggss.cli import cli

PAGE = Path(__file__).resolve().parent / "commands.md"

HEAD = """# Commands

Results go to standard output, everything else to standard error; colours only on a terminal. Exit codes: 0 done,
1 the data is at fault (or a `--strict` check found something), 2 the request is, 130 stopped by Ctrl-C (the same
command goes on). This page is made from `--help` (`make docs`).
"""


def page() -> str:
    """Return the page."""
    return HEAD + "".join(_section(name, command) for name, command in _commands())


def _commands() -> Iterator[tuple[str, click.Command]]:
    for name, command in cli.commands.items():
        yield name, command
        if isinstance(command, click.Group):
            for inner, subcommand in command.commands.items():
                yield f"{name} {inner}", subcommand


def _section(name: str, command: click.Command) -> str:
    text, _, example = inspect.cleandoc(command.help or "").partition("\b\nExample:\n")
    arguments = " ".join(
        p.make_metavar(click.Context(command)) for p in command.params if isinstance(p, click.Argument)
    )
    lines = [f"\n## vggss {name}\n", f"    vggss {name} {arguments}".rstrip() + "\n", text.strip() + "\n"]
    lines.append(
        "```console\n" + "\n".join(f"$ {line.strip()}" for line in example.strip().splitlines()) + "\n```\n"
    )
    options = [p for p in command.params if isinstance(p, click.Option)]
    if options:
        lines.append("| option | meaning |\n| --- | --- |\n" + "\n".join(map(_option, options)) + "\n")
    return "\n".join(lines)


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    if not option.is_flag:
        kind = "|".join(option.type.choices) if isinstance(option.type, click.Choice) else option.metavar
        kind = kind or option.type.name.upper().replace("INTEGER RANGE", "N").replace("FLOAT RANGE", "NUMBER")
        names += f" {kind}".replace("|", "\\|")
    help_text = option.help or ""
    default = f" Default: `{option.default}`." if option.show_default and not option.is_flag else ""
    return f"| {names} | {help_text}{default} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
