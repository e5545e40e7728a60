# SPDX-License-Identifier: BSD-3-Clause
"""Cost against the number of nodes as SVG: both axes logarithmic, so that what is constant is level."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 480, 60, 300, 24, 44
COLOURS = ("#0b6bcb", "#c0392b", "#1e8449", "#8e44ad", "#b9770e", "#148f8f")


def decades(values):
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def svg(curves):
    """Curves as rows.curves() gives them; those without points are left out."""
    curves = [(title, unit, points) for title, unit, points in curves if points]
    if not curves:
        return None
    x_low, x_high = decades([nodes for _, _, points in curves for nodes, _ in points])
    y_low, y_high = decades([figure.median for _, _, points in curves for _, figure in points if figure.median > 0] or [1])

    def x(nodes):
        return LEFT + (math.log10(nodes) - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)

    def y(value):
        return HEIGHT - BOTTOM - (math.log10(value) - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>']
    for power in range(x_low, x_high + 1):
        at = x(10 ** power)
        out.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>'
                   f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{10 ** power:,}</text>')
    for power in range(y_low, y_high + 1):
        at = y(10 ** power)
        out.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                   f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{10.0 ** power:g}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">nodes</text>')
    for number, (title, unit, points) in enumerate(curves):
        colour = COLOURS[number % len(COLOURS)]
        places = [(x(nodes), y(figure.median)) for nodes, figure in points if figure.median > 0]
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="' + " ".join(f"{a:.1f},{b:.1f}" for a, b in places) + '"/>')
        out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in places]
        line = TOP + 14 + 20 * number
        out.append(f'<rect x="{WIDTH - RIGHT + 14}" y="{line - 9}" width="10" height="10" fill="{colour}"/>'
                   f'<text x="{WIDTH - RIGHT + 30}" y="{line}">{escape(title)}, {escape(unit)}</text>')
    return "\n".join(out + ["</svg>\n"])
