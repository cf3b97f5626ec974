//! Everybody's attributes, when each last became another, and who may know of whom.

use std::sync::Arc;

use throng_shared::attributes::{Attributes, Concealment, Schema, Values};
use throng_shared::ids::{Archetype, NetId};
use throng_shared::tick::Tick;
use throng_shared::wire::attributes::OwnAttributes;
use throng_shared::wire::page::slots_of;

use super::layers::LayerNumber;

/// The attributes of all characters, one row for each. In worlds without attributes there are no rows.
#[derive(Debug)]
pub(crate) struct AttributeTable {
    schema: Arc<Schema>,
    rows: Vec<RowState>,
    /// Values and when they last changed, row after row.
    values: Vec<u32>,
    changed: Vec<Tick>,
    free: Vec<Row>,
}

/// Number of a row.
pub(crate) type Row = u32;

#[derive(Clone, Copy, Debug)]
struct RowState {
    archetype: Archetype,
    /// Whether nobody has had it yet, or who had it has gone.
    is_free: bool,
    /// When any that its owner is told last changed.
    own_changed: Tick,
}

/// Who may know of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    Everybody,
    Team(u32),
    Owner(NetId),
}

/// Who looks: what decides which secrets a client may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Viewer {
    /// Its own character.
    pub(crate) own: NetId,
    /// Its own row, once it is recorded, in worlds with attributes.
    pub(crate) row: Option<Row>,
    /// Its team, and since when.
    pub(crate) team: Option<u32>,
    pub(crate) team_since: Tick,
}

/// For whom anything has become another.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    pub(super) for_all: bool,
    pub(super) for_team: bool,
}

impl Default for Viewer {
    /// Nobody.
    fn default() -> Viewer {
        Viewer { own: NetId(0), row: None, team: None, team_since: Tick(0) }
    }
}

impl Audience {
    /// Whether somebody may know.
    pub(crate) fn admits(self, viewer: &Viewer) -> bool {
        match self {
            Audience::Everybody => true,
            Audience::Team(team) => viewer.team == Some(team),
            Audience::Owner(owner) => viewer.own == owner,
        }
    }
}

impl AttributeTable {
    pub(super) fn new(schema: Arc<Schema>) -> AttributeTable {
        AttributeTable { schema, rows: Vec::new(), values: Vec::new(), changed: Vec::new(), free: Vec::new() }
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// A row for somebody new; 0 in worlds without attributes.
    pub(super) fn take(&mut self) -> Row {
        if self.schema.is_empty() {
            return 0;
        }
        self.free.pop().unwrap_or_else(|| {
            self.rows.push(RowState { archetype: Archetype::BOT, is_free: true, own_changed: Tick(0) });
            self.values.resize(self.rows.len() * self.schema.len(), 0);
            self.changed.resize(self.values.len(), Tick(0));
            self.rows.len() as Row - 1
        })
    }

    pub(super) fn give_back(&mut self, row: Row) {
        if !self.schema.is_empty() {
            self.rows[row as usize].is_free = true;
            self.free.push(row);
        }
    }

    /// Takes in what somebody has at `tick`, and says what is other than before.
    pub(super) fn update(&mut self, row: Row, tick: Tick, archetype: Archetype, attributes: &Attributes) -> Change {
        // Who goes on as another archetype is as good as new.
        let former = self.rows[row as usize];
        let is_new = former.is_free || former.archetype != archetype;
        let (width, layout) = (self.schema.len(), *self.schema.layout(archetype));
        let start = row as usize * width;
        let (own, changed) = (&mut self.values[start..start + width], &mut self.changed[start..start + width]);
        let mut other = 0;
        for (index, (value, &now)) in own.iter_mut().zip(attributes.view().values).enumerate() {
            // A handle of another world may have set anything.
            let now = now.min(self.schema.value_max(index));
            if is_new || *value != now {
                (*value, changed[index]) = (now, tick);
                other |= 1 << index;
            }
        }
        let own_changed = match other & layout.own {
            0 if !is_new => self.rows[row as usize].own_changed,
            _ => tick,
        };
        self.rows[row as usize] = RowState { archetype, is_free: false, own_changed };
        let team = self.schema.team().map_or(0, |team| 1 << team);
        Change { for_all: other & layout.public != 0, for_team: other & (layout.team | team) != 0 }
    }

    /// Who may know of somebody.
    pub(super) fn audience(&self, row: Row, owner: NetId) -> Audience {
        let layout = self.schema.layout(self.rows[row as usize].archetype);
        match (layout.concealment(self.values(row)), self.team_of(row)) {
            (Concealment::None, _) => Audience::Everybody,
            (Concealment::FromOtherTeams, Some(team)) => Audience::Team(team),
            // Without a team everybody is of another one.
            (Concealment::FromOtherTeams, None) | (Concealment::FromOthers, _) => Audience::Owner(owner),
        }
    }

    /// In which layer somebody is.
    pub(super) fn layer(&self, row: Row) -> LayerNumber {
        self.schema.layout(self.rows[row as usize].archetype).far_radius(self.values(row))
    }

    /// The team of somebody, if its archetype has one.
    pub(super) fn team_of(&self, row: Row) -> Option<u32> {
        let team = self.schema.team()?;
        let has_team = self.schema.layout(self.rows[row as usize].archetype).all >> team & 1 == 1;
        has_team.then(|| self.values(row)[team])
    }

    /// When somebody's team became what it is; 0 in worlds without teams.
    pub(super) fn team_since(&self, row: Row) -> Tick {
        let team = self.schema.team();
        team.map_or(Tick(0), |team| self.changed[row as usize * self.schema.len() + team])
    }

    /// When anything that somebody is told of itself last became another.
    pub(crate) fn own_changed(&self, row: Row) -> Tick {
        self.rows[row as usize].own_changed
    }

    /// Those of some attributes that have become another after a tick.
    pub(super) fn since(&self, row: Row, of: u32, tick: Tick) -> Values<'_> {
        let start = row as usize * self.schema.len();
        let known = slots_of(of).map(|index| u32::from(self.changed[start + index] > tick) << index).sum();
        Values { known, values: self.values(row) }
    }

    /// Those of some attributes that are other than at first.
    pub(super) fn unusual(&self, row: Row, of: u32) -> Values<'_> {
        let (values, rules) = (self.values(row), self.schema.rules());
        let known = slots_of(of).map(|index| u32::from(values[index] != rules[index].default) << index).sum();
        Values { known, values }
    }

    /// What somebody is told of itself who knows how it was at a tick, or nothing for 0.
    pub(crate) fn own_since(&self, row: Row, tick: Tick) -> OwnAttributes {
        let archetype = self.rows[row as usize].archetype;
        OwnAttributes::new(archetype, self.since(row, self.schema.layout(archetype).own, tick))
    }

    fn values(&self, row: Row) -> &[u32] {
        let start = row as usize * self.schema.len();
        &self.values[start..start + self.schema.len()]
    }
}
