"""Put the page of a report together from its template, its style and its script."""

import base64
import html
import math
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from haulier.families.roads.io.report.mapdata import MapData

LABELS: Final = {
    "no_candidate": "no segment lies close enough",
    "no_reference": "the release has no segment in the area",
    "below_threshold": "the best match is not sure enough",
    "competition": "another road fits the same segment better",
    "not_navigable": "the road is marked as not navigable",
    "too_little": "less than a tenth of the road is matched",
}


def write_report(path: Path, filename: str, data: MapData, values: Mapping[str, Any]) -> None:
    """Write the page.

    Args:
        path: where to.
        filename: of the customer's file, for the heading.
        data: the packed map.
        values: statistics and result of the job.
    """
    statistics, result = values["statistics"], values["result"]
    facts = {
        "total": data.total,
        "shown": data.shown,
        "vertices": data.vertices,
        "texts": data.texts,
        "reasons": [LABELS.get(word, word) for word in data.reasons],
        "threshold": statistics["confidence_threshold"],
    }
    filled = {
        "TITLE": html.escape(filename),
        "STYLE": _asset("page.css"),
        "CARDS": _cards(statistics, result),
        "BAR": _bar(statistics),
        "HISTOGRAM": _histogram(result["matches_by_confidence"], facts["threshold"]),
        "REASONS": _reasons(result["roads_by_reason"], statistics["num_roads_processed"]),
        "ABOUT": _about(statistics, result),
        "SAMPLE": _sample_note(data),
        "FACTS": msgspec.json.encode(facts).decode().replace("</", "<\\/"),
        "SCRIPT": _asset("map.js"),
        "PACKED": base64.b64encode(data.packed).decode(),
    }
    page = _asset("page.html")
    for name, text in filled.items():  # PACKED last: it is long, and holds no placeholder
        page = page.replace(f"{{{{{name}}}}}", text)
    path.write_text(page, "utf-8")


def _asset(name: str) -> str:
    return files("haulier.families.roads.io.report").joinpath(name).read_text("utf-8")


def _percent(ratio: float) -> str:
    return f"{ratio * 100:.2f} %"


def _cards(statistics: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    cards = (
        ("Roads", f"{statistics['num_roads_processed']:,}", ""),
        ("Length", f"{statistics['kms_processed']:,.2f} km", ""),
        ("Matched", _percent(statistics["roads_matched_ratio"]), "good"),
        ("Matched length", f"{result['kms_matched']:,.2f} km", "good"),
        ("One GERS id", _percent(statistics["roads_single_gers_ratio"]), ""),
        ("Matches", f"{result['num_matches']:,}", ""),
    )
    return "".join(
        f'<div class="card {tone}"><dt>{label}</dt><dd>{value}</dd></div>'
        for label, value, tone in cards
    )


def _bar(statistics: Mapping[str, Any]) -> str:
    shares = (
        ("full", "fully matched", statistics["roads_fully_matched_ratio"]),
        ("part", "partly matched", statistics["roads_partially_matched_ratio"]),
        ("none", "unmatched", statistics["roads_unmatched_ratio"]),
    )
    pieces = "".join(
        f'<span class="{tone}" style="width:{share * 100:.3f}%" '
        f'title="{label}: {_percent(share)}"></span>'
        for tone, label, share in shares
    )
    legend = "".join(
        f'<li><i class="{tone}"></i>{label} <b>{_percent(share)}</b></li>'
        for tone, label, share in shares
    )
    spoken = ", ".join(f"{label} {_percent(share)}" for _, label, share in shares)
    return (
        f'<div class="bar" role="img" aria-label="{spoken}">{pieces}</div>'
        f'<ul class="shares">{legend}</ul>'
    )


def _histogram(tens: list[int], threshold: int) -> str:
    """Draw the matches by confidence; bars below the threshold are pale."""
    most = math.sqrt(max([*tens, 1]))
    width, height, base = 48, 150, 186
    bars = []
    for i, n in enumerate(tens):
        tall = max(math.sqrt(n) / most * height, 1.5 if n else 0)
        middle = i * width + width / 2
        label = f"{i * 10} to {100 if i == len(tens) - 1 else i * 10 + 9}: {n:,} matches"
        tone = "counts" if i * 10 >= threshold else "pale"
        bars.append(
            f'<g><title>{label}</title><rect class="{tone}" x="{i * width + 4}" '
            f'y="{base - tall:.1f}" width="{width - 8}" height="{tall:.1f}" rx="3"/>'
            f'<text class="count" x="{middle}" y="{base - tall - 5:.1f}">{n:,}</text>'
            f'<text x="{middle}" y="{base + 16}">{i * 10}\N{EN DASH}{i * 10 + 10}</text></g>'
        )
    at = threshold / 10 * width
    line = (
        f'<line class="limit" x1="{at}" x2="{at}" y1="4" y2="{base}"/>'
        f'<text class="limit" x="{at - 6}" y="12">threshold {threshold}</text>'
    )
    view = f"0 0 {len(tens) * width} {base + 24}"
    return (
        f'<svg class="histogram" viewBox="{view}" role="img" '
        f'aria-label="Histogram of matches by confidence">{"".join(bars)}{line}</svg>'
    )


def _reasons(reasons: Mapping[str, int], total: int) -> str:
    if not reasons:
        return "<p>Every road was matched.</p>"
    rows = "".join(
        f"<tr><td>{html.escape(LABELS.get(word, word))}</td><td>{n:,}</td>"
        f"<td>{_percent(n / max(total, 1))}</td></tr>"
        for word, n in sorted(reasons.items(), key=lambda pair: -pair[1])
    )
    return (
        "<table><thead><tr><th scope='col'>Why unmatched</th><th scope='col'>Roads</th>"
        f"<th scope='col'>Share</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _about(statistics: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    facts = (
        ("Overture release", result["overture_release"]),
        ("Mode", result["mode"]),
        ("Confidence threshold", statistics["confidence_threshold"]),
        ("Confidence model", result["model"]),
        ("Matches below the threshold", f"{result['num_matches_below_threshold']:,}"),
        ("Rows skipped", f"{result['rows_skipped']:,}"),
        ("Tiles", f"{result['tiles']:,}"),
    )
    return "".join(
        f"<div><dt>{label}</dt><dd>{html.escape(str(value))}</dd></div>" for label, value in facts
    )


def _sample_note(data: MapData) -> str:
    if data.shown == data.total:
        return f"The map shows all {data.total:,} roads, with vertices thinned to about 1.5 m."
    return (
        f"The map shows {data.shown:,} of {data.total:,} roads: an even sample, so gaps between "
        "roads on this map are no gaps in your data. Vertices are thinned to about 1.5 m. The "
        "numbers on this page count every road."
    )
