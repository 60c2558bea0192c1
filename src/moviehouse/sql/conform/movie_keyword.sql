-- A movie's list of keywords as in its record; the later place if an id is listed twice.
SELECT movie_id, keyword_id, position
FROM (
  SELECT
    e.movie_id,
    e.keyword_id,
    e.position,
    ROW_NUMBER() OVER (PARTITION BY e.movie_id, e.keyword_id ORDER BY e.position DESC) AS place
  FROM raw_movie_keyword AS e
  JOIN loaded_keyword_list AS k ON k.ordinal = e.ordinal
) AS placed
WHERE place = 1
