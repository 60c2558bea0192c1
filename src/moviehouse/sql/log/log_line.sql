-- Every line of the error log, before each reason's severity and action are added.
SELECT file, line, reason, "column", movie_id, value, message
FROM kept_note
UNION ALL
SELECT file, line, reason, "column", movie_id, value, message
FROM kept_reject
UNION ALL
SELECT file, line, 'duplicate_record' AS reason, "column", movie_id, value,
  'The record on line ' || CAST(later_line AS VARCHAR) || ' has the same key.' AS message
FROM merged_record
UNION ALL
SELECT file, line, 'duplicate_element' AS reason, "column", movie_id, value,
  'A later element has the same key.' AS message
FROM merged_element
UNION ALL
SELECT file, line, 'name_conflict' AS reason, "column", movie_id, name || ' | ' || kept AS value,
  'Id ' || id || ' is called ' || name || ' here, and ' || kept || ' later.' AS message
FROM name_conflict
UNION ALL
SELECT file, line, reason, "column", movie_id, value, message
FROM link_warning
UNION ALL
SELECT file, line, 'unknown_movielens_id' AS reason, 'movieId' AS "column", CAST(NULL AS BIGINT) AS movie_id,
  CAST(movielens_id AS VARCHAR) AS value,
  'No links file has MovieLens id ' || CAST(movielens_id AS VARCHAR) || '; ' || CAST(ratings AS VARCHAR)
    || ' rating(s) name it.' AS message
FROM unknown_movielens_id
