//! Scripts: what happens in a simulation, as a list.

use glam::Vec2;
use throng_shared::ids::InstanceId;
use throng_shared::random::Random;

use crate::sim::{Plan, PlayerHandle, Sim};

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Another player comes into the first world. Players are numbered in the order of their coming.
    Join,
    /// A player runs in a direction (x, z).
    Run(PlayerHandle, Vec2),
    /// A player stands still.
    Stand(PlayerHandle),
    /// A player wanders about, as this seed says.
    Wander(PlayerHandle, u64),
    /// A player is set down elsewhere (x, z).
    Teleport(PlayerHandle, Vec2),
    /// A player leaves.
    Leave(PlayerHandle),
    /// So many ticks pass.
    Wait(u32),
}

impl Sim {
    /// Lets a script happen. What is said of players who are not in the world is skipped.
    pub fn run(&mut self, script: &[Action]) {
        for action in script {
            match *action {
                Action::Join => {
                    self.start_connecting(InstanceId(0));
                    self.run_until_playing();
                }
                Action::Wait(ticks) => self.run_ticks(ticks),
                Action::Run(player, direction) => self.plan_if_playing(player, Plan::run(direction)),
                Action::Stand(player) => self.plan_if_playing(player, Plan::stand()),
                Action::Wander(player, seed) => self.plan_if_playing(player, Plan::Wander(Random::new(seed, 0))),
                Action::Teleport(player, point_m) if self.is_playing(player) => self.teleport(player, point_m),
                Action::Leave(player) if self.is_playing(player) => self.leave(player),
                Action::Teleport(..) | Action::Leave(_) => {}
            }
        }
    }

    fn plan_if_playing(&mut self, player: PlayerHandle, plan: Plan) {
        if self.is_playing(player) {
            self.plan(player, plan);
        }
    }
}
