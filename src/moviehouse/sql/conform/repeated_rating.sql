-- The ratings given more than once, with the last record of each. A file whose keys only increase
-- (which the reader has proved) has none, and is skipped.
SELECT 'full' AS edition, user_id, movielens_id, MAX(ordinal) AS last_ordinal, MAX(line) AS last_line
FROM raw_rating_full
WHERE (SELECT NOT increasing FROM key_order WHERE file = 'ratings.csv')
GROUP BY user_id, movielens_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'small' AS edition, user_id, movielens_id, MAX(ordinal) AS last_ordinal, MAX(line) AS last_line
FROM raw_rating_small
WHERE (SELECT NOT increasing FROM key_order WHERE file = 'ratings_small.csv')
GROUP BY user_id, movielens_id
HAVING COUNT(*) > 1
