-- Elements that were rejected in records which are not loaded: their record's line in the log covers them.
SELECT t.file, t.ordinal, t."column"
FROM reject AS t
WHERE t.unit = 'element'
  AND (
    EXISTS (SELECT 1 FROM merged_record AS g WHERE g.file = t.file AND g.ordinal = t.ordinal)
    OR EXISTS (SELECT 1 FROM rejected_reference AS g WHERE g.file = t.file AND g.ordinal = t.ordinal)
  )
