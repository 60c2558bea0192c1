-- Warnings, one per id: things that have several names. Their table keeps the last; the line is that of
-- the last record with another name.
WITH other AS (
  SELECT 'genres' AS kind, CAST(e.genre_id AS VARCHAR) AS id, e.name, k.name AS kept, 'movies_metadata.csv' AS file, 'genres' AS "column",
    e.ordinal, 0 AS list, e.position, e.line, e.movie_id
  FROM raw_movie_genre AS e
  JOIN loaded_movie AS r ON r.ordinal = e.ordinal
  JOIN genre AS k ON k.genre_id = e.genre_id
  WHERE e.name <> k.name
  UNION ALL
  SELECT 'production_companies' AS kind, CAST(e.company_id AS VARCHAR) AS id, e.name, k.name AS kept, 'movies_metadata.csv' AS file, 'production_companies' AS "column",
    e.ordinal, 0 AS list, e.position, e.line, e.movie_id
  FROM raw_movie_company AS e
  JOIN loaded_movie AS r ON r.ordinal = e.ordinal
  JOIN company AS k ON k.company_id = e.company_id
  WHERE e.name <> k.name
  UNION ALL
  SELECT 'production_countries' AS kind, CAST(e.country_code AS VARCHAR) AS id, e.name, k.name AS kept, 'movies_metadata.csv' AS file, 'production_countries' AS "column",
    e.ordinal, 0 AS list, e.position, e.line, e.movie_id
  FROM raw_movie_country AS e
  JOIN loaded_movie AS r ON r.ordinal = e.ordinal
  JOIN country AS k ON k.country_code = e.country_code
  WHERE e.name <> k.name
  UNION ALL
  SELECT 'spoken_languages' AS kind, CAST(e.language_code AS VARCHAR) AS id, e.name, k.name AS kept, 'movies_metadata.csv' AS file, 'spoken_languages' AS "column",
    e.ordinal, 0 AS list, e.position, e.line, e.movie_id
  FROM raw_movie_language AS e
  JOIN loaded_movie AS r ON r.ordinal = e.ordinal
  JOIN language AS k ON k.language_code = e.language_code
  WHERE e.name <> k.name
  UNION ALL
  SELECT 'keywords' AS kind, CAST(e.keyword_id AS VARCHAR) AS id, e.name, k.name AS kept, 'keywords.csv' AS file, 'keywords' AS "column",
    e.ordinal, 0 AS list, e.position, e.line, e.movie_id
  FROM raw_movie_keyword AS e
  JOIN loaded_keyword_list AS r ON r.ordinal = e.ordinal
  JOIN keyword AS k ON k.keyword_id = e.keyword_id
  WHERE e.name <> k.name
  UNION ALL
  SELECT 'collection' AS kind, CAST(e.collection_id AS VARCHAR) AS id, e.collection_name AS name, k.name AS kept,
    'movies_metadata.csv' AS file, 'belongs_to_collection' AS "column",
    e.ordinal, 0 AS list, 1 AS position, e.line, e.movie_id
  FROM loaded_movie AS e
  JOIN collection AS k ON k.collection_id = e.collection_id
  WHERE e.collection_name <> k.name
  UNION ALL
  SELECT 'person' AS kind, CAST(e.person_id AS VARCHAR) AS id, e.name, k.name AS kept, 'credits.csv' AS file, 'cast' AS "column",
    e.ordinal, 0 AS list, e.position, e.line, e.movie_id
  FROM raw_cast AS e
  JOIN loaded_credit AS r ON r.ordinal = e.ordinal
  JOIN person AS k ON k.person_id = e.person_id
  WHERE e.name <> k.name
  UNION ALL
  SELECT 'person' AS kind, CAST(e.person_id AS VARCHAR) AS id, e.name, k.name AS kept, 'credits.csv' AS file, 'crew' AS "column",
    e.ordinal, 1 AS list, e.position, e.line, e.movie_id
  FROM raw_crew AS e
  JOIN loaded_credit AS r ON r.ordinal = e.ordinal
  JOIN person AS k ON k.person_id = e.person_id
  WHERE e.name <> k.name
),
placed AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY kind, id ORDER BY ordinal DESC, list DESC, position DESC) AS place
  FROM other
)
SELECT file, line, "column", movie_id, id, name, kept
FROM placed
WHERE place = 1
