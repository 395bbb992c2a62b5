-- Older programs find the words as they are.
SELECT 1;
