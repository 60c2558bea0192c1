-- The ratings given more than once, with the last record of each. Only the records whose keys the reader
-- suspects are looked at: all others stand once.
SELECT 'full' AS edition, user_id, movielens_id, MAX(ordinal) AS last_ordinal, MAX(line) AS last_line
FROM suspect_rating_full
GROUP BY user_id, movielens_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'small' AS edition, user_id, movielens_id, MAX(ordinal) AS last_ordinal, MAX(line) AS last_line
FROM suspect_rating_small
GROUP BY user_id, movielens_id
HAVING COUNT(*) > 1
