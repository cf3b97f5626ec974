//! Who is where: the columns that the rest of a tick reads, and the grid that finds neighbours in them.

mod columns;
mod grid;

pub use columns::CharacterColumns;
pub use grid::{Grid, Hit, Run, RunsAlong};
