//! What a client in a bot's place would be told of others besides where they are: their sides, and who is concealed.

use bevy_ecs::prelude::Resource;
use throng_shared::attributes::Concealment;

/// What is known of somebody by those who may know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its team, by which it is told of secrets.
    pub team: Option<u32>,
    /// Its side; none for who is against everybody.
    pub side: Option<u32>,
    /// Whether it is dead.
    pub is_dead: bool,
    /// Its health, in percent of the most that it can have; only itself looks at that.
    pub health_percent: u8,
    /// From whom it is concealed.
    pub concealment: Concealment,
}

impl Default for Mark {
    fn default() -> Self {
        Mark { team: None, side: None, is_dead: false, health_percent: 100, concealment: Concealment::None }
    }
}

impl Mark {
    /// Whether two are of one side.
    pub fn is_ally_of(&self, other: &Mark) -> bool {
        self.side.is_some() && self.side == other.side
    }

    /// Whether one may know of the other at all.
    pub fn may_know_of(&self, other: &Mark) -> bool {
        match other.concealment {
            Concealment::None => true,
            Concealment::FromOtherTeams => self.team.is_some() && self.team == other.team,
            Concealment::FromOthers => false,
        }
    }
}

/// Everybody's marks by the rows of the last tick's columns. Nothing is in it in worlds without attributes.
#[derive(Clone, Debug, Default, Resource)]
pub struct Marks {
    by_row: Vec<Mark>,
}

impl Marks {
    /// Makes everybody one of whom nothing is known, and says whose marks can be set.
    pub fn begin(&mut self, rows: usize) -> &mut [Mark] {
        self.by_row.clear();
        self.by_row.resize(rows, Mark::default());
        &mut self.by_row
    }

    /// What is known of whoever is in a row.
    pub fn of_row(&self, row: usize) -> Mark {
        self.by_row.get(row).copied().unwrap_or_default()
    }

    /// Forgets everybody.
    pub fn clear(&mut self) {
        self.by_row.clear();
    }

    /// Whether nothing is known of anybody.
    pub fn is_empty(&self) -> bool {
        self.by_row.is_empty()
    }
}
