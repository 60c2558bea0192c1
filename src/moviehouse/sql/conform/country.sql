-- Production countries of loaded movies; the last name seen for each id.
SELECT country_code, name
FROM (
  SELECT
    e.country_code,
    e.name,
    ROW_NUMBER() OVER (
      PARTITION BY e.country_code
      ORDER BY CASE WHEN e.name IS NULL THEN 1 ELSE 0 END, e.ordinal DESC, e.position DESC
    ) AS place
  FROM raw_movie_country AS e
  JOIN loaded_movie AS m ON m.ordinal = e.ordinal
) AS placed
WHERE place = 1
