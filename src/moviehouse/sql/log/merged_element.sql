-- Merged: elements of loaded records that a later element with the same key replaces: one in the same
-- list or, for a credit, in the list of any movie.
SELECT file, line, "column", movie_id, value
FROM (
  SELECT 'movies_metadata.csv' AS file, e.line, 'genres' AS "column", e.movie_id, CAST(e.genre_id AS VARCHAR) AS value,
    ROW_NUMBER() OVER (PARTITION BY e.movie_id, e.genre_id ORDER BY e.position DESC) AS place
  FROM raw_movie_genre AS e
  JOIN loaded_movie AS r ON r.ordinal = e.ordinal
) AS placed
WHERE place > 1
UNION ALL
SELECT file, line, "column", movie_id, value
FROM (
  SELECT 'movies_metadata.csv' AS file, e.line, 'production_companies' AS "column", e.movie_id, CAST(e.company_id AS VARCHAR) AS value,
    ROW_NUMBER() OVER (PARTITION BY e.movie_id, e.company_id ORDER BY e.position DESC) AS place
  FROM raw_movie_company AS e
  JOIN loaded_movie AS r ON r.ordinal = e.ordinal
) AS placed
WHERE place > 1
UNION ALL
SELECT file, line, "column", movie_id, value
FROM (
  SELECT 'movies_metadata.csv' AS file, e.line, 'production_countries' AS "column", e.movie_id, CAST(e.country_code AS VARCHAR) AS value,
    ROW_NUMBER() OVER (PARTITION BY e.movie_id, e.country_code ORDER BY e.position DESC) AS place
  FROM raw_movie_country AS e
  JOIN loaded_movie AS r ON r.ordinal = e.ordinal
) AS placed
WHERE place > 1
UNION ALL
SELECT file, line, "column", movie_id, value
FROM (
  SELECT 'movies_metadata.csv' AS file, e.line, 'spoken_languages' AS "column", e.movie_id, CAST(e.language_code AS VARCHAR) AS value,
    ROW_NUMBER() OVER (PARTITION BY e.movie_id, e.language_code ORDER BY e.position DESC) AS place
  FROM raw_movie_language AS e
  JOIN loaded_movie AS r ON r.ordinal = e.ordinal
) AS placed
WHERE place > 1
UNION ALL
SELECT file, line, "column", movie_id, value
FROM (
  SELECT 'keywords.csv' AS file, e.line, 'keywords' AS "column", e.movie_id, CAST(e.keyword_id AS VARCHAR) AS value,
    ROW_NUMBER() OVER (PARTITION BY e.movie_id, e.keyword_id ORDER BY e.position DESC) AS place
  FROM raw_movie_keyword AS e
  JOIN loaded_keyword_list AS r ON r.ordinal = e.ordinal
) AS placed
WHERE place > 1
UNION ALL
SELECT file, line, "column", movie_id, value
FROM (
  SELECT 'credits.csv' AS file, e.line, 'cast' AS "column", e.movie_id, e.credit_id AS value,
    ROW_NUMBER() OVER (PARTITION BY e.credit_id ORDER BY e.ordinal DESC, e.position DESC) AS place
  FROM raw_cast AS e
  JOIN loaded_credit AS r ON r.ordinal = e.ordinal
) AS placed
WHERE place > 1
UNION ALL
SELECT file, line, "column", movie_id, value
FROM (
  SELECT 'credits.csv' AS file, e.line, 'crew' AS "column", e.movie_id, e.credit_id AS value,
    ROW_NUMBER() OVER (PARTITION BY e.credit_id ORDER BY e.ordinal DESC, e.position DESC) AS place
  FROM raw_crew AS e
  JOIN loaded_credit AS r ON r.ordinal = e.ordinal
) AS placed
WHERE place > 1
