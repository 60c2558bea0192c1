-- Production companies of loaded movies; the last name seen for each id.
SELECT company_id, name
FROM (
  SELECT
    e.company_id,
    e.name,
    ROW_NUMBER() OVER (
      PARTITION BY e.company_id
      ORDER BY CASE WHEN e.name IS NULL THEN 1 ELSE 0 END, e.ordinal DESC, e.position DESC
    ) AS place
  FROM raw_movie_company AS e
  JOIN loaded_movie AS m ON m.ordinal = e.ordinal
) AS placed
WHERE place = 1
