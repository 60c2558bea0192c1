-- For every file and every list, read = loaded + merged + rejected.
SELECT * FROM balance WHERE read <> loaded + merged + rejected
