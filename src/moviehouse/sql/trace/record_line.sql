-- The line of every record of movies_metadata.csv, and what became of it: what lies between two is one record.
SELECT source_line AS line, 'loaded' AS outcome FROM movie
UNION ALL
SELECT line, 'merged' AS outcome FROM error_log
WHERE file = 'movies_metadata.csv' AND reason = 'duplicate_record'
UNION ALL
SELECT line, 'rejected' AS outcome FROM rejected_record
WHERE file = 'movies_metadata.csv' AND unit = 'record'
