"""Facts the sample borrows so that its answers look familiar: famous movies, their companies, codes.

Facts only: no summary, tagline or other prose of anybody's is in here.
"""

# ruff: noqa: E501, RUF001  (one fact per line, in the letters it is published in)

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Famous:
    """One real movie, with the values that TMDB published of it."""

    movie_id: int
    imdb_number: int
    title: str
    original_title: str
    language: str
    release_date: str
    runtime: int
    budget: int
    revenue: int
    genres: tuple[int, ...]
    companies: tuple[int, ...]
    countries: tuple[str, ...]
    languages: tuple[str, ...]
    collection: tuple[int, str] | None
    popularity: str
    vote_average: str
    vote_count: int


# id|imdb|title[=original title]|language|date|minutes|budget|revenue|genres|companies|countries|languages|
# collection|popularity|vote average|votes
_MOVIES = """
862|0114709|Toy Story|en|1995-10-30|81|30000000|373554033|16 35 10751|3|US|en|10194 Toy Story Collection|21.946943|7.7|5415
8844|0113497|Jumanji|en|1995-12-15|104|65000000|262797249|12 14 10751|559 2550 10201|US|en fr||17.015539|6.9|2413
949|0113277|Heat|en|1995-12-15|170|60000000|187436818|28 80 18 53|508 675 6194|US|en es||17.924927|7.7|1886
710|0113189|GoldenEye|en|1995-11-16|130|58000000|352194034|12 28 53|60 7576|GB US|en ru es|645 James Bond Collection|14.686036|6.6|1194
568|0112384|Apollo 13|en|1995-06-30|140|52000000|355237933|18|23 33|US|en||18.761467|7.3|1637
11|0076759|Star Wars|en|1977-05-25|121|11000000|775398007|12 28 878|1 306|US|en|10 Star Wars Collection|42.149697|8.1|6778
680|0110912|Pulp Fiction|en|1994-09-10|154|8000000|213928762|53 80|14 59 216|US|en es fr||140.950236|8.3|8670
278|0111161|The Shawshank Redemption|en|1994-09-23|142|25000000|28341469|18 80|97 6194|US|en||51.645403|8.5|8358
13|0109830|Forrest Gump|en|1994-07-06|142|55000000|677945399|35 18 10749|4|US|en||48.307194|8.2|8147
8587|0110357|The Lion King|en|1994-06-23|89|45000000|788241776|10751 16 18|2 10217|US|en|94032 The Lion King Collection|21.605761|8.0|5520
329|0107290|Jurassic Park|en|1993-06-11|127|63000000|920100000|12 878|33 56|US|en es|328 Jurassic Park Collection|8.863776|7.6|4956
424|0108052|Schindler's List|en|1993-11-29|195|22000000|321365567|18 36 10752|33 56|US|de pl he en||41.725123|8.3|4436
78|0083658|Blade Runner|en|1982-06-25|117|28000000|33139618|878 18 53|5798 6194 7965|US HK GB|en de cn ja hu|422837 Blade Runner Collection|96.272374|7.9|3833
771|0099785|Home Alone|en|1990-11-09|103|18000000|476684675|35 10751|306 477|US|en|9888 Home Alone Collection|0.702543|7.1|2487
812|0103639|Aladdin|en|1992-11-25|90|28000000|504050219|16 10751 35 12 14 10749|2|US|en|86027 Aladdin Collection|16.357419|7.4|3495
280|0103064|Terminator 2: Judgment Day|en|1991-07-01|137|100000000|520000000|28 53 878|574 1280 5358 14723 61409|FR US|en es|528 The Terminator Collection|22.661695|7.7|4274
268|0096895|Batman|en|1989-06-23|126|35000000|411348924|14 28|1382 4357 6194|GB US|en fr|120794 Batman Collection|19.10673|7.0|2145
274|0102926|The Silence of the Lambs|en|1991-02-01|119|19000000|272742922|80 18 53|41 55072|US|en|9743 The Hannibal Lecter Anthology|4.307222|8.1|4549
408|0029583|Snow White and the Seven Dwarfs|en|1937-12-20|83|1488423|184925486|14 16 10751|3166|US|en||16.263878|6.9|1973
275|0116282|Fargo|en|1996-04-05|98|7000000|60611975|80 18 53|1382 10163|US|en||12.61469|7.7|2080
602|0116629|Independence Day|en|1996-06-25|145|75000000|816969268|28 12 878|306 347|US|en|304378 Independence Day Collection|17.634197|6.7|3334
238|0068646|The Godfather|en|1972-03-14|175|6000000|245066411|18 80|4 10211|US|en it la|230 The Godfather Collection|41.109264|8.5|6024
289|0034583|Casablanca|en|1942-11-26|102|878000|10462500|18 10749|6194|US|de fr it en||13.916101|7.9|1462
630|0032138|The Wizard of Oz|en|1939-08-15|102|2777000|33754967|12 10751 14|31892|US|en||22.064932|7.4|1689
62|0062622|2001: A Space Odyssey|en|1968-04-10|149|10500000|68700000|878 9648 12|385 8411|US GB|en ru|4438 The Space Odyssey Series|22.494622|7.9|3075
601|0083866|E.T. the Extra-Terrestrial|en|1982-04-03|115|10500000|792965326|878 12 10751 14|33 56|US|en||19.358546|7.3|3359
1891|0080684|The Empire Strikes Back|en|1980-05-17|124|18000000|538400000|12 28 878|1 306|US|en|10 Star Wars Collection|19.470959|8.2|5998
85|0082971|Raiders of the Lost Ark|en|1981-06-12|115|18000000|389925971|12 28|1 4|US|en es de he ar ne|84 Indiana Jones Collection|19.901576|7.7|3949
348|0078748|Alien|en|1979-05-25|117|11000000|104931801|27 28 53 878|306 19747|US GB|en es|8091 Alien Collection|23.37742|7.9|4564
539|0054215|Psycho|en|1960-06-16|109|806948|32000000|18 27 53|4 33 10717|US|en|119674 Psycho Collection|36.826309|8.3|2405
218|0088247|The Terminator|en|1984-10-26|108|6400000|78371200|28 53 878|41 1280 3952 4764 7745|GB US|en|528 The Terminator Collection|19.293562|7.4|4208
105|0088763|Back to the Future|en|1985-07-03|116|19000000|381109762|12 35 878 10751|33 56 20448|US|en|264 Back to the Future Collection|25.778509|8.0|6239
578|0073195|Jaws|en|1975-06-18|124|7000000|470654000|27 53 12|33 1865|US|en|2366 The Jaws Collection|19.726114|7.5|2628
597|0120338|Titanic|en|1997-11-18|194|200000000|1845034188|18 10749 53|4 306 574|US|en fr de sv it ru||26.88907|7.5|7770
10674|0120762|Mulan|en|1998-06-18|88|90000000|304320254|16 10751 12|2 10217|US|en zh|87236 Mulan Collection|21.180857|7.6|2089
857|0120815|Saving Private Ryan|en|1998-07-24|169|70000000|481840909|18 36 10752|4 27 56 762 11362|US|cs de en fr||21.758054|7.9|5148
9487|0120623|A Bug's Life|en|1998-11-25|95|120000000|363258859|12 16 35 10751|2 3|US|en||16.869209|6.8|2379
603|0133093|The Matrix|en|1999-03-30|136|63000000|463517383|28 878|79 372 1885 6194|AU US|en|2344 The Matrix Collection|33.366332|7.9|9079
550|0137523|Fight Club|en|1999-10-15|139|63000000|100853753|18|306 508 711 20555 54050 54051 54052|DE US|en||63.869599|8.3|9678
128|0119698|Princess Mononoke=もののけ姫|ja|1997-07-12|134|26500000|159375308|12 14 16|14 10342 12516 20192|JP|ja||17.166725|8.2|2041
863|0120363|Toy Story 2|en|1999-10-30|92|90000000|497366869|16 35 10751|3|US|en|10194 Toy Story Collection|17.547693|7.3|3914
808|0126029|Shrek|en|2001-05-16|90|60000000|484409218|12 16 35 10751 14|27 520 521|US|en|2150 Shrek Collection|17.987728|7.3|4183
585|0198781|Monsters, Inc.|en|2001-11-01|92|115000000|562816256|16 35 10751|2 3|US|en|137696 Monsters, Inc. Collection|26.419962|7.5|6150
671|0241527|Harry Potter and the Philosopher's Stone|en|2001-11-16|152|125000000|976475550|12 14 10751|436 6194 7364|GB US|en|1241 Harry Potter Collection|38.187238|7.5|7188
194|0211915|Amélie=Le fabuleux destin d'Amélie Poulain|fr|2001-04-25|122|10000000|173921954|35 10749|591 592 4411 5358 12000 23446 25020 27897 30994|FR DE|fr ru||12.879381|7.8|3403
120|0120737|The Lord of the Rings: The Fellowship of the Ring|en|2001-12-18|178|93000000|871368364|12 14 28|11 12 5237|NZ US|en|119 The Lord of the Rings Collection|32.070725|8.0|8892
"""

