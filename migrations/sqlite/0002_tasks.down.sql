DROP TABLE receipts;
DROP TABLE undo_tokens;
DROP TABLE tasks_search;
DROP TABLE task_labels;
DROP TABLE tasks;
DROP TABLE labels;
DROP TABLE projects;
