-- Takes the ratings that a later record repeats out of the rows of rating_unrepeated.sql.
DELETE FROM rating
WHERE source_line IN (SELECT line FROM merged_rating)
  AND EXISTS (SELECT 1 FROM merged_rating AS m WHERE m.edition = rating.edition AND m.line = rating.source_line)
