-- Keywords of loaded movies; the last name seen for each id.
SELECT keyword_id, name
FROM (
  SELECT
    e.keyword_id,
    e.name,
    ROW_NUMBER() OVER (
      PARTITION BY e.keyword_id
      ORDER BY CASE WHEN e.name IS NULL THEN 1 ELSE 0 END, e.ordinal DESC, e.position DESC
    ) AS place
  FROM raw_movie_keyword AS e
  JOIN loaded_keyword_list AS k ON k.ordinal = e.ordinal
) AS placed
WHERE place = 1
