-- Ratings of both editions, repeated ones too: the rows of rating.sql without its joins, so that
-- 26 million rows keep the order of their files.
SELECT 'full' AS edition, r.user_id, r.movielens_id, r.rating, r.rated_at, r.line AS source_line
FROM raw_rating_full AS r
UNION ALL
SELECT 'small' AS edition, r.user_id, r.movielens_id, r.rating, r.rated_at, r.line AS source_line
FROM raw_rating_small AS r
