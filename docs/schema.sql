-- The model of Moviehouse, in DuckDB's dialect.
-- Rendered from the declaration in src/moviehouse/model/tables.py: change that, not this text.
-- Tables stand in an order in which every reference points backwards. NULL means unknown.

CREATE TABLE genre (
    genre_id BIGINT  NOT NULL,
    name     VARCHAR,
    PRIMARY KEY (genre_id)
);

COMMENT ON TABLE genre           IS 'Genres, identified by id, never by name.';
COMMENT ON COLUMN genre.genre_id IS 'TMDB''s id of the genre. Source: movies_metadata.csv, column genres.';
COMMENT ON COLUMN genre.name     IS 'Name of the genre; the last one seen if the id has several. Source: movies_metadata.csv, column genres.';

CREATE TABLE company (
    company_id BIGINT  NOT NULL,
    name       VARCHAR,
    PRIMARY KEY (company_id)
);

COMMENT ON TABLE company             IS 'Production companies, identified by id, never by name.';
COMMENT ON COLUMN company.company_id IS 'TMDB''s id of the company. Source: movies_metadata.csv, column production_companies.';
COMMENT ON COLUMN company.name       IS 'Name of the production company; the last one seen if the id has several. Source: movies_metadata.csv, column production_companies.';

CREATE TABLE country (
    country_code VARCHAR NOT NULL,
    name         VARCHAR,
    PRIMARY KEY (country_code)
);

COMMENT ON TABLE country               IS 'Production countries, identified by id, never by name.';
COMMENT ON COLUMN country.country_code IS 'ISO 3166-1 code of the country. Source: movies_metadata.csv, column production_countries.';
COMMENT ON COLUMN country.name         IS 'Name of the production country; the last one seen if the id has several. Source: movies_metadata.csv, column production_countries.';

CREATE TABLE language (
    language_code VARCHAR NOT NULL,
    name          VARCHAR,
    PRIMARY KEY (language_code)
);

COMMENT ON TABLE language                IS 'Languages, identified by id, never by name.';
COMMENT ON COLUMN language.language_code IS 'ISO 639-1 code of the language. Source: movies_metadata.csv, column spoken_languages.';
COMMENT ON COLUMN language.name          IS 'Name of the language; the last one seen if the id has several. Source: movies_metadata.csv, column spoken_languages.';

CREATE TABLE collection (
    collection_id BIGINT  NOT NULL,
    name          VARCHAR,
    poster_path   VARCHAR,
    backdrop_path VARCHAR,
    PRIMARY KEY (collection_id)
);

COMMENT ON TABLE collection                IS 'Collections, identified by id, never by name.';
COMMENT ON COLUMN collection.collection_id IS 'TMDB''s id of the collection. Source: movies_metadata.csv, column belongs_to_collection.';
COMMENT ON COLUMN collection.name          IS 'Name of the collection; the last one seen if the id has several. Source: movies_metadata.csv, column belongs_to_collection.';
COMMENT ON COLUMN collection.poster_path   IS 'Path of the poster on TMDB''s image server. Source: movies_metadata.csv, column belongs_to_collection.';
COMMENT ON COLUMN collection.backdrop_path IS 'Path of the backdrop on TMDB''s image server. Source: movies_metadata.csv, column belongs_to_collection.';

CREATE TABLE keyword (
    keyword_id BIGINT  NOT NULL,
    name       VARCHAR,
    PRIMARY KEY (keyword_id)
);

COMMENT ON TABLE keyword             IS 'Keywords, identified by id, never by name.';
COMMENT ON COLUMN keyword.keyword_id IS 'TMDB''s id of the keyword. Source: keywords.csv, column keywords.';
COMMENT ON COLUMN keyword.name       IS 'Name of the keyword; the last one seen if the id has several. Source: keywords.csv, column keywords.';

CREATE TABLE person (
    person_id    BIGINT  NOT NULL,
    name         VARCHAR,
    gender       INTEGER,
    profile_path VARCHAR,
    PRIMARY KEY (person_id)
);

