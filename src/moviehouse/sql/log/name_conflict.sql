-- Warnings, one per id: things that have several names. The last name is kept; the line is that of
-- the last record with another name.
WITH mention AS (
  SELECT 'genres' AS kind, CAST(e.genre_id AS VARCHAR) AS id, e.name, 'movies_metadata.csv' AS file, 'genres' AS "column",
    e.ordinal, 0 AS list, e.position, e.line, e.movie_id
  FROM raw_movie_genre AS e
  JOIN loaded_movie AS r ON r.ordinal = e.ordinal
  UNION ALL
  SELECT 'production_companies' AS kind, CAST(e.company_id AS VARCHAR) AS id, e.name, 'movies_metadata.csv' AS file, 'production_companies' AS "column",
    e.ordinal, 0 AS list, e.position, e.line, e.movie_id
  FROM raw_movie_company AS e
  JOIN loaded_movie AS r ON r.ordinal = e.ordinal
  UNION ALL
  SELECT 'production_countries' AS kind, CAST(e.country_code AS VARCHAR) AS id, e.name, 'movies_metadata.csv' AS file, 'production_countries' AS "column",
    e.ordinal, 0 AS list, e.position, e.line, e.movie_id
  FROM raw_movie_country AS e
  JOIN loaded_movie AS r ON r.ordinal = e.ordinal
  UNION ALL
  SELECT 'spoken_languages' AS kind, CAST(e.language_code AS VARCHAR) AS id, e.name, 'movies_metadata.csv' AS file, 'spoken_languages' AS "column",
    e.ordinal, 0 AS list, e.position, e.line, e.movie_id
  FROM raw_movie_language AS e
  JOIN loaded_movie AS r ON r.ordinal = e.ordinal
  UNION ALL
  SELECT 'keywords' AS kind, CAST(e.keyword_id AS VARCHAR) AS id, e.name, 'keywords.csv' AS file, 'keywords' AS "column",
    e.ordinal, 0 AS list, e.position, e.line, e.movie_id
  FROM raw_movie_keyword AS e
  JOIN loaded_keyword_list AS r ON r.ordinal = e.ordinal
  UNION ALL
  SELECT 'collection' AS kind, CAST(collection_id AS VARCHAR) AS id, collection_name AS name,
    'movies_metadata.csv' AS file, 'belongs_to_collection' AS "column",
    ordinal, 0 AS list, 1 AS position, line, movie_id
  FROM loaded_movie
  WHERE collection_id IS NOT NULL
  UNION ALL
  SELECT 'person' AS kind, CAST(e.person_id AS VARCHAR) AS id, e.name, 'credits.csv' AS file, 'cast' AS "column",
    e.ordinal, 0 AS list, e.position, e.line, e.movie_id
  FROM raw_cast AS e
  JOIN loaded_credit AS r ON r.ordinal = e.ordinal
  UNION ALL
  SELECT 'person' AS kind, CAST(e.person_id AS VARCHAR) AS id, e.name, 'credits.csv' AS file, 'crew' AS "column",
    e.ordinal, 1 AS list, e.position, e.line, e.movie_id
  FROM raw_crew AS e
  JOIN loaded_credit AS r ON r.ordinal = e.ordinal
),
conflict AS (
  SELECT kind, id
  FROM mention
  GROUP BY kind, id
  HAVING MIN(name) <> MAX(name)
),
named AS (
  SELECT
    m.*,
    FIRST_VALUE(m.name) OVER (
      PARTITION BY m.kind, m.id
      ORDER BY m.ordinal DESC, m.list DESC, m.position DESC
    ) AS kept
  FROM mention AS m
  JOIN conflict AS c ON c.kind = m.kind AND c.id = m.id
  WHERE m.name IS NOT NULL
),
other AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY kind, id ORDER BY ordinal DESC, list DESC, position DESC) AS place
  FROM named
  WHERE name <> kept
)
SELECT file, line, "column", movie_id, id, name, kept
FROM other
WHERE place = 1
