//! Every way to get a world wrong has a folder in `broken-worlds/`, with the message that its designer gets.
//!
//! `THRONG_UPDATE_DOCS=1 cargo test -p throng-tests --test broken_worlds` writes the messages anew. Read them as
//! somebody would who has never seen the program's source.

mod support;

use std::fs;

use support::Broken;
use throng_shared::config::load_world;

const WORLDS: Broken = Broken {
    root: "broken-worlds",
    folders_min: 68,
    message: |name, folder| {
        let result = load_world(name, |file| fs::read(folder.join(file)));
        result.err().map(|errors| errors.to_string())
    },
};

#[test]
fn every_broken_world_is_refused_with_the_expected_message() {
    WORLDS.check_messages();
}

#[test]
fn every_message_about_a_world_names_its_file_and_says_what_to_do() {
    WORLDS.check_remedies();
}
