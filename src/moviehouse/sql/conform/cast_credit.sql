-- Cast credits of loaded movies; the later one if a credit id occurs twice.
SELECT
  credit_id,
  movie_id,
  person_id,
  cast_id,
  character,
  billing_order,
  position,
  line AS source_line
FROM (
  SELECT
    e.*,
    ROW_NUMBER() OVER (PARTITION BY e.credit_id ORDER BY e.ordinal DESC, e.position DESC) AS place
  FROM raw_cast AS e
  JOIN loaded_credit AS c ON c.ordinal = e.ordinal
) AS placed
WHERE place = 1
