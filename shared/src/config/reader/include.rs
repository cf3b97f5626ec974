//! The paths by which a file includes others.

use super::shape::Shape;
use super::text::{FILE_NAME_CHARS, FILE_NAME_FIRST, check_characters, text};
use super::value::{Kind, Refusal, Written, found};
use crate::config::error::ConfigErrorKind;
use crate::config::limits::INCLUDES_MAX;

/// The key by which a file includes others.
pub(in crate::config) const INCLUDE: &str = "include";

/// What it says on the reference page.
pub(super) const INCLUDE_DOC: &str =
    "Files that are read before this one, in their order. What this file says counts before what they say.";

/// How the name of every file ends that can be included.
const ENDING: &str = ".toml";
/// Leads to the folder above.
const ABOVE: &str = "..";
/// Longest path, in characters.
const CHARS_MAX: usize = 256;

/// A path to a file, relative to the folder of the file that has it.
#[derive(Clone, Copy)]
pub(super) struct IncludePath;

impl Kind for IncludePath {
    type Value = String;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<String> {
        let text = text(value, refusals)?;
        let (reason, suggestion) = match fault(text) {
            None => return Some(text.to_owned()),
            Some(fault) => fault,
        };
        let refusal = Refusal::new(value, ConfigErrorKind::BadText { reason });
        refusals.push(if suggestion.is_empty() { refusal } else { refusal.suggest(suggestion) });
        None
    }

    fn accepted(&self) -> String {
        let characters = FILE_NAME_CHARS.shown();
        format!(
            "a path from this file's folder, such as \"../common/movement.toml\": up to {CHARS_MAX} characters, names out of \
             {characters} with / between them"
        )
    }

    fn shape(&self) -> Shape {
        let name = format!("{}{}*", FILE_NAME_FIRST.pattern(), FILE_NAME_CHARS.pattern());
        Shape::Text { pattern: format!(r"(\.\./)*({name}/)*{name}\.toml"), chars_max: Some(CHARS_MAX) }
    }

    fn show(&self, value: &String) -> String {
        format!("\"{value}\"")
    }

    fn fallback(&self) -> String {
        String::new()
    }
}

/// What is wrong with a path, as the end of a sentence that begins with it, and what to do about it.
fn fault(path: &str) -> Option<(String, &'static str)> {
    if path.contains('\\') {
        return Some(("has a \\ in it".to_owned(), "write / between folders"));
    }
    if path.starts_with('/') || path.contains(':') {
        return Some((
            "is no path from this file's folder".to_owned(),
            "begin with the name of a file or folder, or ../",
        ));
    }
    if let Err(reason) = check_characters(path, CHARS_MAX, |c| c == '/' || FILE_NAME_CHARS.has(c)) {
        return Some((reason, ""));
    }
    let names = path.split('/').skip_while(|name| *name == ABOVE);
    let bad = names.clone().find(|name| !name.chars().next().is_some_and(|first| FILE_NAME_FIRST.has(first)));
    match bad {
        Some(ABOVE) => Some(("has .. behind the name of a folder".to_owned(), "write .. at the beginning only")),
        Some("") => Some(("has a / with no name beside it".to_owned(), "write the name of a file")),
        Some(_) => Some(("has a name in it that begins with a point".to_owned(), "")),
        None if path.strip_suffix(ENDING).is_none_or(|name| name.is_empty() || name.ends_with('/')) => {
            Some((format!("does not end with {ENDING}"), "write the name of a file, with its ending"))
        }
        None => None,
    }
}

/// Beside the folder that holds the worlds, the one that holds what worlds have in common besides.
const BOTS: &str = "bots";

