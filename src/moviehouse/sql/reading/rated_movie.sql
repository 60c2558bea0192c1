-- No movies: a drop's table has none that only ratings refer to, since another drop may have their links.
SELECT CAST(NULL AS VARCHAR) AS edition, CAST(NULL AS BIGINT) AS movielens_id, CAST(NULL AS BIGINT) AS first_line,
  CAST(NULL AS BIGINT) AS ratings
WHERE 1 = 0
