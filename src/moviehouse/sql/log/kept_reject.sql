-- What is rejected in its own right: records, and elements of loaded records.
SELECT t.*
FROM reject AS t
WHERE t.unit = 'record'
  OR (
    NOT EXISTS (SELECT 1 FROM merged_record AS g WHERE g.file = t.file AND g.ordinal = t.ordinal)
    AND NOT EXISTS (SELECT 1 FROM rejected_reference AS g WHERE g.file = t.file AND g.ordinal = t.ordinal)
  )
