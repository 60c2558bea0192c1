"""A small release with names that are hard to find, and the command run on it in this process."""

import pytest
from small import built, movies, write

from moviehouse import cli

COMPANIES = [
    (1, "Pixar"), (2, "Walt Disney Pictures"), (3, "Pixar"), (4, "Canal+"), (5, "Société Générale & Cie."),
    (6, "Walt Disney"), (7, "=1+1"), (8, "<script>alert(1)</script>"), (9, "\x1b[31mred\nline"), (20, "12"),
    (12, "Twelve"), (30, "StudioCanal"), (31, "東宝"), (32, "Toho"),
]  # fmt: skip


def listed(*pairs: tuple[int, str]) -> str:
    return repr([{"name": n, "id": i} for i, n in pairs])


def made(folder):
    """Movie i is of company i of the list above, and from 1990 + i."""
    rows = [
        {"genres": listed((18, "Drama"), (16, "Animation")), "revenue": str(1000 * i), "budget": "7", "title": f"Movie {i}",
         "release_date": f"{1990 + i}-01-01", "production_companies": listed(pair)}
        for i, pair in enumerate(COMPANIES, 1)
    ]  # fmt: skip
    rows += [
        {"genres": listed((10770, "TV Movie")), "revenue": "33", "title": "Shared", "status": "Released",
         "production_companies": listed((1, "Pixar"), (2, "Walt Disney Pictures"))},
        {"genres": listed((10770, "TV Movie")), "revenue": "0", "title": "Poor", "release_date": "1996-02-03",
         "production_companies": listed((2, "Walt Disney Pictures"))},
        {"title": "Later", "id": "1", "genres": listed((18, "Drama")), "revenue": "5000000", "budget": "12,5",
         "release_date": "1991-01-01", "production_companies": listed((1, "Pixar"))},
    ]  # fmt: skip
    rows.append({"title": "Planned", "status": "Planned", "production_companies": listed((1, "Pixar"))})
    links = [{"movieId": 10, "imdbId": "0000001", "tmdbId": 2}, {"movieId": 11, "imdbId": "0000002", "tmdbId": 500}]
    return built(write(folder / "in", movies_metadata=movies(*rows), links=links))


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    return made(tmp_path_factory.mktemp("house"))


@pytest.fixture
def run(capsys, house):
    """Runs a command on the release; gives its status, output and error output."""

    def command(*arguments, release=None):
        place = ["--release", str(release or house.release.out)]
        status = cli.run([str(a) for a in arguments] + place)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return status, out, err

    return command
