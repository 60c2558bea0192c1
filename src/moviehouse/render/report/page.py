"""Renders what was gathered into one self-contained page that cannot send a request or run what it shows."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any

from moviehouse.error_log import REASON, SEVERITIES
from moviehouse.render.erd import svg
from moviehouse.render.report.gather import Gathered
from moviehouse.run import RunRecord
from moviehouse.safe import visible
from moviehouse.sql import QUESTIONS, VIEWS, header, statement

SCRIPTS = ("data.js", "figure.js", "charts.js", "genres.js", "companies.js", "quality.js", "main.js")
"""The page's own scripts, in the order in which they are put together."""


def render(found: Gathered, run: RunRecord) -> str:
    """The page, as HTML."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("moviehouse.render.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": _shown, "number": _number}
    plot, script, style = _asset("vendor", "plot.js"), page_script(), _asset("page", "report.css")
    allowed = {"script": [plot, script], "style": [style, _asset("vendor", "plot.css")]}
    return environment.get_template("report.html.j2").render(
        policy=_policy(allowed),
        plot=plot,
        script=script,
        style=style,
        data=inline_json(_data(found)),
        companies=_packed(found.companies),
        erd=b64encode(svg().encode()).decode(),
        run=run,
        files=_files(run),
        reasons=_reasons(found, run),
        counts={"genres": len(found.genres), "companies": found.released, "shown": len(found.companies["ids"])},
        questions=[(stem, header("questions", stem), statement("questions", stem).strip()) for stem in QUESTIONS],
        views=[(stem, header("views", stem), statement("views", stem).strip()) for stem in VIEWS],
    )


def inline_json(value: Any) -> str:
    """JSON that can stand in a script element: nothing in it can end the element or begin a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def page_script() -> str:
    """The page's own script: its files in one scope."""
    body = "\n".join(_asset("page", name).strip() for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{body}\n}})();'


@cache
def _asset(folder: str, name: str) -> str:
    return resources.files(__package__).joinpath(folder, name).read_text(encoding="utf-8")


def _policy(allowed: Mapping[str, list[str]]) -> str:
    """The content security policy: what the page is made of, by its hash, and nothing else."""

    def hashes(texts: list[str]) -> str:
        return " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in texts)

    return (
        f"default-src 'none'; script-src {hashes(allowed['script'])}; style-src {hashes(allowed['style'])}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _data(found: Gathered) -> dict[str, Any]:
    return {"genres": found.genres, "winners": found.winners, "known": found.known}


def _packed(companies: dict[str, list[Any]]) -> str:
    """JSON, deflated, in base64: the page unpacks it with DecompressionStream."""
    from isal import isal_zlib

    text = json.dumps(companies, ensure_ascii=False, separators=(",", ":"))
    return b64encode(isal_zlib.compress(text.encode(), 3)).decode()


def _files(run: RunRecord) -> list[tuple[str, dict[str, Any], dict[str, int]]]:
    """Name, entry of the run record and balance of every file that the source has."""
    return [(name, entry, entry["records"]) for name, entry in sorted(run.files.items()) if "sha256" in entry]


def _reasons(found: Gathered, run: RunRecord) -> list[dict[str, Any]]:
    """The error log by reason, the gravest first: what it means, how often, and some lines of it."""
    return [
        {
            "severity": severity,
            "code": code,
            "count": count,
            "reason": REASON[code],
            "examples": found.examples.get((severity, code), []),
        }
        for severity in SEVERITIES
        for code, count in run.log.get(severity, {}).items()
    ]


def _shown(value: object) -> str:
    return "" if value is None else visible(str(value))


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,}"