/// The file at `path`, seen from the file `from`; both are seen from the folder of the first file. None when it is neither in
/// that folder, nor in the one above it, which holds the worlds, nor in `bots` beside that.
pub(super) fn resolved(from: &str, path: &str) -> Option<String> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut names: Vec<&str> = Vec::new();
    for name in folder.split('/').chain(path.split('/')).filter(|name| !name.is_empty()) {
        match names.last() {
            Some(last) if name == ABOVE && *last != ABOVE => _ = names.pop(),
            _ => names.push(name),
        }
    }
    let above_count = names.iter().take_while(|name| **name == ABOVE).count();
    let is_bots = above_count == 2 && names.get(above_count) == Some(&BOTS);
    (above_count <= 1 || is_bots).then(|| names.join("/"))
}

/// A list of [`IncludePath`]s.
#[derive(Clone, Copy)]
pub(super) struct IncludePaths;

impl Kind for IncludePaths {
    type Value = Vec<String>;

    fn read(&self, value: &Written<'_>, refusals: &mut Vec<Refusal>) -> Option<Vec<String>> {
        let Some(elements) = value.get_ref().as_array() else {
            let refusal = Refusal::wrong_type(value, "a list of paths");
            refusals.push(match found(value.get_ref()) {
                "text" => refusal.suggest("put it in brackets: [\"…\"]"),
                _ => refusal,
            });
            return None;
        };
        if !(1..=INCLUDES_MAX).contains(&elements.len()) {
            refusals.push(Refusal::new(value, ConfigErrorKind::WrongLength { count: elements.len() }));
            return None;
        }
        let paths: Vec<_> = elements
            .iter()
            .enumerate()
            .map(|(index, element)| super::list::read_element(&IncludePath, index, element, refusals))
            .collect();
        paths.into_iter().collect()
    }

    fn accepted(&self) -> String {
        format!("[path, path, …], 1 to {INCLUDES_MAX} paths, each {}", IncludePath.accepted())
    }

    fn shape(&self) -> Shape {
        Shape::List { element: Box::new(IncludePath.shape()), count_min: 1, count_max: INCLUDES_MAX }
    }

    fn show(&self, value: &Vec<String>) -> String {
        let paths: Vec<_> = value.iter().map(|path| IncludePath.show(path)).collect();
        format!("[{}]", paths.join(", "))
    }

    fn fallback(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_no_farther_than_the_folder_that_holds_the_worlds() {
        for (from, path, expected) in [
            ("world.toml", "walls.toml", Some("walls.toml")),
            ("world.toml", "parts/walls.toml", Some("parts/walls.toml")),
            ("parts/walls.toml", "../trees.toml", Some("trees.toml")),
            ("world.toml", "../common/a.toml", Some("../common/a.toml")),
            ("../common/a.toml", "b.toml", Some("../common/b.toml")),
            ("../common/a.toml", "../meadow/world.toml", Some("../meadow/world.toml")),
            ("../common/a.toml", "../../server.toml", None),
            ("world.toml", "../../server.toml", None),
            ("world.toml", "../../bots/guards.toml", Some("../../bots/guards.toml")),
            ("../../bots/guards.toml", "more/night.toml", Some("../../bots/more/night.toml")),
            ("../../bots/guards.toml", "../server.toml", None),
            ("world.toml", "../../../bots/guards.toml", None),
        ] {
            assert_eq!(resolved(from, path).as_deref(), expected, "{path} in {from}");
        }
    }

    #[test]
    fn what_is_no_path_to_a_file_is_refused() {
        for path in ["a.toml", "../a.toml", "../../x/y-1/a.b.toml", "_.toml"] {
            assert_eq!(fault(path), None, "{path}");
        }
        for path in [
            "",
            "..",
            "../",
            "a",
            ".toml",
            "x/.toml",
            "/a.toml",
            "C:/a.toml",
            "x\\a.toml",
            "./a.toml",
            "x/../a.toml",
            "x//a.toml",
            "x/.git/a.toml",
            "a b.toml",
            "a.toml/",
            "a\u{0}.toml",
        ] {
            assert!(fault(path).is_some(), "{path}");
        }
        assert!(fault(&format!("{}.toml", "a".repeat(CHARS_MAX))).is_some());
    }
}
