-- Ratings of both editions; the later record if a user rated a movie twice.
SELECT 'full' AS edition, r.user_id, r.movielens_id, r.rating, r.rated_at, r.line AS source_line
FROM raw_rating_full AS r
WHERE NOT EXISTS (SELECT 1 FROM merged_rating AS m WHERE m.edition = 'full' AND m.ordinal = r.ordinal)
UNION ALL
SELECT 'small' AS edition, r.user_id, r.movielens_id, r.rating, r.rated_at, r.line AS source_line
FROM raw_rating_small AS r
WHERE NOT EXISTS (SELECT 1 FROM merged_rating AS m WHERE m.edition = 'small' AND m.ordinal = r.ordinal)
