//! Benchmarks: one workload per question.
