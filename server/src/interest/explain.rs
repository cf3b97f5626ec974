//! Why a client knows of somebody, or does not.

use glam::Vec2;
use serde::Serialize;

use super::view::ClientView;
use super::{InterestRules, SLACK_M};
use crate::pages::{Audience, Pages, Viewer};

/// The one reason for which a client is told of a character, or is not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Explanation {
    /// There is no such client.
    NoClient,
    /// The client's connection is broken; its seat is held.
    Disconnected,
    /// There is no such character.
    NoEntity,
    /// It is the client's own: every snapshot begins with it.
    Own,
    /// It is told of.
    Told {
        /// Tier of its page, counted from 0 for the nearest.
        tier: u8,
        /// In how many ticks a page of that tier has its turn once.
        period_ticks: u32,
        /// How long ago its page was told last, or found to be at rest.
        told_ticks_ago: u32,
        /// How long ago the newest state was that is known to have arrived; none for none yet.
        acknowledged_ticks_ago: Option<u32>,
        /// Characters of its page, which are told together.
        page_characters: u32,
        /// Length of the page when it was last encoded for anybody, in bytes: its longest variant.
        page_bytes: u32,
    },
    /// Its page is to be told, but there was no room yet.
    WaitsForRoom {
        /// Since how many ticks.
        waits_ticks: u32,
    },
    /// It is in reach, and it is looked for in one of the next ticks.
    NotLookedYet,
    /// Its page is in reach, but others are nearer and the view is full; it is told of as part of a group.
    CrowdedOut {
        /// Most characters in a view.
        visible_max: usize,
    },
    /// It is concealed: of all who are there, only its team or its owner may know.
    Concealed {
        /// Whether its team may know; otherwise nobody but itself.
        team_may_know: bool,
    },
    /// Its page begins farther away than the enter radius from everywhere that the client sees from.
    OutOfReach {
        /// How far away that is, in metres.
        distance_m: f32,
        /// The enter radius, or from how far such a one is seen.
        enter_radius_m: f32,
    },
}

impl Explanation {
    /// Whether the client knows of it one by one.
    pub fn is_told(&self) -> bool {
        matches!(self, Explanation::Own | Explanation::Told { .. })
    }
}

impl ClientView {
    /// Why somebody in a page is told or not to a client that sees from `anchors_m`.
    pub(crate) fn explain(
        &self,
        pages: &Pages,
        rules: &InterestRules,
        viewer: &Viewer,
        anchors_m: &[Vec2],
        page: u32,
    ) -> Explanation {
        let audience = pages.head(page).audience;
        if !audience.admits(viewer) {
            return Explanation::Concealed { team_may_know: matches!(audience, Audience::Team(_)) };
        }
        if let Some(subscription) = self.subscriptions.iter().find(|subscription| subscription.page == page) {
            let ago = |tick| self.now.since(tick);
            let is_just_told = self.is_just_told(page);
            if !subscription.was_told && !is_just_told {
                return Explanation::WaitsForRoom { waits_ticks: ago(subscription.waits_since) };
            }
            let head = pages.head(page);
            return Explanation::Told {
                tier: subscription.tier,
                period_ticks: rules.tiers.period_ticks(subscription.tier.into()),
                told_ticks_ago: if is_just_told { 0 } else { ago(subscription.waits_since) },
                acknowledged_ticks_ago: (subscription.base.0 > 0).then(|| ago(subscription.base)),
                page_characters: head.occupied.count_ones(),
                page_bytes: head.length_bytes.into(),
            };
        }
        let counted_m = pages.distance_squared_m2(page, anchors_m).sqrt();
        // As they are, for who is seen from afar counts as nearer.
        let scale = pages.head(page).scale();
        let (distance_m, enter_radius_m) = (counted_m / scale, rules.enter_radius_m / scale);
        if self.left_out.binary_search(&page).is_ok() {
            Explanation::CrowdedOut { visible_max: rules.visible_max }
        } else if counted_m > rules.enter_radius_m + SLACK_M {
            Explanation::OutOfReach { distance_m, enter_radius_m }
        } else {
            Explanation::NotLookedYet
        }
    }
}
