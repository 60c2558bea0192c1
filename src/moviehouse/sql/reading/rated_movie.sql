-- No movies: those that only ratings refer to are a matter of the state, since another drop may have their links.
SELECT CAST(NULL AS VARCHAR) AS edition, CAST(NULL AS BIGINT) AS movielens_id, CAST(NULL AS BIGINT) AS first_line,
  CAST(NULL AS BIGINT) AS ratings
WHERE 1 = 0
