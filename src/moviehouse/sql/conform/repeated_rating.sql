-- The ratings given more than once, with the last record of each. Only the keys that the reader
-- suspects are looked at: all others stand once.
SELECT 'full' AS edition, r.user_id, r.movielens_id, MAX(r.ordinal) AS last_ordinal, MAX(r.line) AS last_line
FROM raw_rating_full AS r
JOIN suspect_rating_full AS s ON s.user_id = r.user_id AND s.movielens_id = r.movielens_id
GROUP BY r.user_id, r.movielens_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'small' AS edition, r.user_id, r.movielens_id, MAX(r.ordinal) AS last_ordinal, MAX(r.line) AS last_line
FROM raw_rating_small AS r
JOIN suspect_rating_small AS s ON s.user_id = r.user_id AND s.movielens_id = r.movielens_id
GROUP BY r.user_id, r.movielens_id
HAVING COUNT(*) > 1
