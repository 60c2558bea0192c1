-- A movie's list of countries as in its record; the later place if an id is listed twice.
SELECT movie_id, country_code, position
FROM (
  SELECT
    e.movie_id,
    e.country_code,
    e.position,
    ROW_NUMBER() OVER (PARTITION BY e.movie_id, e.country_code ORDER BY e.position DESC) AS place
  FROM raw_movie_country AS e
  JOIN loaded_movie AS m ON m.ordinal = e.ordinal
) AS placed
WHERE place = 1
