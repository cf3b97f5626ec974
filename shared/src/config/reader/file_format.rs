//! A whole file: from its text to a value and its mistakes, and from its declarations to their description.

use std::borrow::Cow;
use std::io;

use toml::de::DeTable;

use super::file_set::{FileSet, Folder};
use super::findings::{Findings, KeyDoc, Mistakes, Output, TableDoc};
use super::include::{INCLUDE, INCLUDE_DOC, IncludePaths};
use super::show::ShownTable;
use super::source::Source;
use super::syntax::parse;
use super::table::TableReader;
use crate::config::error::{ConfigError, ConfigErrorKind, ConfigErrors};

/// One kind of file.
pub(in crate::config) struct FileFormat<T: 'static> {
    /// What messages call such a file, such as `the world file`.
    pub(in crate::config) name: &'static str,
    /// The page that explains its keys.
    pub(in crate::config) page: &'static str,
    /// Largest such file, in bytes.
    pub(in crate::config) bytes_max: usize,
    /// Whether such a file can include others.
    pub(in crate::config) can_include: bool,
    /// Reads the file's tables, each once.
    pub(in crate::config) read: fn(&mut TableReader<'_, '_>) -> T,
}

/// What was read, right or wrong.
pub(in crate::config) struct Checked<'t, T> {
    /// What the files say; a default or some accepted value where they are wrong.
    pub(in crate::config) value: T,
    /// What is wrong with them.
    pub(in crate::config) mistakes: Mistakes,
    /// Whether a file that is included is missing.
    pub(in crate::config) is_partial: bool,
    /// Every key that was read, if that was wanted.
    pub(in crate::config) shown: Vec<ShownTable>,
    /// The texts, for further mistakes.
    pub(in crate::config) source: Source<'t>,
}

/// What can be written in a file.
pub(in crate::config) struct FormatDoc {
    /// The key by which it includes others, if it can.
    pub(in crate::config) include: Option<KeyDoc>,
    pub(in crate::config) tables: Vec<TableDoc>,
}

impl<T> FileFormat<T> {
    /// The file of this name, whose text is known, and what it includes.
    pub(in crate::config) fn gather<'t>(
        &self,
        name: &'t str,
        text: impl Into<Cow<'t, str>>,
        folder: &mut Folder<'_>,
    ) -> FileSet<'t> {
        match self.can_include {
            true => FileSet::gather(name, text.into(), self.bytes_max, folder),
            false => FileSet::alone((folder.path_of)(name), text.into()),
        }
    }

    /// Reads `text` and collects its mistakes, among them that it includes other files: nothing else is read. `file_name` is
    /// only for messages.
    ///
    /// # Errors
    /// When the text is too long to be looked at.
    pub(in crate::config) fn check(&self, file_name: &str, text: &str) -> Result<(T, Mistakes), ConfigErrors> {
        let path_of = |name: &str| if name.is_empty() { file_name.to_owned() } else { name.to_owned() };
        let mut read_file = |_: &str| Err(io::Error::other("nothing but the text of one file is there"));
        let files = self.gather("", text, &mut Folder { path_of: &path_of, read_file: &mut read_file });
        self.check_files(&files, false).map(|checked| (checked.value, checked.mistakes))
    }

    /// Reads files and collects their mistakes, and what was read, if it `is_shown`.
    ///
    /// # Errors
    /// When the first is too long to be looked at.
    pub(in crate::config) fn check_files<'t>(
        &self,
        files: &'t FileSet<'_>,
        is_shown: bool,
    ) -> Result<Checked<'t, T>, ConfigErrors> {
        let (source, starts) = files.source();
        let (file_name, text) = files.files.first().map_or(("", ""), |(name, text)| (name, text));
        if text.len() > self.bytes_max {
            let kind = ConfigErrorKind::File {
                name: self.name.to_owned(),
                reason: format!("is too large: {} bytes", text.len()),
            };
            return Err(self.refuse(ConfigError {
                accepted: format!("at most {} bytes", self.bytes_max),
                ..ConfigError::whole_file(file_name, kind)
            }));
        }
        let is_partial = !files.mistakes.is_empty();
        let mut findings = Findings::new(source, self.page);
        findings.is_partial = is_partial;
        findings.shown = is_shown.then(Vec::new);
        files.mistakes.iter().for_each(|mistake| findings.push(mistake.clone()));
        let texts = files.files.iter().map(|(_, text)| text.as_ref());
        let roots: Vec<_> = texts.zip(starts).map(|(text, start)| parse(text, start, &mut findings)).collect();
        let (value, findings) = self.read_roots(&roots, findings);
        let (mut mistakes, shown) = findings;
        self.point_to_other_tables(&mut mistakes);
        Ok(Checked { value, mistakes, is_partial, shown, source: files.source().0 })
    }

    /// A place of its own for what borrows from `roots`.
    fn read_roots<'r>(&self, roots: &'r [DeTable<'r>], findings: Findings<'r>) -> (T, (Mistakes, Vec<ShownTable>)) {
        let mut output = Output::Check(Box::new(findings));
        let mut reader = TableReader::root(&mut output, roots);
        let value = self.read_all(&mut reader);
        reader.finish();
        let parts = match output {
            Output::Check(findings) => findings.into_parts(),
            Output::Describe(_) => (Mistakes::new(self.page), Vec::new()),
        };
        (value, parts)
    }

    fn read_all(&self, reader: &mut TableReader<'_, '_>) -> T {
        if self.can_include {
            reader.optional_without_default(INCLUDE, IncludePaths, INCLUDE_DOC);
        }
        (self.read)(reader)
    }

    /// What can be written in such a file.
    pub(in crate::config) fn describe(&self) -> FormatDoc {
        let mut output = Output::Describe(Vec::new());
        let mut reader = TableReader::root(&mut output, &[]);
        self.read_all(&mut reader);
        let include = reader.doc.keys.pop();
        reader.finish();
        match output {
            Output::Describe(tables) => FormatDoc { include, tables },
            Output::Check(_) => FormatDoc { include, tables: Vec::new() },
        }
    }

    /// A single mistake, after which there is nothing to go on with.
    pub(in crate::config) fn refuse(&self, error: ConfigError) -> ConfigErrors {
        ConfigErrors::new(vec![error], 0, self.page)
    }

    /// Tells where an unknown key would be known.
    fn point_to_other_tables(&self, mistakes: &mut Mistakes) {
        let mut tables = Vec::new();
        let unknown = |error: &ConfigError| error.kind == ConfigErrorKind::UnknownKey && error.suggestion.is_none();
        for error in mistakes.iter_mut().filter(|error| unknown(error)) {
            if tables.is_empty() {
                tables = self.describe().tables;
            }
            let key = error.key.rsplit('.').next().unwrap_or_default();
            if key == INCLUDE && self.can_include {
                error.suggestion = Some("include belongs at the top of the file, before the first table".to_owned());
                continue;
            }
            let knows_key = |table: &&TableDoc| table.keys.iter().any(|known| known.name == key);
            let headings: Vec<_> = tables.iter().filter(knows_key).map(TableDoc::heading).collect();
            if !headings.is_empty() {
                error.suggestion = Some(format!("{key} belongs in {}", headings.join(" or ")));
            }
        }
    }
}
