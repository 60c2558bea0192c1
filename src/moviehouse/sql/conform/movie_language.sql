-- A movie's list of languages as in its record; the later place if an id is listed twice.
SELECT movie_id, language_code, position
FROM (
  SELECT
    e.movie_id,
    e.language_code,
    e.position,
    ROW_NUMBER() OVER (PARTITION BY e.movie_id, e.language_code ORDER BY e.position DESC) AS place
  FROM raw_movie_language AS e
  JOIN loaded_movie AS m ON m.ordinal = e.ordinal
) AS placed
WHERE place = 1
