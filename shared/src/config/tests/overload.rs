//! Overload ladders in world files.

use super::{SMALLEST, labels, read};
use crate::config::ReliefConfig;

/// The smallest world with rungs from line 9 on.
fn with(rungs: &str) -> String {
    format!("{SMALLEST}{rungs}")
}

#[test]
fn rungs_are_read_in_their_order() {
    let text = "[[overload_rung]]\nrelief = \"view\"\nvisible_percent = 30\n[[overload_rung]]\nrelief = \"time\"\n";
    let overload = read(&with(text)).expect("it is right").overload;
    let expected = [ReliefConfig::View { visible_percent: 30 }, ReliefConfig::Time { time_percent: 50 }];
    assert_eq!((&overload.rungs[..], overload.climb_percent), (&expected[..], 85));
}

#[test]
fn each_mistake_is_told_once_and_at_its_line() {
    let time = "[[overload_rung]]\nrelief = \"time\"\n";
    let cases = [
        (format!("{time}{time}"), 12, "conflict"),
        ("[[overload_rung]]\nrelief = \"sleep\"\n".to_owned(), 10, "unknown_choice"),
        ("[[overload_rung]]\nrelief = \"view\"\ntime_percent = 50\n".to_owned(), 11, "unknown_key"),
        ("[overload]\nclimb_percent = 50\n".to_owned(), 10, "conflict"),
        ("[overload]\ndescend_percent = 84\n".to_owned(), 10, "conflict"),
        ("[[overload_rung]]\nrelief = \"view\"\n".repeat(9), 25, "wrong_table_count"),
    ];
    for (rungs, line, label) in cases {
        let errors = read(&with(&rungs)).expect_err(&rungs);
        assert_eq!(labels(&errors), [(line, label)], "{rungs}\n{errors}");
    }
}
