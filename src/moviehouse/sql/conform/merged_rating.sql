-- The ratings that a later record of the same user and movie replaces, with that record's line.
SELECT 'full' AS edition, r.user_id, r.movielens_id, r.ordinal, r.line, d.last_line AS later_line
FROM suspect_rating_full AS r
JOIN repeated_rating AS d
  ON d.edition = 'full' AND d.user_id = r.user_id AND d.movielens_id = r.movielens_id
WHERE r.ordinal < d.last_ordinal
UNION ALL
SELECT 'small' AS edition, r.user_id, r.movielens_id, r.ordinal, r.line, d.last_line AS later_line
FROM suspect_rating_small AS r
JOIN repeated_rating AS d
  ON d.edition = 'small' AND d.user_id = r.user_id AND d.movielens_id = r.movielens_id
WHERE r.ordinal < d.last_ordinal
