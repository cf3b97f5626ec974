//! The fuzz targets of `fuzz/` on what is committed of their corpora, and on mutations of it, without libFuzzer.
//!
//! `THRONG_UPDATE_CORPUS=1 cargo test -p throng-tests --test fuzzing` writes the seeds anew, after a change of what is sent
//! or written. What else is in a corpus, such as an input that once did harm, stays as it is.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use throng_shared::random::Random;
use throng_tests::fuzz::mutation::mutate;
use throng_tests::fuzz::{TARGETS, Target, seeds};

/// Largest file of a corpus, and all files of all corpora, in bytes.
const FILE_BYTES_MAX: usize = 2_048;
const CORPORA_BYTES_MAX: usize = 150 * 1_024;

#[test]
fn what_honest_programs_send_and_write_is_in_the_corpora() {
    let mut wrong = Vec::new();
    for target in TARGETS {
        let folder = fuzz_folder("corpus").join(target.name);
        for seed in seeds(target.name) {
            let path = folder.join(seed.name);
            if std::env::var_os("THRONG_UPDATE_CORPUS").is_some() {
                fs::create_dir_all(&folder).expect("the corpus can have a folder");
                fs::write(&path, &seed.bytes).expect("the seed can be written");
            }
            if fs::read(&path).ok().as_ref() != Some(&seed.bytes) {
                wrong.push(path);
            }
        }
    }
    assert!(wrong.is_empty(), "other bytes than are written now: {wrong:?}; see the head of this test");
}

#[test]
fn every_input_of_the_corpora_runs_through_its_target() {
    let mut all_bytes = 0;
    for target in TARGETS {
        for bytes in corpus(target) {
            assert!(bytes.len() < FILE_BYTES_MAX, "{} has a file of {} bytes", target.name, bytes.len());
            all_bytes += bytes.len();
            run(target, &bytes);
        }
    }
    assert!(all_bytes <= CORPORA_BYTES_MAX, "{all_bytes} bytes");
}

#[test]
fn no_mutation_of_what_is_honest_does_harm() {
    (0..TARGETS.len()).into_par_iter().for_each(|place| {
        let target = TARGETS[place];
        let (corpus, mut random) = (corpus(target), Random::new(1, place as u64));
        for _ in 0..target.mutations {
            run(target, &mutate(&mut random, &corpus));
        }
        run(target, &[]);
    });
}

#[test]
fn every_target_has_its_file_its_entry_and_its_corpus() {
    let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(listed("corpus"), names);
    let files: BTreeSet<String> = names.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(listed("fuzz_targets"), files);
    let manifest = fs::read_to_string(fuzz_folder("Cargo.toml")).expect("the targets have a manifest");
    let page = fs::read_to_string(fuzz_folder("README.md")).expect("the targets have a page");
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n")), "{name}");
        assert!(page.contains(&format!("| `{name}` |")), "{name} is not in the table of README.md");
        let source = fs::read_to_string(fuzz_folder("fuzz_targets").join(format!("{name}.rs")));
        assert!(source.is_ok_and(|source| source.contains(&format!("throng_tests::fuzz::{name}(bytes)"))), "{name}");
    }
}

/// Runs a target; shows what it was given when that does harm.
fn run(target: Target, bytes: &[u8]) {
    struct Shown<'b>(Target, &'b [u8]);

    impl Drop for Shown<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                let hex = self.1.iter().fold(String::new(), |mut hex, byte| {
                    let _ = write!(hex, "{byte:02x}");
                    hex
                });
                eprintln!("{} does not survive these bytes: {hex}", self.0.name);
            }
        }
    }

    let shown = Shown(target, bytes);
    (target.body)(bytes);
    drop(shown);
}

fn corpus(target: Target) -> Vec<Vec<u8>> {
    let folder = fuzz_folder("corpus").join(target.name);
    let entries = fs::read_dir(&folder).expect("every target has a corpus");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("an input can be read")).collect()
}

fn listed(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(fuzz_folder(folder)).expect("the folder exists");
    entries.map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned()).collect()
}

fn fuzz_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}
