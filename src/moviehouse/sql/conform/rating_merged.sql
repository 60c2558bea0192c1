-- Takes the ratings that a later record repeats out of the rows of rating_unrepeated.sql.
DELETE FROM rating
WHERE EXISTS (
  SELECT 1
  FROM repeated_rating AS d
  WHERE d.edition = rating.edition
    AND d.user_id = rating.user_id
    AND d.movielens_id = rating.movielens_id
    AND d.last_line <> rating.source_line
)
