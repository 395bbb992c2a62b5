-- The files stay in the object store, below `attachments/`.
DROP TABLE object_removals;
DROP TABLE attachments;
