-- Ratings of both editions; the later record if a user rated a movie twice.
SELECT 'full' AS edition, r.user_id, r.movielens_id, r.rating, r.rated_at, r.line AS source_line
FROM raw_rating_full AS r
LEFT JOIN repeated_rating AS d
  ON d.edition = 'full' AND d.user_id = r.user_id AND d.movielens_id = r.movielens_id
WHERE d.last_ordinal IS NULL OR d.last_ordinal = r.ordinal
UNION ALL
SELECT 'small' AS edition, r.user_id, r.movielens_id, r.rating, r.rated_at, r.line AS source_line
FROM raw_rating_small AS r
LEFT JOIN repeated_rating AS d
  ON d.edition = 'small' AND d.user_id = r.user_id AND d.movielens_id = r.movielens_id
WHERE d.last_ordinal IS NULL OR d.last_ordinal = r.ordinal
