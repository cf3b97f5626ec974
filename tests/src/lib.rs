//! The test kit and the suite.
