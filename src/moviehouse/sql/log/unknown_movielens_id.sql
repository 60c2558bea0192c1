-- Warnings, one per id: MovieLens movies that only ratings refer to, at their first rating.
WITH unlinked AS (
  SELECT movielens_id FROM movielens_movie WHERE links_line IS NULL AND links_small_line IS NULL
),
rated AS (
  SELECT r.movielens_id, 0 AS edition, r.line
  FROM raw_rating_full AS r
  JOIN unlinked AS u ON u.movielens_id = r.movielens_id
  UNION ALL
  SELECT r.movielens_id, 1 AS edition, r.line
  FROM raw_rating_small AS r
  JOIN unlinked AS u ON u.movielens_id = r.movielens_id
),
placed AS (
  SELECT
    movielens_id,
    edition,
    line,
    ROW_NUMBER() OVER (PARTITION BY movielens_id ORDER BY edition, line) AS place,
    COUNT(*) OVER (PARTITION BY movielens_id) AS ratings
  FROM rated
)
SELECT
  CASE WHEN edition = 0 THEN 'ratings.csv' ELSE 'ratings_small.csv' END AS file,
  line,
  movielens_id,
  ratings
FROM placed
WHERE place = 1
