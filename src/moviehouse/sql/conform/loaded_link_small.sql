-- The records of links_small.csv that are loaded: the last one of each MovieLens id.
SELECT r.*
FROM raw_link_small AS r
WHERE r.ordinal IN (SELECT MAX(ordinal) FROM raw_link_small GROUP BY movielens_id)
