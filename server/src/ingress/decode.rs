//! Bytes → inputs and acknowledgements.

use bevy_ecs::prelude::{Mut, Query, Res, ResMut};
use throng_shared::abilities::VIEW_STEPS_PER_TICK;
use throng_shared::input::{InputBuffer, InputFate, PlayerInput};
use throng_shared::limits::{IDLE_AFTER_MS, INPUT_DATAGRAMS_PER_TICK_MAX};
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::control::GoodbyeReason;
use throng_shared::wire::inputs::InputFrame;

use super::Inbound;
use crate::abilities::{CombatLog, CombatRules, Refusal, RefusalRule, grant_view};
use crate::batch::{OutboundBatch, ReceivedFrame};
use crate::commit::Totals;
use crate::egress::Outbound;
use crate::instance::InstanceRules;
use crate::session::{Session, Sessions};

/// Frames whose sessions and buffers are asked for together, before the first of them is taken.
const FRAMES_TOGETHER: usize = 8;

/// Decodes every frame and puts its inputs into the buffer of the sender's character.
#[expect(clippy::too_many_arguments, reason = "a system's parameters are what it touches")]
pub(crate) fn decode_inputs(
    tick: Res<Tick>,
    rules: Res<InstanceRules>,
    inbound: Res<Inbound>,
    mut sessions: ResMut<Sessions>,
    mut outbound: ResMut<Outbound>,
    mut totals: ResMut<Totals>,
    mut buffers: Query<&mut InputBuffer>,
    combat: Option<Res<CombatRules>>,
    mut log: Option<ResMut<CombatLog>>,
) {
    let mut decoder = Decoder {
        tick: *tick,
        rules: &rules,
        outbound: &mut outbound.0,
        totals: &mut totals,
        combat: combat.as_deref(),
        log: log.as_deref_mut(),
    };
    // Both are sorted by client.
    let mut next = 0;
    for frames in inbound.0.frame_groups(FRAMES_TOGETHER) {
        let mut places = [None; FRAMES_TOGETHER];
        for (place, frame) in places.iter_mut().zip(frames.clone()) {
            let found = sessions.find_after(next, frame.client);
            next = found.unwrap_or_else(|place| place);
            *place = found.ok();
        }
        for &place in places.iter().flatten() {
            let session = &sessions.all()[place];
            session.fetch_for_input();
            if let Ok(buffer) = buffers.get(session.entity) {
                buffer.fetch();
            }
        }
        for (place, frame) in places.into_iter().zip(frames) {
            let Some(session) = place.map(|place| &mut sessions.all_mut()[place]) else { continue };
            let buffer = buffers.get_mut(session.entity).ok();
            decoder.take(frame, session, buffer.map(Mut::into_inner));
        }
    }
}

/// What frames are decoded by, and into besides their sessions.
struct Decoder<'w> {
    tick: Tick,
    rules: &'w InstanceRules,
    outbound: &'w mut OutboundBatch,
    totals: &'w mut Totals,
    combat: Option<&'w CombatRules>,
    log: Option<&'w mut CombatLog>,
}

impl Decoder<'_> {
    fn take(&mut self, frame: ReceivedFrame<'_>, session: &mut Session, buffer: Option<&mut InputBuffer>) {
        let (tick, rate) = (self.tick, self.rules.tick_rate);
        if session.frames.add(tick) >= INPUT_DATAGRAMS_PER_TICK_MAX {
            self.totals.frames_surplus += 1;
            return;
        }
        let Ok(decoded) = InputFrame::decode(frame.bytes) else {
            self.totals.frames_malformed += 1;
            if session.strikes.add(u64::from(tick.0 / rate.hz())) {
                self.outbound.dismiss(frame.client, GoodbyeReason::Malformed);
            }
            return;
        };
        // A client cannot have received what was not sent yet; such a claim is not an acknowledgement.
        if decoded.acks.newest < tick && decoded.acks.newest >= session.acks.newest {
            session.acks = decoded.acks;
        }
        if let Some((_, input)) = decoded.inputs().next() {
            session.quiet.note_input(tick, input, rate.ticks_for_ms(IDLE_AFTER_MS));
        }
        let Some(buffer) = buffer else { return };
        for (input_tick, mut input) in decoded.inputs() {
            let refusal = self.combat.and_then(|combat| check_view(combat, session, &decoded, input_tick, &mut input));
            match buffer.put(tick, input_tick, input) {
                InputFate::Buffered => {
                    self.totals.inputs_buffered += 1;
                    self.log.iter_mut().zip(refusal).for_each(|(log, refusal)| log.refuse(refusal));
                }
                InputFate::Early => self.totals.inputs_early += 1,
                // Repetitions of what has been applied are the normal case; only a newest input counts as late.
                InputFate::Late if input_tick == decoded.newest => self.totals.inputs_late += 1,
                InputFate::Late | InputFate::Duplicate => {}
            }
        }
        let margin_ms = input_margin_ms(rate, tick, decoded.newest, frame.waited_ms);
        let newest_margin_ms = session.own.input_margin_ms.map_or(margin_ms, |earlier_ms| earlier_ms.max(margin_ms));
        session.own.input_margin_ms = Some(newest_margin_ms);
    }
}

/// Sees to it that an input claims no view that its client cannot have had; see [`grant_view`].
fn check_view(
    combat: &CombatRules,
    session: &Session,
    frame: &InputFrame,
    tick: Tick,
    input: &mut PlayerInput,
) -> Option<Refusal> {
    let (asked, newest) = (input.view_back_steps, frame.newest);
    if !grant_view(input, tick, newest, session.acks.newest, combat.view_delay_ticks_max) {
        return None;
    }
    let ticks = |steps: u16| f64::from(steps) / f64::from(VIEW_STEPS_PER_TICK);
    let (who, ability, rule) = (session.net_id, input.ability, RefusalRule::View);
    Some(Refusal { tick, who, ability, rule, asked: ticks(asked), allowed: ticks(input.view_back_steps) })
}

/// How long before it is needed an input for `input_tick` arrived that waited `waited_ms` for `tick` to begin; negative
/// when its tick has passed.
fn input_margin_ms(rate: TickRate, tick: Tick, input_tick: Tick, waited_ms: u16) -> i16 {
    let ahead_ms = input_tick.signed_since(tick) as f64 * rate.step_ms();
    (ahead_ms + f64::from(waited_ms)).clamp(-30_000.0, 30_000.0) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_margin_counts_whole_ticks_and_the_wait_within_one() {
        let rate = TickRate::new(20);
        assert_eq!(input_margin_ms(rate, Tick(10), Tick(10), 12), 12);
        assert_eq!(input_margin_ms(rate, Tick(10), Tick(12), 12), 112);
        assert_eq!(input_margin_ms(rate, Tick(10), Tick(9), 12), -38);
        assert_eq!(input_margin_ms(rate, Tick(10), Tick(u32::MAX), 0), 30_000);
    }
}
