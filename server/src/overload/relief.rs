//! What has given way on a rung.

use bevy_ecs::prelude::{Res, ResMut, Resource};
use throng_bot_ai::BotWorld;
use throng_shared::config::{OverloadConfig, ReliefConfig};

use crate::ingress::Inbound;
use crate::instance::InstanceRules;
use crate::interest::InterestRules;
use crate::session::Sessions;

/// What gives way, all rungs up to one together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relief {
    /// How many times as long bots wait until they think.
    pub think_interval_factor: u32,
    /// How many times as old what is told of all but the nearest tier may be.
    pub staleness_factor: u32,
    /// What is left of the most that a client is told of one by one, in percent.
    pub visible_percent: u32,
    /// How fast time runs, in percent.
    pub time_percent: u32,
}

impl Relief {
    /// Nothing has given way.
    pub const NONE: Relief =
        Relief { think_interval_factor: 1, staleness_factor: 1, visible_percent: 100, time_percent: 100 };

    /// What gives way on a rung, counted from 1; nothing for 0.
    pub fn on_rung(config: &OverloadConfig, rung: u8) -> Relief {
        let rungs = config.rungs.iter().take(rung.into());
        rungs.fold(Relief::NONE, |relief, rung| match *rung {
            ReliefConfig::BotThinking { interval_factor } => {
                Relief { think_interval_factor: relief.think_interval_factor.max(interval_factor), ..relief }
            }
            ReliefConfig::FarTiers { staleness_factor } => {
                Relief { staleness_factor: relief.staleness_factor.max(staleness_factor), ..relief }
            }
            ReliefConfig::View { visible_percent } => {
                Relief { visible_percent: relief.visible_percent.min(visible_percent), ..relief }
            }
            ReliefConfig::Time { time_percent } => {
                Relief { time_percent: relief.time_percent.min(time_percent), ..relief }
            }
        })
    }
}

/// A world's ladder, what it takes from, and where it stands. With each rung, what clients are told and how often bots think is what the world
/// file says, less what gives way.
#[derive(Resource, Clone, Debug)]
pub struct OverloadRules {
    /// What the world declares.
    pub config: OverloadConfig,
    /// The rung that the world stands on; 0 for none.
    pub rung: u8,
    /// What is when nothing gives way.
    interest: InterestRules,
    think_interval_ms: u32,
}

impl OverloadRules {
    /// On no rung of a ladder.
    pub(crate) fn new(config: OverloadConfig, interest: InterestRules, think_interval_ms: u32) -> OverloadRules {
        OverloadRules { config, rung: 0, interest, think_interval_ms }
    }
}

/// Lets give way what does on the rung that the batch says, and has bots wait as long as it says.
pub(crate) fn take_rung(
    inbound: Res<Inbound>,
    mut overload: ResMut<OverloadRules>,
    mut rules: ResMut<InstanceRules>,
    mut bots: ResMut<BotWorld>,
    mut sessions: ResMut<Sessions>,
) {
    if bots.think_delay_percent != u32::from(inbound.0.think_delay_percent) {
        bots.think_delay_percent = inbound.0.think_delay_percent.into();
    }
    if inbound.0.rung == overload.rung {
        return;
    }
    let before = Relief::on_rung(&overload.config, overload.rung);
    overload.rung = inbound.0.rung;
    let relief = Relief::on_rung(&overload.config, overload.rung);
    rules.interest = overload.interest.relieved(&relief, rules.tick_rate);
    bots.rules.think_interval_ms = overload.think_interval_ms * relief.think_interval_factor;
    for session in sessions.all_mut() {
        session.view.look_anew();
        if relief.time_percent != before.time_percent {
            // Round trips are counted in ticks, which are longer or shorter now.
            session.view.forget_route();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rung_adds_to_those_below_it_and_of_the_same_kind_the_stronger_counts() {
        let rungs = vec![
            ReliefConfig::View { visible_percent: 50 },
            ReliefConfig::BotThinking { interval_factor: 8 },
            ReliefConfig::View { visible_percent: 70 },
            ReliefConfig::FarTiers { staleness_factor: 3 },
            ReliefConfig::Time { time_percent: 40 },
        ];
        let config = OverloadConfig { rungs, ..OverloadConfig::default() };
        let reliefs = [0, 1, 2, 3, 4, 5].map(|rung| {
            let relief = Relief::on_rung(&config, rung);
            (relief.think_interval_factor, relief.staleness_factor, relief.visible_percent, relief.time_percent)
        });
        assert_eq!(
            reliefs,
            [(1, 1, 100, 100), (1, 1, 50, 100), (8, 1, 50, 100), (8, 1, 50, 100), (8, 3, 50, 100), (8, 3, 50, 40)]
        );
    }
}
