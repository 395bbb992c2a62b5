-- Titles and descriptions in Chinese and Japanese are found by any part of a run of characters. The words are folded by
-- the program, which does so before it records this migration; the tables stay as they are.
SELECT 1;