_COMPANIES = """
1|Lucasfilm
2|Walt Disney Pictures
3|Pixar Animation Studios
4|Paramount Pictures
11|WingNut Films
12|New Line Cinema
14|Miramax Films
23|Imagine Entertainment
27|DreamWorks SKG
33|Universal Pictures
41|Orion Pictures
56|Amblin Entertainment
59|A Band Apart
60|United Artists
79|Village Roadshow Pictures
97|Castle Rock Entertainment
216|Jersey Films
306|Twentieth Century Fox Film Corporation
347|Centropolis Entertainment
372|Groucho II Film Partnership
385|Stanley Kubrick Productions
436|1492 Pictures
477|Hughes Entertainment
508|Regency Enterprises
520|Pacific Data Images (PDI)
521|DreamWorks Animation
559|TriStar Pictures
574|Lightstorm Entertainment
591|France 3 Cinéma
592|Claudie Ossard Productions
675|Forward Pass
711|Fox 2000 Pictures
762|Mutual Film Company
1280|Pacific Western
1382|PolyGram Filmed Entertainment
1865|Zanuck/Brown Productions
1885|Silver Pictures
2550|Teitler Film
3166|Walt Disney Productions
3952|Hemdale Film
4357|The Guber-Peters Company
4411|MMC Independent
4764|Cinema 84
5237|The Saul Zaentz Company
5358|Canal+
5798|Shaw Brothers
6194|Warner Bros.
7364|Heyday Films
7576|Eon Productions
7745|Euro Film Funding
7965|The Ladd Company
8411|Metro-Goldwyn-Mayer (MGM)
10163|Working Title Films
10201|Interscope Communications
10211|Alfran Productions
10217|Walt Disney Feature Animation
10342|Studio Ghibli
10717|Shamley Productions
11362|Mark Gordon Productions
12000|Tapioca Films
12516|Nibariki
14723|Carolco Pictures
19747|Brandywine Productions
20192|Nippon Television Network (NTV)
20448|U-Drive Productions
20555|Taurus Film
23446|Sofica Sofinergie 5
25020|Victoires Productions
27897|Filmstiftung Nordrhein-Westfalen
30994|Union Générale Cinématographique (UGC)
31892|Loew's Incorporated
54050|Linson Films
54051|Atman Entertainment
54052|Knickerbocker Films
55072|Strong Heart/Demme Production
61409|T2 Productions
"""


