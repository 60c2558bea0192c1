-- Movies as last seen, with the lines of their current lists and the drops these are from. A movie is retired
-- where a whole snapshot is newer than its row: the snapshot would have had it.
SELECT
  m.*,
  c.source_line AS credits_line,
  c.drop_id AS credits_drop_id,
  k.source_line AS keywords_line,
  k.drop_id AS keywords_drop_id,
  COALESCE(
    f.observed_at > m.observed_at OR (f.observed_at = m.observed_at AND f.drop_id > m.drop_id), FALSE
  ) AS retired
FROM movie_now AS m
LEFT JOIN credit_list_now AS c ON c.movie_id = m.movie_id
LEFT JOIN keyword_list_now AS k ON k.movie_id = m.movie_id
LEFT JOIN newest_full AS f ON 1 = 1
