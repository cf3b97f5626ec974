//! Files that are read together: one, and what it includes.

use std::borrow::Cow;
use std::io;
use std::ops::Range;

use toml::de::DeTable;

use super::include::{INCLUDE, IncludePath, resolved};
use super::source::Source;
use super::value::Kind;
use crate::config::error::{ConfigError, ConfigErrorKind};
use crate::config::limits::{INCLUDE_DEPTH_MAX, INCLUDED_FILES_MAX, INCLUDES_MAX};

/// Where files come from.
pub(in crate::config) struct Folder<'f> {
    /// How messages call a file of this name.
    pub(in crate::config) path_of: &'f dyn Fn(&str) -> String,
    /// Its bytes. Names are paths from the folder, with `/` between names, and `../` at most once and at the beginning.
    pub(in crate::config) read_file: &'f mut dyn FnMut(&str) -> io::Result<Vec<u8>>,
}

/// A file and what it includes, as texts.
pub(in crate::config) struct FileSet<'t> {
    /// Name and text of each, the strongest first: the file itself, then what it includes from last to first.
    pub(super) files: Vec<(Cow<'t, str>, Cow<'t, str>)>,
    /// Why a file is missing from them.
    pub(super) mistakes: Vec<ConfigError>,
}

impl<'t> FileSet<'t> {
    /// A file that includes nothing. `name` is only for messages.
    pub(in crate::config) fn alone(name: String, text: Cow<'t, str>) -> Self {
        Self { files: vec![(name.into(), text)], mistakes: Vec::new() }
    }

    /// The file `name`, whose text is known, and what it includes, all together at most `bytes_max` long. Each file is read
    /// once, where it is included first.
    pub(super) fn gather(name: &str, text: Cow<'t, str>, bytes_max: usize, folder: &mut Folder<'_>) -> Self {
        let mut gathering = Gathering {
            folder,
            bytes_left: bytes_max,
            open: Vec::new(),
            done: Vec::new(),
            mistakes: Vec::new(),
            reads: 0,
        };
        gathering.visit(name.to_owned(), text);
        let Gathering { folder, done, mistakes, .. } = gathering;
        let files = done.into_iter().rev().map(|(name, text)| ((folder.path_of)(&name).into(), text));
        Self { files: files.collect(), mistakes }
    }

    /// The texts, for messages about places in them.
    pub(super) fn source(&self) -> (Source<'_>, Vec<usize>) {
        let mut files = self.files.iter().map(|(name, text)| (name.as_ref(), text.as_ref()));
        let (name, text) = files.next().unwrap_or_default();
        let mut source = Source::new(name, text);
        let starts = std::iter::once(0).chain(files.map(|(name, text)| source.add(name, text))).collect();
        (source, starts)
    }
}

/// What has been read so far.
struct Gathering<'t, 'f, 'g> {
    folder: &'g mut Folder<'f>,
    bytes_left: usize,
    /// The files that are being read, each included by the one before.
    open: Vec<String>,
    /// Those that are read, with all that they include; the weakest first.
    done: Vec<(String, Cow<'t, str>)>,
    mistakes: Vec<ConfigError>,
    /// How many files were asked for.
    reads: usize,
}

impl<'t> Gathering<'t, '_, '_> {
    /// Reads what a file includes, then the file itself. No deeper than [`INCLUDE_DEPTH_MAX`].
    fn visit(&mut self, name: String, text: Cow<'t, str>) {
        self.bytes_left = self.bytes_left.saturating_sub(text.len());
        self.open.push(name.clone());
        for (index, path, span) in includes_of(&text) {
            if let Err(refused) = self.include(&name, &path) {
                let path = (self.folder.path_of)(&name);
                let error = Source::new(&path, &text).error(Some(span), refused.kind);
                let key = format!("{INCLUDE}[{}]", index + 1);
                let suggestion = Some(refused.suggestion.to_owned());
                self.mistakes.push(ConfigError { key, suggestion, ..error });
            }
        }
        self.open.pop();
        self.done.push((name, text));
    }

