-- The records of links.csv that are loaded: the last one of each MovieLens id.
SELECT r.*
FROM raw_link AS r
WHERE r.ordinal IN (SELECT MAX(ordinal) FROM raw_link GROUP BY movielens_id)
