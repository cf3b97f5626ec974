//! The moment in which a client may have seen the others.

use throng_shared::abilities::VIEW_STEPS_PER_TICK;
use throng_shared::input::PlayerInput;
use throng_shared::tick::Tick;

/// Sees to it that an input claims no older view than its client can have had: what it has acknowledged, less the delay with which it may show it.
/// True when it did, and was given the oldest that it may.
///
/// `newest` is the newest input of the frame, of which `input` may be an earlier one, sent with an older acknowledgement. A view that is newer than what was acknowledged
/// is let stand: it gains nothing, for the shot is judged nearer to where its target is.
pub(crate) fn grant_view(
    input: &mut PlayerInput,
    tick: Tick,
    newest: Tick,
    acknowledged: Tick,
    view_delay_ticks_max: u32,
) -> bool {
    if input.ability == 0 {
        return false;
    }
    // Whoever has acknowledged nothing has seen nobody; what is now is as good as anything.
    let oldest = match acknowledged {
        Tick(0) => tick - 1,
        acknowledged => acknowledged - view_delay_ticks_max - newest.since(tick),
    };
    let back_steps_max = tick.signed_since(oldest).max(0).unsigned_abs().saturating_mul(u64::from(VIEW_STEPS_PER_TICK));
    let back_steps_max = u16::try_from(back_steps_max).unwrap_or(u16::MAX);
    let is_forged = input.view_back_steps > back_steps_max;
    input.view_back_steps = input.view_back_steps.min(back_steps_max);
    is_forged && acknowledged > Tick(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_view_is_older_than_what_was_acknowledged_less_the_delay() {
        // Input for tick 110, acknowledged 100, five ticks of delay: 15 ticks back at most, two more for an input sent two frames late.
        for (newest, acknowledged, claimed, granted, is_forged) in [
            (110, 100, 15 * 64, 15 * 64, false),
            (110, 100, 15 * 64 + 1, 15 * 64, true),
            (112, 100, 17 * 64, 17 * 64, false),
            (110, 100, 3, 3, false),
            (110, 0, 900, 64, false),
            (110, 4_000_000_000, 900, 0, true),
        ] {
            let mut input = PlayerInput { ability: 1, view_back_steps: claimed, ..PlayerInput::default() };
            let found = grant_view(&mut input, Tick(110), Tick(newest), Tick(acknowledged), 5);
            assert_eq!((input.view_back_steps, found), (granted, is_forged), "{newest} {acknowledged} {claimed}");
        }
        let mut idle = PlayerInput { view_back_steps: 9_999, ..PlayerInput::default() };
        assert!(!grant_view(&mut idle, Tick(110), Tick(110), Tick(100), 5) && idle.view_back_steps == 9_999);
    }
}
