-- Log lines of severity rejected and the rows of rejected_record match one to one.
WITH line AS (
  SELECT file, line, "column", reason, movie_id FROM error_log WHERE severity = 'rejected'
),
kept AS (
  SELECT file, line, "column", reason, movie_id FROM rejected_record
)
(SELECT 'not kept' AS trouble, * FROM line EXCEPT ALL SELECT 'not kept' AS trouble, * FROM kept)
UNION ALL
(SELECT 'not logged' AS trouble, * FROM kept EXCEPT ALL SELECT 'not logged' AS trouble, * FROM line)
