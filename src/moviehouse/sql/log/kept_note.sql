-- Notes on files and on loaded records. A record that was merged or rejected has one line in the log, which
-- says so. An entry that elements have and the model does not know is told once, at the first loaded record.
WITH loaded AS (
  SELECT t.*
  FROM note AS t
  WHERE NOT EXISTS (SELECT 1 FROM merged_record AS g WHERE g.file = t.file AND g.ordinal = t.ordinal)
    AND NOT EXISTS (SELECT 1 FROM rejected_reference AS g WHERE g.file = t.file AND g.ordinal = t.ordinal)
)
SELECT file, ordinal, line, reason, "column", movie_id, value, message
FROM (
  SELECT l.*, MIN(l.ordinal) OVER (PARTITION BY l.file, l.reason, l."column", l.value) AS first_ordinal
  FROM loaded AS l
) AS placed
WHERE reason <> 'unknown_column' OR ordinal IS NULL OR ordinal = first_ordinal
