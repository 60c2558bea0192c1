-- Warnings, one per id: MovieLens movies that only ratings refer to, at their first rating.
WITH rated AS (
  SELECT
    r.movielens_id,
    CASE WHEN r.edition = 'full' THEN 'ratings.csv' ELSE 'ratings_small.csv' END AS file,
    r.first_line AS line,
    ROW_NUMBER() OVER (PARTITION BY r.movielens_id ORDER BY r.edition) AS place,
    CAST(SUM(r.ratings) OVER (PARTITION BY r.movielens_id) AS BIGINT) AS ratings
  FROM rated_movie AS r
  JOIN movielens_movie AS m ON m.movielens_id = r.movielens_id
  WHERE m.links_line IS NULL AND m.links_small_line IS NULL
)
SELECT file, line, movielens_id, ratings
FROM rated
WHERE place = 1
