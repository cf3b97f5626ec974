//! Attributes in world files.

use super::{SMALLEST, labels, read};
use crate::attributes::{AttributeKind, AttributeRule, Concealment, Readers, Schema};

const SIDE: &str = "[[attribute]]\nname = \"side\"\nkind = \"choice\"\nwords = [\"red\", \"blue\"]\nis_team = true\n";

/// The smallest world with a team in line 9 to 13, and with `more` from line 14 on.
fn with(more: &str) -> String {
    format!("{SMALLEST}{SIDE}{more}")
}

#[test]
fn attributes_are_read_and_make_a_schema() {
    let more = "[[attribute]]\nname = \"health\"\nkind = \"number\"\nmin = -10\nmax = 10\nstep = 0.5\ndefault = 5\n\
                held_by = \"players\"\nvisible_to = \"team\"\n\
                [[attribute]]\nname = \"hidden\"\nkind = \"flag\"\ndefault = true\nconceals_from = \"other-teams\"\n";
    let attributes = read(&with(more)).expect("it is right").attributes;
    let names = ["red", "blue"].map(str::to_owned).to_vec();
    let expected = [
        AttributeRule {
            name: "side".to_owned(),
            kind: AttributeKind::Choice { names, is_team: true },
            archetypes: 3,
            readers: Readers::Everybody,
            conceals: Concealment::None,
            seen_from_m: 0.0,
            default: 0,
        },
        AttributeRule {
            name: "health".to_owned(),
            kind: AttributeKind::Number { min: -10.0, max: 10.0, step: 0.5 },
            archetypes: 1,
            readers: Readers::Team,
            conceals: Concealment::None,
            seen_from_m: 0.0,
            default: 30,
        },
        AttributeRule {
            name: "hidden".to_owned(),
            kind: AttributeKind::Flag,
            archetypes: 3,
            readers: Readers::Everybody,
            conceals: Concealment::FromOtherTeams,
            seen_from_m: 0.0,
            default: 1,
        },
    ];
    assert_eq!(attributes, expected);
    assert!(Schema::new(attributes).is_ok());
}

#[test]
fn each_mistake_is_told_once_and_at_its_line() {
    let number = |keys: &str| format!("[[attribute]]\nname = \"n\"\nkind = \"number\"\n{keys}\n");
    let choice = |keys: &str| format!("[[attribute]]\nname = \"n\"\nkind = \"choice\"\n{keys}\n");
    let cases = [
        (number("max = 1\nmin = 2"), 17, "conflict"),
        (number("max = 1\nstep = 3"), 18, "conflict"),
        (number("max = 1\nstep = 0.00000001"), 18, "out_of_range"),
        (number("max = 1\ndefault = 2"), 18, "conflict"),
        (number("max = 10\nstep = 4"), 18, "conflict"),
        (number("min = 999999\nmax = 1000000\nstep = 0.001"), 19, "conflict"),
        (number("min = 1"), 14, "missing_key"),
        (number("max = 1\nwords = []"), 18, "unknown_key"),
        (choice("words = []"), 17, "wrong_length"),
        (choice("words = [\"a\", \"b\", \"a\"]"), 17, "conflict"),
        (choice("words = [\"with space\"]"), 17, "bad_text"),
        (choice("words = [\"a\"]\ndefault = \"b\""), 18, "conflict"),
        (choice("words = [\"a\"]\nis_team = true"), 18, "conflict"),
        ("[[attribute]]\nname = \"side\"\nkind = \"flag\"\n".to_owned(), 15, "conflict"),
        ("[[attribute]]\nname = \"x\"\nkind = \"flat\"\n".to_owned(), 16, "unknown_choice"),
    ];
    for (more, line, label) in cases {
        let errors = read(&with(&more)).expect_err(&more);
        assert_eq!(labels(&errors), [(line, label)], "{more}\n{errors}");
    }
    let of_players = SIDE.replace("is_team", "held_by = \"players\"\nis_team");
    let for_all = "[[attribute]]\nname = \"plan\"\nvisible_to = \"team\"\nheld_by = \"everybody\"\nkind = \"flag\"\n";
    let text = format!("{SMALLEST}{of_players}{for_all}");
    assert_eq!(labels(&read(&text).expect_err("bots have no team")), [(18, "conflict")]);
    let text = with("").replace("is_team", "visible_to = \"owner\"\nis_team");
    assert_eq!(labels(&read(&text).expect_err("a secret team")), [(13, "conflict")]);
    // Without the team, and behind a team that is wrong by itself.
    let of_team = "[[attribute]]\nname = \"plan\"\nvisible_to = \"team\"\nkind = \"flag\"\n";
    assert_eq!(labels(&read(&format!("{SMALLEST}{of_team}")).expect_err("no team")), [(11, "conflict")]);
    let text = with(of_team).replace("\"red\"", "5");
    assert_eq!(labels(&read(&text).expect_err("a wrong team")), [(12, "wrong_type")]);
}

#[test]
fn values_that_take_too_much_are_refused_by_the_first_that_does_not_fit() {
    let number =
        |index: usize| format!("[[attribute]]\nname = \"n{index}\"\nkind = \"number\"\nmax = 1000000\nstep = 0.0625\n");
    let more: String = (0..12).map(number).collect();
    let errors = read(&with(&more)).expect_err("24 bits each, and 255 are left");
    assert_eq!(labels(&errors), [(65, "conflict"), (70, "conflict")], "{errors}");
}
