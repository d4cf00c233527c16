"""A report's page: its sections as one HTML file without a script, and as Markdown. What people
wrote is escaped; only plots, made here as SVG, are set as they are. Knows no jobs and no models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from db.dataset.visible import visible
from engine.files import write_whole
from trainer.plots import COLOURS, STYLE

HTML, MARKDOWN, JSON = "report.html", "report.md", "report.json"
_MOST_TEXT = 300  # characters of one value
Table = tuple[Sequence[str], Sequence[Sequence[str]]]


@dataclass(frozen=True)
class Section:
    """A part of a report: text, plots (SVG, made here), a table, a command for a shell."""

    title: str
    text: str = ""
    plots: tuple[tuple[str, str], ...] = ()
    table: Table = ((), ())
    command: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.plots or self.table[1] or self.command)


def write_pages(folder: Path, title: str, sections: Sequence[Section]) -> tuple[Path, Path]:
    """Write both forms into the folder; their files, HTML first. OSError where the disk does not
    take them."""
    made = (
        (folder / HTML, to_html(title, sections)),
        (folder / MARKDOWN, to_markdown(title, sections)),
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file, text in made:
        write_whole(file, text)
    return made[0][0], made[1][0]


def said(name: str) -> str:
    """A name as words."""
    return visible(str(name).replace("_", " "))


def value_text(value: object) -> str:
    """A value as text: numbers short, anything else as it is but for what nobody sees."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return " to ".join(map(value_text, value))
    return visible(str(value))[:_MOST_TEXT]


def legend(names: Sequence[str]) -> str:
    """Which colour is whose, in the order of a plot's colours."""
    parts = (
        f'<span><svg viewBox="0 0 22 4"><path class="curve c{n % COLOURS}" d="M0 2h22"/></svg>'
        f"{escape(name)}</span>"
        for n, name in enumerate(names)
    )
    return f'<p class="legend">{"".join(parts)}</p>'


def to_html(title: str, sections: Sequence[Section]) -> str:
    """The page; every text in it is escaped, only plots are set as they are."""
    parts = [f"<h1>{escape(title)}</h1>"]
    for section in sections:
        if section.title:
            parts.append(f"<h2>{escape(section.title)}</h2>")
        if section.text:
            parts.append(f"<p>{escape(section.text)}</p>")
        if section.command:
            parts.append(f"<pre>{escape(section.command)}</pre>")
        for name, plot in section.plots:
            parts.append(f"<figure><figcaption>{escape(name)}</figcaption>{plot}</figure>")
        parts.append(_html_table(section.table))
    return _PAGE.format(title=escape(title), style=STYLE + _STYLE, body="\n".join(parts))


def _html_table(table: Table) -> str:
    heads, rows = table
    if not rows:
        return ""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    lines = [f"<tr>{head}</tr>"] if head else []
    for row in rows:
        lines.append("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>")
    return f'<div class="wide"><table>{"".join(lines)}</table></div>'


def to_markdown(title: str, sections: Sequence[Section]) -> str:
    """The same without plots."""
    lines = [f"# {_cell(title)}", ""]
    for section in sections:
        heads, rows = section.table
        if not (section.text or section.command or rows):
            continue
        if section.title:
            lines += [f"## {_cell(section.title)}", ""]
        if section.text:
            lines += [_cell(section.text), ""]
        if section.command:
            lines += ["```bash", section.command, "```", ""]
        if rows:
            heads = heads or ("",) * len(rows[0])
            lines += [_line(heads), "|" + "---|" * len(heads), *map(_line, rows), ""]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(text: str) -> str:
    """Text that Markdown shows as it stands."""
    text = " ".join(text.split())
    return "".join(f"\\{c}" if c in r"\`*_[]<>|#" else c for c in text)


_STYLE = """
body { max-width: 860px; margin: 32px auto; padding: 0 20px; background: var(--paper);
  color: var(--ink); font: 15px/1.55 system-ui, sans-serif; }
h1, h2 { font-family: Georgia, serif; font-weight: 500; overflow-wrap: anywhere; }
h2 { margin-top: 36px; }
figure { margin: 24px 0; } figcaption { font-weight: 600; margin-bottom: 8px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 20px; margin: 6px 0; font-size: 13.5px; }
.legend svg { display: inline-block; width: 22px; height: 4px; margin: 0 6px 3px 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 18px 5px 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; min-width: 4.5em; }
th:first-child, td:first-child { min-width: 8em; }
th, td:first-child { color: var(--soft); font-weight: 400; }
pre { padding: 12px; border-radius: 10px; background: var(--sheet); white-space: pre-wrap;
  overflow-wrap: anywhere; }
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
