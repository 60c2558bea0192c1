-- The records of links.csv that are loaded: the last one of each MovieLens id.
SELECT r.*
FROM raw_link AS r
JOIN (SELECT movielens_id, MAX(ordinal) AS ordinal FROM raw_link GROUP BY movielens_id) AS last
  ON last.movielens_id = r.movielens_id AND last.ordinal = r.ordinal
