DROP TABLE policy_candidates;
