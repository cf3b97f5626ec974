//! The tables of a world file that say what gives way when the server cannot keep up.

use super::reader::{Choice, TableReader, whole};
use super::world::{OverloadConfig, ReliefConfig};

#[derive(Clone, Copy)]
enum Relief {
    BotThinking,
    FarTiers,
    View,
    Time,
}

const RELIEFS: &[Choice<Relief>] = &[
    Choice {
        word: "bot-thinking",
        means: Relief::BotThinking,
        doc: "Bots think less often; they still steer in every tick.",
    },
    Choice {
        word: "far-tiers",
        means: Relief::FarTiers,
        doc: "Players are told less often of all but the nearest tier.",
    },
    Choice { word: "view", means: Relief::View, doc: "Players are told of fewer characters one by one." },
    Choice {
        word: "time",
        means: Relief::Time,
        doc: "The world's time runs slower, for all alike; only as the last rung.",
    },
];

pub(super) fn read_overload(table: &mut TableReader<'_, '_>) -> OverloadConfig {
    let default = OverloadConfig::default();
    let yield_doc = "When ticks take more of their time than this, bots think less often, as much as it takes: up to eight times as seldom where \
                     no people are near, up to half as often where they are. What people are told does not change.";
    let bots_yield_percent =
        table.optional("bots_yield_percent", whole(10, 200, "%"), default.bots_yield_percent, yield_doc);
    let climb_doc = "A rung up is taken when ticks take more of their time than this.";
    let climb_percent = table.optional("climb_percent", whole(10, 200, "%"), default.climb_percent, climb_doc);
    let descend_doc = "A rung down is taken when they take less than this.";
    let descend_percent = table.optional("descend_percent", whole(5, 190, "%"), default.descend_percent, descend_doc);
    let doc = "`descend_percent` is at least 5 less than `climb_percent`";
    table.rule(&["descend_percent", "climb_percent"], doc, descend_percent + 5 <= climb_percent, || {
        format!("the rungs would be climbed up and down for ever: up above {climb_percent} %, down below {descend_percent} %")
    });
    let climb_after_doc = "For how long it must be more, on average, until a rung up is taken.";
    let climb_after_ms =
        table.optional("climb_after_ms", whole(100, 60_000, "ms"), default.climb_after_ms, climb_after_doc);
    let descend_after_doc = "For how long it must be less, on average, until a rung down is taken. When the same rung had to be \
                             climbed again soon after, twice as long, up to 16 times.";
    let descend_after_ms =
        table.optional("descend_after_ms", whole(100, 600_000, "ms"), default.descend_after_ms, descend_after_doc);
    OverloadConfig {
        bots_yield_percent,
        climb_percent,
        descend_percent,
        climb_after_ms,
        descend_after_ms,
        rungs: Vec::new(),
    }
}

/// Reads a rung; `is_after_time` when the one before it slows time down.
pub(super) fn read_rung(table: &mut TableReader<'_, '_>, is_after_time: bool) -> Option<ReliefConfig> {
    let relief = table.choose(
        "relief",
        RELIEFS,
        "What gives way on this rung, and on those above it.",
        |table, relief| match relief {
            Relief::BotThinking => {
                let doc = "How many times as long bots wait until they think again.";
                ReliefConfig::BotThinking {
                    interval_factor: table.optional("interval_factor", whole(2, 16, ""), 4, doc),
                }
            }
            Relief::FarTiers => {
                let doc = "How many times as old what is told may be, but never more than 250 ms.";
                ReliefConfig::FarTiers { staleness_factor: table.optional("staleness_factor", whole(2, 8, ""), 2, doc) }
            }
            Relief::View => {
                let doc = "What is left of `interest.visible_max`.";
                ReliefConfig::View { visible_percent: table.optional("visible_percent", whole(10, 90, "%"), 50, doc) }
            }
            Relief::Time => {
                let doc =
                    "How fast time runs. Movement and timers in simulation time slow down with it; players are told.";
                ReliefConfig::Time { time_percent: table.optional("time_percent", whole(25, 95, "%"), 50, doc) }
            }
        },
    );
    table.rule(&["relief"], "nothing comes after the rung with `relief = \"time\"`", !is_after_time, || {
        "the rung before this one slows down the time, which is the last resort".to_owned()
    });
    relief
}