COMMENT ON TABLE person               IS 'People, identified by id, never by name.';
COMMENT ON COLUMN person.person_id    IS 'TMDB''s id of the person. Source: credits.csv, columns cast, crew.';
COMMENT ON COLUMN person.name         IS 'Name of the person; the last one seen if the id has several. Source: credits.csv, columns cast, crew.';
COMMENT ON COLUMN person.gender       IS 'TMDB''s code: 0 not set, 1 female, 2 male. Source: credits.csv, columns cast, crew.';
COMMENT ON COLUMN person.profile_path IS 'Path of the portrait on TMDB''s image server. Source: credits.csv, columns cast, crew.';

CREATE TABLE movie (
    movie_id          BIGINT        NOT NULL,
    title             VARCHAR,
    original_title    VARCHAR,
    original_language VARCHAR,
    collection_id     BIGINT,
    status            VARCHAR,
    release_date      DATE,
    runtime_minutes   INTEGER                CHECK (runtime_minutes > 0),
    budget_usd        BIGINT                 CHECK (budget_usd > 0),
    revenue_usd       BIGINT                 CHECK (revenue_usd > 0),
    popularity        DECIMAL(18,9)          CHECK (popularity >= 0),
    vote_average      DECIMAL(5,3)           CHECK (vote_average BETWEEN 0 AND 10),
    vote_count        INTEGER                CHECK (vote_count >= 0),
    imdb_id           VARCHAR,
    adult             BOOLEAN,
    video             BOOLEAN,
    overview          VARCHAR,
    tagline           VARCHAR,
    homepage          VARCHAR,
    poster_path       VARCHAR,
    source_file       VARCHAR       NOT NULL,
    source_line       BIGINT        NOT NULL CHECK (source_line >= 2),
    credits_line      BIGINT                 CHECK (credits_line >= 2),
    keywords_line     BIGINT                 CHECK (keywords_line >= 2),
    PRIMARY KEY (movie_id),
    FOREIGN KEY (original_language) REFERENCES language (language_code),
    FOREIGN KEY (collection_id)     REFERENCES collection (collection_id)
);

COMMENT ON TABLE movie                    IS 'The movies of movies_metadata.csv, one row per movie.';
COMMENT ON COLUMN movie.movie_id          IS 'TMDB''s id of the movie. Source: movies_metadata.csv, column id.';
COMMENT ON COLUMN movie.title             IS 'Title in English. Source: movies_metadata.csv, column title.';
COMMENT ON COLUMN movie.original_title    IS 'Title in the original language. Source: movies_metadata.csv, column original_title.';
COMMENT ON COLUMN movie.original_language IS 'Language the movie was made in. Unit: ISO 639-1. Source: movies_metadata.csv, column original_language.';
COMMENT ON COLUMN movie.collection_id     IS 'The collection the movie belongs to. Source: movies_metadata.csv, column belongs_to_collection.';
COMMENT ON COLUMN movie.status            IS 'Stage of production; a release is Released or NULL. Source: movies_metadata.csv, column status.';
COMMENT ON COLUMN movie.release_date      IS 'Date of release. The answers by year use its year. Source: movies_metadata.csv, column release_date.';
COMMENT ON COLUMN movie.runtime_minutes   IS 'Runtime. Unit: minutes. Source: movies_metadata.csv, column runtime.';
COMMENT ON COLUMN movie.budget_usd        IS 'Budget as published, not adjusted for inflation; NULL if unknown. Unit: US dollars. Source: movies_metadata.csv, column budget.';
COMMENT ON COLUMN movie.revenue_usd       IS 'Revenue as published, not adjusted for inflation; NULL if unknown. Unit: US dollars. Source: movies_metadata.csv, column revenue.';
COMMENT ON COLUMN movie.popularity        IS 'TMDB''s popularity score when the source was published. Unit: score. Source: movies_metadata.csv, column popularity.';
COMMENT ON COLUMN movie.vote_average      IS 'Mean of the votes on TMDB; NULL if nobody voted. Unit: 0 to 10. Source: movies_metadata.csv, column vote_average.';
COMMENT ON COLUMN movie.vote_count        IS 'Number of votes on TMDB. Unit: votes. Source: movies_metadata.csv, column vote_count.';
COMMENT ON COLUMN movie.imdb_id           IS 'IMDb''s id of the movie. Source: movies_metadata.csv, column imdb_id.';
COMMENT ON COLUMN movie.adult             IS 'Whether TMDB marks it as adult. Source: movies_metadata.csv, column adult.';
COMMENT ON COLUMN movie.video             IS 'Whether TMDB marks it as a video. Source: movies_metadata.csv, column video.';
COMMENT ON COLUMN movie.overview          IS 'Summary of the plot. Source: movies_metadata.csv, column overview.';
COMMENT ON COLUMN movie.tagline           IS 'Advertising line. Source: movies_metadata.csv, column tagline.';
COMMENT ON COLUMN movie.homepage          IS 'Address of the movie''s own web page. Source: movies_metadata.csv, column homepage.';
COMMENT ON COLUMN movie.poster_path       IS 'Path of the poster on TMDB''s image server. Source: movies_metadata.csv, column poster_path.';
COMMENT ON COLUMN movie.source_file       IS 'File the row comes from.';
COMMENT ON COLUMN movie.source_line       IS 'Line of the movie''s record in its file. Unit: line, from 1.';
COMMENT ON COLUMN movie.credits_line      IS 'Line of the movie''s record in credits.csv; NULL if it has none. Unit: line, from 1.';
COMMENT ON COLUMN movie.keywords_line     IS 'Line of the movie''s record in keywords.csv; NULL if it has none. Unit: line, from 1.';

