//! One pack: who is in it, in which order, and the way that it heads.

use glam::Vec2;
use throng_shared::config::PACK_SIZE_MAX;
use throng_shared::ids::NetId;

/// A pack turns as if it were drawn by a rope of this share of its reach, so that those who are farthest out can keep up.
const ROPE_SHARE: f32 = 0.5;
/// Shortest rope, in metres: who goes to and fro within less turns nobody.
const ROPE_M_MIN: f32 = 2.0;
/// Within this share of the rope, who leads is beside its end: that says nothing about the way that it heads.
const SLACK_SHARE: f32 = 0.25;

/// A few names in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    names: [NetId; PACK_SIZE_MAX],
    count: u8,
}

impl Names {
    pub(super) const NONE: Names = Names { names: [NetId(0); PACK_SIZE_MAX], count: 0 };

    pub(super) fn as_slice(&self) -> &[NetId] {
        &self.names[..usize::from(self.count)]
    }

    /// Puts somebody behind the others, if there is a place and it is not among them.
    pub(super) fn push(&mut self, net_id: NetId) {
        let count = usize::from(self.count);
        if count < PACK_SIZE_MAX && !self.as_slice().contains(&net_id) {
            self.names[count] = net_id;
            self.count += 1;
        }
    }
}

/// Bots that go together. A place without anybody is free.
#[derive(Clone, Debug)]
pub(crate) struct Pack {
    /// Those who are in it, who leads first, then in the order in which they came.
    pub(super) members: Names,
    /// Which of them kept their places, or led, when it was last reviewed; as bits.
    pub(super) keeping: u16,
    /// Whom one of them fights.
    pub(super) foe: Option<NetId>,
    /// Where the end of the rope lies that who leads draws behind it.
    tail_m: Vec2,
    /// Of length 1.
    heading: Vec2,
}

const _: () = assert!(PACK_SIZE_MAX <= u16::BITS as usize);

impl Pack {
    pub(super) const EMPTY: Pack =
        Pack { members: Names::NONE, keeping: 0, foe: None, tail_m: Vec2::ZERO, heading: Vec2::X };

    /// Who is in it, who leads first.
    pub(crate) fn members(&self) -> &[NetId] {
        self.members.as_slice()
    }

    /// Who leads; nobody in a free one.
    pub(crate) fn leader(&self) -> Option<NetId> {
        self.members().first().copied()
    }

    /// The place of somebody in the order of the pack.
    pub(crate) fn rank(&self, net_id: NetId) -> Option<usize> {
        self.members().iter().position(|member| *member == net_id)
    }

    /// Who of those before a rank was last seen to keep its place, the nearest in order.
    pub(crate) fn before(&self, rank: usize) -> Option<NetId> {
        let rank = (1..rank).rev().find(|rank| self.keeping >> rank & 1 == 1).unwrap_or(0);
        self.members().get(rank).copied()
    }

    /// Whom one of them fights.
    pub(crate) fn foe(&self) -> Option<NetId> {
        self.foe
    }

    /// The way that it heads, of length 1.
    pub(crate) fn heading(&self) -> Vec2 {
        self.heading
    }

    /// Lays the rope down behind who leads and is at a point.
    pub(super) fn lay_rope(&mut self, leader_m: Vec2, heading: Vec2, reach_m: f32) {
        self.heading = heading.try_normalize().unwrap_or(self.heading);
        self.tail_m = leader_m - self.heading * rope_m(reach_m);
    }

    /// How far who leads is from the end of the rope, in metres.
    pub(super) fn tail_distance_m(&self, leader_m: Vec2) -> f32 {
        self.tail_m.distance(leader_m)
    }

    /// Who leads is at a point now, and draws the end of the rope after it. Whoever turns on the spot draws nothing.
    pub(super) fn draw_rope(&mut self, leader_m: Vec2, reach_m: f32) {
        let (rope_m, drawn_m) = (rope_m(reach_m), leader_m - self.tail_m);
        let length_m = drawn_m.length();
        if length_m > SLACK_SHARE * rope_m {
            self.heading = drawn_m / length_m;
        }
        if length_m > rope_m {
            self.tail_m = leader_m - self.heading * rope_m;
        }
    }
}

/// How long the rope is of who leads a pack of such a reach, in metres.
pub(super) fn rope_m(reach_m: f32) -> f32 {
    (ROPE_SHARE * reach_m).max(ROPE_M_MIN)
}

#[cfg(test)]
impl Pack {
    /// A pack of these, who leads first; all keep their places, and head east.
    pub(crate) fn of(members: &[u32]) -> Pack {
        let mut pack = Pack { keeping: u16::MAX, ..Pack::EMPTY };
        members.iter().for_each(|net_id| pack.members.push(NetId(*net_id)));
        pack
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_turns_on_the_spot_or_goes_to_and_fro_turns_nobody_and_who_walks_on_does() {
        let mut pack = Pack::EMPTY;
        pack.lay_rope(Vec2::ZERO, Vec2::X, 8.0);
        for step in 0..40 {
            // Half a metre this way and that.
            pack.draw_rope(Vec2::from(if step % 2 == 0 { (0.2, 0.2) } else { (-0.2, -0.2) }), 8.0);
            assert!(pack.heading().dot(Vec2::X) > 0.99, "{}", pack.heading());
        }
        pack.draw_rope(Vec2::ZERO, 8.0);
        let mut last = pack.heading();
        for step in 1..100 {
            pack.draw_rope(Vec2::new(0.0, 0.25 * step as f32), 8.0);
            // The farthest of the pack goes hardly more than twice as far as who leads.
            let turned_m = (pack.heading() - last).length() * 8.0;
            assert!(turned_m < 2.3 * 0.25, "{turned_m} m in step {step}");
            last = pack.heading();
        }
        assert!(last.dot(Vec2::Y) > 0.99, "it heads where it walks: {last}");
    }

    #[test]
    fn the_one_before_is_the_nearest_in_order_who_keeps_its_place_or_else_who_leads() {
        let mut pack = Pack::of(&[9, 4, 7, 2]);
        pack.keeping = 0b1011;
        assert_eq!([1, 2, 3].map(|rank| pack.before(rank)), [9, 4, 4].map(|id| Some(NetId(id))));
        assert_eq!(Pack::EMPTY.before(1), None);
        assert_eq!((pack.leader(), pack.rank(NetId(2)), pack.rank(NetId(5))), (Some(NetId(9)), Some(3), None));
    }
}
