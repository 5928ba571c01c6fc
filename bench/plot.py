"""Plot: CPU per request of every proxy as an SVG picture that reads on light and dark pages. No library is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from bench.scenarios.figures import Result, Row

# What is compared; a picture of everything says nothing.
_SHOWN: Mapping[str, str] = {
    "small-32": "small answers",
    "new-connection": "a new connection each",
    "answer-1m": "answers of 1 MiB",
    "upload-1m": "uploads of 1 MiB",
    "websocket": "WebSocket messages",
}
_FIGURE = "cpu_us"

# Pixels.
_WIDTH, _LABEL, _VALUE = 720, 110, 70
_BAR, _STEP, _TITLE, _GAP, _MARGIN = 14, 20, 26, 16, 12

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.bar { fill: #afb8c1; }
.own { fill: #0969da; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .bar { fill: #484f58; }
  .own { fill: #58a6ff; }
}
"""


def plot(results: Sequence[Result], own: str) -> str:
    """The picture. own: the proxy that stands out."""
    shown = [result for result in results if result.name in _SHOWN and result.rows]
    parts: list[str] = []
    top = _MARGIN
    for result in shown:
        parts += _panel(_SHOWN[result.name], result.rows, top, own)
        top += _TITLE + _STEP * len(result.rows) + _GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" height="{top}" '
            f'role="img" aria-label="CPU per request of each proxy">',
            f"<style>{_STYLE}</style>",
            *parts,
            "</svg>",
            "",
        ]
    )


def _panel(title: str, rows: Sequence[Row], top: float, own: str) -> list[str]:
    values = {row.name: row.figures.get(_FIGURE) or 0.0 for row in rows}
    scale = (_WIDTH - _LABEL - _VALUE - 2 * _MARGIN) / (max(values.values()) or 1.0)
    parts = [f'<text class="title" x="{_MARGIN}" y="{top + _BAR}">{escape(title)}: CPU µs per request</text>']
    for number, (name, value) in enumerate(values.items()):
        y = top + _TITLE + number * _STEP
        kind = "bar own" if name == own else "bar"
        width = max(1.0, value * scale)
        parts += [
            f'<text x="{_MARGIN}" y="{y + 12}">{escape(name)}</text>',
            f'<rect class="{kind}" x="{_LABEL}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2"/>',
            f'<text x="{_LABEL + width + 6:.1f}" y="{y + 12}">{value:,.0f}</text>',
        ]
    return parts
