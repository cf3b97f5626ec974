//! A whole file: from its text to a value and its mistakes, and from its declarations to their description.

use super::findings::{Findings, Mistakes, Output, TableDoc};
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
    /// Reads the file's tables, each once.
    pub(in crate::config) read: fn(&mut TableReader<'_, '_>) -> T,
}

impl<T> FileFormat<T> {
    /// Reads `text` and collects its mistakes. `file_name` is only for messages.
    ///
    /// # Errors
    /// When the text is too long to be looked at.
    pub(in crate::config) fn check(&self, file_name: &str, text: &str) -> Result<(T, Mistakes), ConfigErrors> {
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
        let mut findings = Findings::new(Source::new(file_name, text), self.page);
        let root = parse(text, &mut findings);
        let mut output = Output::Check(findings);
        let mut reader = TableReader::root(&mut output, Some(&root));
        let value = (self.read)(&mut reader);
        reader.finish();
        let mut mistakes = match output {
            Output::Check(findings) => findings.into_mistakes(),
            Output::Describe(_) => Mistakes::new(self.page),
        };
        self.point_to_other_tables(&mut mistakes);
        Ok((value, mistakes))
    }

    /// What can be written in such a file.
    pub(in crate::config) fn describe(&self) -> Vec<TableDoc> {
        let mut output = Output::Describe(Vec::new());
        let mut reader = TableReader::root(&mut output, None);
        (self.read)(&mut reader);
        reader.finish();
        match output {
            Output::Describe(tables) => tables,
            Output::Check(_) => Vec::new(),
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
                tables = self.describe();
            }
            let key = error.key.rsplit('.').next().unwrap_or_default();
            let knows_key = |table: &&TableDoc| table.keys.iter().any(|known| known.name == key);
            let headings: Vec<_> = tables.iter().filter(knows_key).map(TableDoc::heading).collect();
            if !headings.is_empty() {
                error.suggestion = Some(format!("{key} belongs in {}", headings.join(" or ")));
            }
        }
    }
}
