//! Every way to get a server's settings wrong has a folder in `broken-settings/`, with the message that its operator
//! gets.
//!
//! `THRONG_UPDATE_DOCS=1 cargo test -p throng-tests --test broken_settings` writes the messages anew. Read them as
//! somebody would who has never seen the program's source.

mod support;

use std::fs;

use support::Broken;
use throng_shared::config::read_settings;

const SETTINGS: Broken = Broken {
    root: "broken-settings",
    folders_min: 31,
    message: |name, folder| {
        let text = fs::read_to_string(folder.join("server.toml")).expect("the settings can be read");
        let result = read_settings(&format!("{name}/server.toml"), &text);
        result.err().map(|errors| errors.to_string())
    },
};

#[test]
fn every_broken_settings_file_is_refused_with_the_expected_message() {
    SETTINGS.check_messages();
}

#[test]
fn every_message_about_settings_names_its_file_and_says_what_to_do() {
    SETTINGS.check_remedies();
}
