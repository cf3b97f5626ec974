//! A declarative reader of TOML tables: every key is declared once, in code, where it is read.
//!
//! One pass over a file collects every mistake in it; the same declarations, run without a file, describe what can be
//! written. Nothing here knows what a world or a server is.
//!
//! | module | holds |
//! |---|---|
//! | `file_format` | [`FileFormat`]: a file as a whole |
//! | `file_set`, `include` | [`FileSet`]: a file and what it includes |
//! | `table`, `key`, `rule` | [`TableReader`]: tables, keys, and rules between keys |
//! | `layers` | one table as several files say it |
//! | `refuse` | how mistakes are put together |
//! | `value`, `list`, `text`, `address` | what a key can hold |
//! | `shape` | the same as data, for schemas |
//! | `syntax` | what is wrong when a file is not TOML |
//! | `show` | what was read, written down |
//! | `findings`, `source`, `suggest` | where mistakes go, where they are, and what was meant |

mod address;
mod file_format;
mod file_set;
mod findings;
mod include;
mod key;
mod layers;
mod list;
mod refuse;
mod rule;
mod shape;
mod show;
mod source;
mod suggest;
mod syntax;
mod table;
mod text;
mod value;

pub(super) use address::address;
pub(super) use file_format::{FileFormat, FormatDoc};
pub(super) use file_set::{FileSet, Folder, encoding_mistake, unreadable_reason};
pub(super) use findings::{Condition, KeyDoc, Mistakes, Occurrence, TableDoc, Unwritten};
pub(super) use list::{Pair, names, numbers, pair, pairs, words};
pub(super) use shape::Shape;
pub(super) use show::shown_text_of;
pub(super) use source::Source;
pub(super) use table::{Presence, TableReader};
pub(super) use text::{Choice, ChoiceHelp, FileName, Name, PathText, Word};
pub(super) use value::{Number, Truth, number, whole};
