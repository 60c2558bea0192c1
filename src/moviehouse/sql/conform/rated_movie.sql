-- MovieLens's movies that ratings name, by edition: the line of the first of their ratings, and how many they have.
SELECT 'full' AS edition, movielens_id, MIN(line) AS first_line, COUNT(*) AS ratings
FROM raw_rating_full
GROUP BY movielens_id
UNION ALL
SELECT 'small' AS edition, movielens_id, MIN(line) AS first_line, COUNT(*) AS ratings
FROM raw_rating_small
GROUP BY movielens_id