def _famous(line: str) -> Famous:
    cells = line.split("|")
    title, _, original = cells[2].partition("=")
    collection_id, _, collection = cells[12].partition(" ")
    return Famous(
        int(cells[0]), int(cells[1]), title, original or title, cells[3], cells[4],
        int(cells[5]), int(cells[6]), int(cells[7]),
        tuple(map(int, cells[8].split())), tuple(map(int, cells[9].split())),
        tuple(cells[10].split()), tuple(cells[11].split()),
        (int(collection_id), collection) if collection_id else None,
        cells[13], cells[14], int(cells[15]),
    )  # fmt: skip


def _coded(text: str) -> dict[str, str]:
    return dict(line.split("|") for line in text.split("\n")[1:-1])


FAMOUS = tuple(_famous(line) for line in _MOVIES.split("\n")[1:-1])
COMPANIES = {int(code): name for code, name in _coded(_COMPANIES).items()}

# Code, name, and how many of a thousand movies; a name may be empty, as in the original.
_LANGUAGES = """
en|English|712
fr|Français|54
it|Italiano|34
ja|日本語|30
de|Deutsch|24
es|Español|22
ru|Pусский|18
hi|हिन्दी|11
ko|한국어/조선말|10
zh|普通话|9
sv|svenska|9
pt|Português|7
cn|广州话 / 廣州話|7
fi|suomi|7
nl|Nederlands|6
da|Dansk|5
pl|Polski|5
tr|Türkçe|3
cs|Český|3
el|ελληνικά|3
no|Norsk|3
fa|فارسی|2
hu|Magyar|2
ta|தமிழ்|2
th|ภาษาไทย|2
he|עִבְרִית|2
ar|العربية|2
ro|Română|2
nv||1
xx|No Language|2
la|Latin|1
ne||1
"""
_COUNTRIES = """
US|United States of America|470
GB|United Kingdom|90
FR|France|88
DE|Germany|50
IT|Italy|48
CA|Canada|42
JP|Japan|37
ES|Spain|22
RU|Russia|20
IN|India|18
HK|Hong Kong|13
SE|Sweden|13
AU|Australia|13
KR|South Korea|11
BE|Belgium|10
DK|Denmark|9
FI|Finland|9
NL|Netherlands|8
CN|China|8
MX|Mexico|7
PL|Poland|7
BR|Brazil|6
IE|Ireland|5
NZ|New Zealand|4
AR|Argentina|5
NO|Norway|4
"""