CREATE TABLE movie_genre (
    movie_id BIGINT  NOT NULL,
    genre_id BIGINT  NOT NULL,
    position INTEGER NOT NULL CHECK (position >= 1),
    PRIMARY KEY (movie_id, genre_id),
    FOREIGN KEY (movie_id) REFERENCES movie (movie_id),
    FOREIGN KEY (genre_id) REFERENCES genre (genre_id)
);

COMMENT ON TABLE movie_genre           IS 'The genres of a movie.';
COMMENT ON COLUMN movie_genre.movie_id IS 'The movie. Source: movies_metadata.csv, column id.';
COMMENT ON COLUMN movie_genre.genre_id IS 'The genre. Source: movies_metadata.csv, column genres.';
COMMENT ON COLUMN movie_genre.position IS 'Place in the movie''s list. Unit: from 1.';

CREATE TABLE movie_company (
    movie_id   BIGINT  NOT NULL,
    company_id BIGINT  NOT NULL,
    position   INTEGER NOT NULL CHECK (position >= 1),
    PRIMARY KEY (movie_id, company_id),
    FOREIGN KEY (movie_id)   REFERENCES movie (movie_id),
    FOREIGN KEY (company_id) REFERENCES company (company_id)
);

COMMENT ON TABLE movie_company             IS 'The companies that produced a movie.';
COMMENT ON COLUMN movie_company.movie_id   IS 'The movie. Source: movies_metadata.csv, column id.';
COMMENT ON COLUMN movie_company.company_id IS 'The company. Source: movies_metadata.csv, column production_companies.';
COMMENT ON COLUMN movie_company.position   IS 'Place in the movie''s list. Unit: from 1.';

CREATE TABLE movie_country (
    movie_id     BIGINT  NOT NULL,
    country_code VARCHAR NOT NULL,
    position     INTEGER NOT NULL CHECK (position >= 1),
    PRIMARY KEY (movie_id, country_code),
    FOREIGN KEY (movie_id)     REFERENCES movie (movie_id),
    FOREIGN KEY (country_code) REFERENCES country (country_code)
);

