-- Merged: records that a later one of the same file with the same key replaces.
SELECT 'movies_metadata.csv' AS file, r.ordinal, r.line, 'id' AS "column", r.movie_id,
  CAST(r.movie_id AS VARCHAR) AS value, l.line AS later_line
FROM raw_movie AS r
JOIN loaded_movie AS l ON l.movie_id = r.movie_id
WHERE r.ordinal < l.ordinal
UNION ALL
SELECT 'credits.csv' AS file, r.ordinal, r.line, 'id' AS "column", r.movie_id,
  CAST(r.movie_id AS VARCHAR) AS value, l.line AS later_line
FROM raw_credit AS r
JOIN loaded_credit AS l ON l.movie_id = r.movie_id
WHERE r.ordinal < l.ordinal
UNION ALL
SELECT 'keywords.csv' AS file, r.ordinal, r.line, 'id' AS "column", r.movie_id,
  CAST(r.movie_id AS VARCHAR) AS value, l.line AS later_line
FROM raw_keyword_list AS r
JOIN loaded_keyword_list AS l ON l.movie_id = r.movie_id
WHERE r.ordinal < l.ordinal
UNION ALL
SELECT 'links.csv' AS file, r.ordinal, r.line, 'movieId' AS "column", CAST(NULL AS BIGINT) AS movie_id,
  CAST(r.movielens_id AS VARCHAR) AS value, l.line AS later_line
FROM raw_link AS r
JOIN loaded_link AS l ON l.movielens_id = r.movielens_id
WHERE r.ordinal < l.ordinal
UNION ALL
SELECT 'links_small.csv' AS file, r.ordinal, r.line, 'movieId' AS "column", CAST(NULL AS BIGINT) AS movie_id,
  CAST(r.movielens_id AS VARCHAR) AS value, l.line AS later_line
FROM raw_link_small AS r
JOIN loaded_link_small AS l ON l.movielens_id = r.movielens_id
WHERE r.ordinal < l.ordinal
UNION ALL
SELECT CASE WHEN edition = 'full' THEN 'ratings.csv' ELSE 'ratings_small.csv' END AS file, ordinal, line,
  'userId,movieId' AS "column", CAST(NULL AS BIGINT) AS movie_id,
  CAST(user_id AS VARCHAR) || ',' || CAST(movielens_id AS VARCHAR) AS value, later_line
FROM merged_rating