def _weighted(text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    names, wheel = {}, []
    for line in text.split("\n")[1:-1]:
        code, name, weight = line.split("|")
        names[code] = name
        wheel += [code] * int(weight)
    return names, tuple(wheel)


LANGUAGE_NAMES, LANGUAGE_WHEEL = _weighted(_LANGUAGES)
COUNTRY_NAMES, COUNTRY_WHEEL = _weighted(_COUNTRIES)

# How many of ten thousand movies have the genre.
_GENRE_WEIGHTS = {
    18: 2026, 35: 1318, 53: 762, 10749: 673, 28: 660, 27: 467, 80: 431, 99: 393, 12: 350, 878: 305,
    10751: 277, 9648: 247, 14: 231, 16: 193, 10769: 162, 10402: 160, 36: 140, 10752: 132, 37: 104,
    10770: 77,
}  # fmt: skip
GENRE_WHEEL = tuple(genre for genre, weight in _GENRE_WEIGHTS.items() for _ in range(weight))

# First year, last year, how many of a thousand movies.
_YEARS = (
    (1895, 1919, 8), (1920, 1929, 10), (1930, 1939, 29), (1940, 1949, 33), (1950, 1959, 46),
    (1960, 1969, 58), (1970, 1979, 77), (1980, 1989, 87), (1990, 1999, 125), (2000, 2009, 247),
    (2010, 2016, 268), (2017, 2017, 12),
)  # fmt: skip
YEAR_WHEEL = tuple((first, last) for first, last, weight in _YEARS for _ in range(weight))

# Department, job, how many of a thousand crew members.
_JOBS = """
Directing|Director|110
Production|Producer|106
Writing|Writer|69
Writing|Screenplay|58
Editing|Editor|53
Camera|Director of Photography|49
Production|Executive Producer|45
Sound|Original Music Composer|37
Production|Casting|33
Costume & Make-Up|Costume Design|30
Art|Art Direction|28
Art|Production Design|27
Art|Set Decoration|19
Sound|Music|17
Costume & Make-Up|Makeup Artist|17
Writing|Story|15
Visual Effects|Animation|14
Directing|Script Supervisor|12
Writing|Novel|12
Camera|Camera Operator|11
Costume & Make-Up|Hairstylist|10
Sound|Sound Re-Recording Mixer|9
Production|Associate Producer|8
Camera|Still Photographer|8
Sound|Foley|8
Production|Production Manager|7
Crew|Stunt Coordinator|6
Lighting|Gaffer|5
"""
JOB_WHEEL = tuple(
    (department, job)
    for department, job, weight in (line.split("|") for line in _JOBS.split("\n")[1:-1])
    for _ in range(int(weight))
)