COMMENT ON TABLE movie_country               IS 'The countries a movie was produced in.';
COMMENT ON COLUMN movie_country.movie_id     IS 'The movie. Source: movies_metadata.csv, column id.';
COMMENT ON COLUMN movie_country.country_code IS 'The country. Source: movies_metadata.csv, column production_countries.';
COMMENT ON COLUMN movie_country.position     IS 'Place in the movie''s list. Unit: from 1.';

CREATE TABLE movie_language (
    movie_id      BIGINT  NOT NULL,
    language_code VARCHAR NOT NULL,
    position      INTEGER NOT NULL CHECK (position >= 1),
    PRIMARY KEY (movie_id, language_code),
    FOREIGN KEY (movie_id)      REFERENCES movie (movie_id),
    FOREIGN KEY (language_code) REFERENCES language (language_code)
);

COMMENT ON TABLE movie_language                IS 'The languages spoken in a movie.';
COMMENT ON COLUMN movie_language.movie_id      IS 'The movie. Source: movies_metadata.csv, column id.';
COMMENT ON COLUMN movie_language.language_code IS 'The language. Source: movies_metadata.csv, column spoken_languages.';
COMMENT ON COLUMN movie_language.position      IS 'Place in the movie''s list. Unit: from 1.';

CREATE TABLE movie_keyword (
    movie_id   BIGINT  NOT NULL,
    keyword_id BIGINT  NOT NULL,
    position   INTEGER NOT NULL CHECK (position >= 1),
    PRIMARY KEY (movie_id, keyword_id),
    FOREIGN KEY (movie_id)   REFERENCES movie (movie_id),
    FOREIGN KEY (keyword_id) REFERENCES keyword (keyword_id)
);

COMMENT ON TABLE movie_keyword             IS 'The keywords of a movie.';
COMMENT ON COLUMN movie_keyword.movie_id   IS 'The movie. Source: keywords.csv, column id.';
COMMENT ON COLUMN movie_keyword.keyword_id IS 'The keyword. Source: keywords.csv, column keywords.';
COMMENT ON COLUMN movie_keyword.position   IS 'Place in the movie''s list. Unit: from 1.';

CREATE TABLE cast_credit (
    credit_id     VARCHAR NOT NULL,
    movie_id      BIGINT  NOT NULL,
    person_id     BIGINT  NOT NULL,
    cast_id       INTEGER,
    character     VARCHAR,
    billing_order INTEGER,
    position      INTEGER NOT NULL CHECK (position >= 1),
    source_line   BIGINT  NOT NULL CHECK (source_line >= 2),
    PRIMARY KEY (credit_id),
    FOREIGN KEY (movie_id)  REFERENCES movie (movie_id),
    FOREIGN KEY (person_id) REFERENCES person (person_id)
);

COMMENT ON TABLE cast_credit                IS 'The cast of a movie: who played whom.';
COMMENT ON COLUMN cast_credit.credit_id     IS 'TMDB''s id of the credit. Source: credits.csv, column cast.';
COMMENT ON COLUMN cast_credit.movie_id      IS 'The movie. Source: credits.csv, column id.';
COMMENT ON COLUMN cast_credit.person_id     IS 'The person. Source: credits.csv, column cast.';
COMMENT ON COLUMN cast_credit.cast_id       IS 'TMDB''s number of the part, within the movie. Source: credits.csv, column cast.';
COMMENT ON COLUMN cast_credit.character     IS 'The character played. Source: credits.csv, column cast.';
COMMENT ON COLUMN cast_credit.billing_order IS 'Place in the billing. Unit: from 0. Source: credits.csv, column cast.';
COMMENT ON COLUMN cast_credit.position      IS 'Place in the movie''s list. Unit: from 1.';
COMMENT ON COLUMN cast_credit.source_line   IS 'Line of the record in credits.csv. Unit: line, from 1.';

