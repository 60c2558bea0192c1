-- A movie's list of companies as in its record; the later place if an id is listed twice.
SELECT movie_id, company_id, position
FROM (
  SELECT
    e.movie_id,
    e.company_id,
    e.position,
    ROW_NUMBER() OVER (PARTITION BY e.movie_id, e.company_id ORDER BY e.position DESC) AS place
  FROM raw_movie_company AS e
  JOIN loaded_movie AS m ON m.ordinal = e.ordinal
) AS placed
WHERE place = 1