    fn include(&mut self, from: &str, path: &str) -> Result<(), Refused> {
        let Some(name) = resolved(from, path) else {
            let reason = "leads out of the folder that holds the worlds".to_owned();
            let suggestion = "put the file into the world's folder, or into one beside it; kinds of bots may lie in `bots`, beside the folder that holds the worlds";
            return Err(Refused { kind: ConfigErrorKind::BadText { reason }, suggestion });
        };
        let shown = (self.folder.path_of)(&name);
        let refused = |reason: String, suggestion| Refused {
            kind: ConfigErrorKind::File { name: shown.clone(), reason },
            suggestion,
        };
        if let Some(place) = self.open.iter().position(|open| *open == name) {
            let chain: Vec<_> =
                self.open[place..].iter().chain([&name]).map(|name| (self.folder.path_of)(name)).collect();
            let reason = format!("would include itself: {}", chain.join(" -> "));
            return Err(refused(reason, "take one of these out of the include of the one before it"));
        }
        if self.done.iter().any(|(done, _)| *done == name) {
            return Ok(());
        }
        if self.open.len() > INCLUDE_DEPTH_MAX {
            let reason =
                format!("is included too deep: at most {INCLUDE_DEPTH_MAX} files include one another in a row");
            return Err(refused(reason, "include it in a file that stands nearer to the first"));
        }
        self.reads += 1;
        if self.reads > INCLUDED_FILES_MAX {
            let reason = format!("is one file too many: at most {INCLUDED_FILES_MAX} are included, all together");
            return Err(refused(reason, "put several of them into one"));
        }
        let bytes = (self.folder.read_file)(&name)
            .map_err(|error| refused(unreadable_reason(&error), "put it there or correct the path, which starts from this file's folder; capital and small letters count"))?;
        if bytes.len() > self.bytes_left {
            let reason = format!("is too large: {} bytes, and {} are left for it", bytes.len(), self.bytes_left);
            return Err(refused(reason, "include less"));
        }
        match String::from_utf8(bytes) {
            Ok(text) => self.visit(name, text.into()),
            Err(error) => self.mistakes.push(encoding_mistake(&shown, error.as_bytes())),
        }
        Ok(())
    }
}

/// Why a file is not included.
struct Refused {
    kind: ConfigErrorKind,
    suggestion: &'static str,
}

/// The paths that a file includes, each with its place in the list and in the text. Those that are wrong by themselves are
/// left out: the reader refuses them.
fn includes_of(text: &str) -> Vec<(usize, String, Range<usize>)> {
    // Most files include nothing, and some are long. Behind a \ the key may be written in other characters.
    if !text.contains(INCLUDE) && !text.contains('\\') {
        return Vec::new();
    }
    let (root, _) = DeTable::parse_recoverable(text);
    let elements = root.get_ref().get(INCLUDE).and_then(|list| list.get_ref().as_array());
    let elements = elements.map_or(&[][..], |elements| elements).iter().enumerate().take(INCLUDES_MAX);
    elements
        .filter_map(|(index, element)| Some((index, IncludePath.read(element, &mut Vec::new())?, element.span())))
        .collect()
}

/// Why a file cannot be read, as the end of a sentence that begins with its name.
pub(in crate::config) fn unreadable_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be read: permission denied".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// What is wrong with a file that is no text.
pub(in crate::config) fn encoding_mistake(file_name: &str, bytes: &[u8]) -> ConfigError {
    let valid_bytes = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let text = String::from_utf8_lossy(bytes);
    let kind = ConfigErrorKind::Syntax { reason: "this character is not in UTF-8".to_owned() };
    let replaced = valid_bytes..valid_bytes + char::REPLACEMENT_CHARACTER.len_utf8();
    let error = Source::new(file_name, &text).error(Some(replaced), kind);
    let suggestion = Some("save the file with the encoding UTF-8".to_owned());
    ConfigError { suggestion, ..error }
}