CREATE TABLE crew_credit (
    credit_id   VARCHAR NOT NULL,
    movie_id    BIGINT  NOT NULL,
    person_id   BIGINT  NOT NULL,
    department  VARCHAR,
    job         VARCHAR,
    position    INTEGER NOT NULL CHECK (position >= 1),
    source_line BIGINT  NOT NULL CHECK (source_line >= 2),
    PRIMARY KEY (credit_id),
    FOREIGN KEY (movie_id)  REFERENCES movie (movie_id),
    FOREIGN KEY (person_id) REFERENCES person (person_id)
);

COMMENT ON TABLE crew_credit              IS 'The crew of a movie: who did what.';
COMMENT ON COLUMN crew_credit.credit_id   IS 'TMDB''s id of the credit. Source: credits.csv, column crew.';
COMMENT ON COLUMN crew_credit.movie_id    IS 'The movie. Source: credits.csv, column id.';
COMMENT ON COLUMN crew_credit.person_id   IS 'The person. Source: credits.csv, column crew.';
COMMENT ON COLUMN crew_credit.department  IS 'The department the person worked in. Source: credits.csv, column crew.';
COMMENT ON COLUMN crew_credit.job         IS 'The person''s job. Source: credits.csv, column crew.';
COMMENT ON COLUMN crew_credit.position    IS 'Place in the movie''s list. Unit: from 1.';
COMMENT ON COLUMN crew_credit.source_line IS 'Line of the record in credits.csv. Unit: line, from 1.';

CREATE TABLE movielens_movie (
    movielens_id     BIGINT  NOT NULL,
    imdb_id          VARCHAR,
    tmdb_id          BIGINT,
    movie_id         BIGINT,
    in_links_small   BOOLEAN NOT NULL,
    links_line       BIGINT           CHECK (links_line >= 2),
    links_small_line BIGINT           CHECK (links_small_line >= 2),
    PRIMARY KEY (movielens_id),
    FOREIGN KEY (movie_id) REFERENCES movie (movie_id)
);

COMMENT ON TABLE movielens_movie                   IS 'MovieLens''s movies, which ratings refer to, and the TMDB movie each one is linked to.';
COMMENT ON COLUMN movielens_movie.movielens_id     IS 'MovieLens''s id of the movie. Source: links.csv, column movieId.';
COMMENT ON COLUMN movielens_movie.imdb_id          IS 'IMDb''s id of the movie: tt and the digits. Source: links.csv, column imdbId.';
COMMENT ON COLUMN movielens_movie.tmdb_id          IS 'TMDB''s id as linked, whether or not the movie is known. Source: links.csv, column tmdbId.';
COMMENT ON COLUMN movielens_movie.movie_id         IS 'The movie; NULL if tmdb_id is not in movie. Source: links.csv, column tmdbId.';
COMMENT ON COLUMN movielens_movie.in_links_small   IS 'Whether links_small.csv lists the movie. Source: links_small.csv, column movieId.';
COMMENT ON COLUMN movielens_movie.links_line       IS 'Line in links.csv; NULL if it is not there. Unit: line, from 1.';
COMMENT ON COLUMN movielens_movie.links_small_line IS 'Line in links_small.csv; NULL if it is not there. Unit: line, from 1.';

CREATE TABLE rating (
    edition      ENUM('full', 'small') NOT NULL CHECK (edition IN ('full', 'small')),
    user_id      BIGINT                NOT NULL,
    movielens_id BIGINT                NOT NULL,
    rating       DECIMAL(2,1)                   CHECK (rating BETWEEN 0.5 AND 5),
    rated_at     TIMESTAMP,
    source_line  BIGINT                NOT NULL CHECK (source_line >= 2),
    PRIMARY KEY (edition, user_id, movielens_id),
    FOREIGN KEY (movielens_id) REFERENCES movielens_movie (movielens_id)
);

