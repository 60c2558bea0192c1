-- Languages spoken in loaded movies, and those they were made in; the last name seen for each code.
WITH mention AS (
  SELECT e.language_code, e.name, e.ordinal, e.position
  FROM raw_movie_language AS e
  JOIN loaded_movie AS m ON m.ordinal = e.ordinal
  UNION ALL
  SELECT original_language AS language_code, CAST(NULL AS VARCHAR) AS name, ordinal, 0 AS position
  FROM loaded_movie
  WHERE original_language IS NOT NULL
)
SELECT language_code, name
FROM (
  SELECT
    language_code,
    name,
    ROW_NUMBER() OVER (
      PARTITION BY language_code
      ORDER BY CASE WHEN name IS NULL THEN 1 ELSE 0 END, ordinal DESC, position DESC
    ) AS place
  FROM mention
) AS placed
WHERE place = 1
