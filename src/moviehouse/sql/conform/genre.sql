-- Genres of loaded movies; the last name seen for each id.
SELECT genre_id, name
FROM (
  SELECT
    e.genre_id,
    e.name,
    ROW_NUMBER() OVER (
      PARTITION BY e.genre_id
      ORDER BY CASE WHEN e.name IS NULL THEN 1 ELSE 0 END, e.ordinal DESC, e.position DESC
    ) AS place
  FROM raw_movie_genre AS e
  JOIN loaded_movie AS m ON m.ordinal = e.ordinal
) AS placed
WHERE place = 1