COMMENT ON TABLE rating               IS 'One user''s rating of one MovieLens movie. User ids differ between the two editions: never join or add them up.';
COMMENT ON COLUMN rating.edition      IS 'full for ratings.csv, small for ratings_small.csv.';
COMMENT ON COLUMN rating.user_id      IS 'MovieLens''s id of the user, within the edition. Source: ratings.csv, column userId.';
COMMENT ON COLUMN rating.movielens_id IS 'MovieLens''s id of the movie. Source: ratings.csv, column movieId.';
COMMENT ON COLUMN rating.rating       IS 'The rating. Unit: half stars, 0.5 to 5. Source: ratings.csv, column rating.';
COMMENT ON COLUMN rating.rated_at     IS 'When the rating was given. Unit: UTC. Source: ratings.csv, column timestamp.';
COMMENT ON COLUMN rating.source_line  IS 'Line in the edition''s file. Unit: line, from 1.';

CREATE TABLE rejected_record (
    file     VARCHAR NOT NULL CHECK (file IN ('movies_metadata.csv', 'credits.csv', 'keywords.csv',
                                              'links.csv', 'links_small.csv', 'ratings.csv',
                                              'ratings_small.csv')),
    line     BIGINT  NOT NULL CHECK (line >= 2),
    unit     VARCHAR NOT NULL CHECK (unit IN ('record', 'element')),
    "column" VARCHAR,
    position INTEGER,
    reason   VARCHAR NOT NULL CHECK (reason IN ('wrong_field_count', 'malformed_quote', 'truncated_record',
                                                'not_utf8', 'nul_byte', 'missing_key', 'invalid_key',
                                                'unknown_movie', 'invalid_element')),
    movie_id BIGINT,
    raw      BLOB    NOT NULL
);

COMMENT ON TABLE rejected_record           IS 'What could not be loaded, in full: a record byte for byte, or one element of a record''s list.';
COMMENT ON COLUMN rejected_record.file     IS 'File it comes from.';
COMMENT ON COLUMN rejected_record.line     IS 'Line the record starts on. Unit: line, from 1.';
COMMENT ON COLUMN rejected_record.unit     IS 'record, or element of a list.';
COMMENT ON COLUMN rejected_record."column" IS 'Column that is wrong, or has the element''s list; NULL if it is the whole record.';
COMMENT ON COLUMN rejected_record.position IS 'Place of the element in its list; NULL for a record. Unit: from 1.';
COMMENT ON COLUMN rejected_record.reason   IS 'Reason code, as in the error log.';
COMMENT ON COLUMN rejected_record.movie_id IS 'The movie, if known.';
COMMENT ON COLUMN rejected_record.raw      IS 'The bytes of the record without its line end, or the element as a Python literal.';

CREATE TABLE error_log (
    run_id   VARCHAR NOT NULL,
    severity VARCHAR NOT NULL CHECK (severity IN ('rejected', 'mended', 'merged', 'warning')),
    reason   VARCHAR NOT NULL,
    file     VARCHAR,
    line     BIGINT,
    "column" VARCHAR,
    movie_id BIGINT,
    value    VARCHAR,
    message  VARCHAR NOT NULL,
    action   VARCHAR NOT NULL
);

COMMENT ON TABLE error_log           IS 'The error log, as in errors.jsonl: every record, element and cell that was not loaded exactly as it stands.';
COMMENT ON COLUMN error_log.run_id   IS 'The run.';
COMMENT ON COLUMN error_log.severity IS 'What became of it.';
COMMENT ON COLUMN error_log.reason   IS 'Reason code; docs/error-log.md explains each.';
COMMENT ON COLUMN error_log.file     IS 'File it is about.';
COMMENT ON COLUMN error_log.line     IS 'Line the record starts on. Unit: from 1.';
COMMENT ON COLUMN error_log."column" IS 'Column of the file; NULL if it is the whole record.';
COMMENT ON COLUMN error_log.movie_id IS 'The movie, if known.';
COMMENT ON COLUMN error_log.value    IS 'The raw value, at most 1 KiB; a longer one is cut and marked.';
COMMENT ON COLUMN error_log.message  IS 'What is wrong, in a sentence.';
COMMENT ON COLUMN error_log.action   IS 'What was done.';
