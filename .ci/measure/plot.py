"""Draws line charts as small SVG files that read well on a light page and on a dark one.

    panels(path, title, [Panel(…), …])    charts side by side, in one file

Colors come from a style sheet inside the file, with another set for `prefers-color-scheme: dark`. Every line is
labelled at its end, so that nobody has to tell colors apart."""

import math
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 440, 280
LEFT, RIGHT, TOP, BOTTOM = 54, 148, 46, 44
LINES = 6
STYLE = """
    .paper { fill: #fbfaf7 }
    text { fill: #23211c; font-size: 12px }
    .title { font-size: 14px; font-weight: 600 }
    .note { fill: #5d594e }
    .grid { stroke: #dedacd; stroke-width: 1 }
    .line { fill: none; stroke-width: 2; stroke-linejoin: round }
    .s0 { stroke: #1f6f54 } .s1 { stroke: #3f5fa8 } .s2 { stroke: #b0562a } .s3 { stroke: #8a4a9c } .s4 { stroke: #8a7a1e }
    .s5 { stroke: #5d6a73 }
    circle { fill: #fbfaf7; stroke-width: 2 }
    @media (prefers-color-scheme: dark) {
      .paper, circle { fill: #1b1d20 }
      text { fill: #eceae5 }
      .note { fill: #aeb2b7 }
      .grid { stroke: #363a40 }
      .s0 { stroke: #6cc4a1 } .s1 { stroke: #8fb0f0 } .s2 { stroke: #f0a070 } .s3 { stroke: #d09ae0 } .s4 { stroke: #d8c860 }
      .s5 { stroke: #a8b4bc }
    }
"""


@dataclass
class Panel:
    """A chart. `lines` has the points of each line by its name."""

    title: str
    x: str
    y: str
    lines: dict[str, list[tuple[float, float]]]
    log_x: bool = True
    log_y: bool = False
    # The axis reaches at least so far.
    y_most: float = 0
    y_least: float = field(default=0)


def short(number):
    """As on an axis: 0.5, 20, 3 k, 100 k."""
    if number >= 10_000 or (number >= 1000 and number % 1000 == 0):
        return f"{number / 1000:g} k"
    return f"{number:g}"


def ticks(least, most, is_log):
    if is_log:
        first, last = math.floor(math.log10(least)), math.ceil(math.log10(most))
        return [10.0**power for power in range(first, last + 1)]
    step = 10 ** math.floor(math.log10(most / 2 or 1))
    step *= next(factor for factor in (1, 2, 5, 10) if most / (step * factor) <= 5)
    return [step * number for number in range(math.ceil(most / step) + 1)]


def apart(places, gap=13):
    """Moves labels that would cover each other apart, as little as it takes."""
    for _ in range(50):
        order = sorted(places, key=places.get)
        for upper, lower in zip(order, order[1:]):
            missing = gap - (places[lower] - places[upper])
            if missing > 0:
                places[upper] -= missing / 2
                places[lower] += missing / 2
    return places


def draw(panel, left):
    assert len(panel.lines) <= LINES, f"{panel.title}: there are colors for {LINES} lines"
    points = [point for line in panel.lines.values() for point in line]
    xs, ys = sorted({x for x, _ in points}), [y for _, y in points]
    steps = ticks(min(panel.y_least or min(ys), min(ys)), max(*ys, panel.y_most), panel.log_y)
    low, high = steps[0], steps[-1]
    to = lambda value, is_log: math.log10(value) if is_log else value
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    span = (to(xs[-1], panel.log_x) - to(xs[0], panel.log_x)) or 1
    at_x = lambda x: left + LEFT + wide * (to(x, panel.log_x) - to(xs[0], panel.log_x)) / span
    rise = to(high, panel.log_y) - to(low, panel.log_y)
    at_y = lambda y: TOP + tall * (1 - (to(y, panel.log_y) - to(low, panel.log_y)) / rise)
    out = [f'<text class="title" x="{left + 16}" y="24">{escape(panel.title)}</text>']
    out.append(f'<text class="note" x="{left + LEFT}" y="40">{escape(panel.y)}</text>')
    for step in steps:
        y = at_y(step)
        out.append(f'<path class="grid" d="M{left + LEFT} {y:.1f}h{wide}"/>')
        out.append(f'<text class="note" x="{left + LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{short(step)}</text>')
    # Where there are steps, each is named.
    for x in xs if panel.log_x else [x for x in ticks(0, xs[-1], False) if xs[0] <= x <= xs[-1]]:
        out.append(f'<text class="note" x="{at_x(x):.1f}" y="{HEIGHT - 26}" text-anchor="middle">{short(x)}</text>')
    out.append(f'<text class="note" x="{left + LEFT + wide / 2:.0f}" y="{HEIGHT - 9}" text-anchor="middle">{escape(panel.x)}</text>')
    labels = apart({name: at_y(line[-1][1]) for name, line in panel.lines.items()})
    for number, (name, line) in enumerate(panel.lines.items()):
        path = "L".join(f"{at_x(x):.1f} {at_y(y):.1f}" for x, y in line)
        out.append(f'<path class="line s{number}" d="M{path}"/>')
        dots = "".join(f'<circle class="s{number}" cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="2.5"/>' for x, y in line)
        out.append(dots)
        out.append(f'<text x="{at_x(line[-1][0]) + 8:.1f}" y="{labels[name] + 4:.1f}">{escape(name)}</text>')
    return out


def panels(path, title, charts, columns=2):
    """Writes the charts into one file, so many side by side."""
    rows = math.ceil(len(charts) / columns)
    width, height = WIDTH * min(columns, len(charts)), HEIGHT * rows
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'font-family="system-ui, -apple-system, \'Segoe UI\', \'Helvetica Neue\', Arial, sans-serif">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}" rx="12"/>',
    ]
    for number, chart in enumerate(charts):
        row, column = divmod(number, columns)
        out.append(f'<g transform="translate(0 {row * HEIGHT})">')
        out += draw(chart, column * WIDTH)
        out.append("</g>")
    with open(path, "w") as file:
        file.write("\n".join(out) + "\n</svg>\n")
